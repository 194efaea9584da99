"""Where the value of each setting comes from.

Defaults, then the settings file, then the environment, then arguments: the later wins.
Each source says only what it was given, so a default never overrides a choice, and an
error can name the place of a bad value.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from ferryman.duration import parse_duration
from ferryman.errors import ConfigError
from ferryman.named import Storages
from ferryman.settings import Settings
from ferryman.settings_file import Said, SettingsFile, find

__all__ = ["Loaded", "load"]


@dataclass(frozen=True)
class Loaded:
    """Settings together with the origin of each that was set."""

    settings: Settings
    origins: Mapping[str, str]
    storages: Storages
    """Those that the settings file names."""

    def origin(self, name: str) -> str:
        """Say where a value came from."""
        return self.origins.get(name, "default")


_DURATIONS = frozenset(f.name for f in fields(Settings) if str(f.type).startswith("float"))
_LISTS = frozenset(f.name for f in fields(Settings) if str(f.type).startswith("tuple"))
_FOREVER = frozenset({"keep_completed", "keep_cancelled", "keep_discarded", "reindex_timeout"})
_AT_LEAST = {"concurrency": 1} | {f.name: 0.001 for f in fields(Settings) if f.name.endswith("_interval")}
_TYPES = {f.name: f.type for f in fields(Settings)}


def load(
    arguments: Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Loaded:
    """Put the sources together.  Raises ConfigError naming the setting, the value and where it was written."""
    env = os.environ if environment is None else environment
    written = find(file, env)
    storages = Storages.read(written, env)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for source in (_from_file(written), _from_environment(env), _from_arguments(arguments)):
        _take(list(source), values, origins)
    if "url" not in values:
        for name, value, origin in _where(values.get("storage"), origins, storages, env):
            values[name], origins[name] = value, origin
    return Loaded(Settings(**values), origins, storages)


_WHERE = frozenset({"url", "storage"})


def _take(source: Sequence[Said], values: dict[str, Any], origins: dict[str, str]) -> None:
    """Take over what one source says; what it says of where jobs are goes before all that others said of it."""
    places = {name: _place(name, origin) for name, _, origin in source if name in _WHERE}
    if places.keys() == _WHERE:
        raise ConfigError(f"{places['url']} and {places['storage']} both say where jobs are kept. Say one of them.")
    for name in _WHERE if places else ():
        values.pop(name, None)
        origins.pop(name, None)
    for name, value, origin in source:
        values[name] = _checked(name, value, origin)
        origins[name] = origin


def _where(
    chosen: str | None, origins: Mapping[str, str], storages: Storages, env: Mapping[str, str]
) -> Iterator[Said]:
    """Say where jobs are kept where no URL was said: by a storage's name, or where the application's own data is."""
    if chosen:
        yield from storages.chosen(chosen, _place("storage", origins["storage"]))
    elif storages.urls:
        yield from storages.first()
    elif redis := env.get("REDIS_URL"):
        yield "url", redis, "REDIS_URL"
    elif (database := env.get("DATABASE_URL")) and (plain := _postgres(database)):
        yield "url", plain, "DATABASE_URL"


def _from_file(written: SettingsFile) -> Iterator[Said]:
    for name, value in written.values.items():
        if name != "storages":
            yield _known(name, written.place), value, written.place


def _from_environment(env: Mapping[str, str]) -> Iterator[Said]:
    for name in _TYPES:
        variable = f"FERRYMAN_{name.upper()}"
        if env.get(variable):
            yield name, env[variable], variable
        elif name.startswith("log_") and env.get(name.upper()):
            yield name, env[name.upper()], name.upper()


def _from_arguments(arguments: Mapping[str, Any]) -> Iterator[Said]:
    for name, value in arguments.items():
        if value is not None:
            yield _known(name, "Ferryman()"), value, "argument"


def _postgres(url: str) -> str | None:
    scheme, _, rest = url.partition("://")
    plain = scheme.partition("+")[0]  # SQLAlchemy names its driver there
    return f"{plain}://{rest}" if plain in ("postgres", "postgresql") else None


def _known(name: str, origin: str) -> str:
    if name in _TYPES:
        return name
    import difflib

    near = difflib.get_close_matches(name, _TYPES, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(_TYPES)}."
    raise ConfigError(f'{origin} has no setting "{name}". {hint}')


def _checked(name: str, value: Any, origin: str) -> Any:
    where = _place(name, origin)
    if name in _FOREVER and value in (-1, "-1"):
        return None
    if name in _DURATIONS:
        try:
            value = parse_duration(value).total_seconds()
        except ConfigError as error:
            raise ConfigError(f'{where} is "{value}". It takes a time such as 30s or 5m. {error}') from error
    elif name == "queues":
        value = _queues(value, where)
    elif name in _LISTS:
        value = _names(value)
    else:
        value = _converted(name, value, where)
    if name in _AT_LEAST and value < _AT_LEAST[name]:
        raise ConfigError(f"{where} is {value}. It takes {_AT_LEAST[name]} or more.")
    return value


def _place(name: str, origin: str) -> str:
    """Return where a setting was written, as the beginning of a sentence."""
    return name if origin == "argument" else origin if origin.endswith(name.upper()) else f"{name} in {origin}"


_TAKES: Mapping[str, tuple[type, str]] = {
    "int": (int, "a whole number, 1 or more, such as 10"),
    "bool": (bool, "true or false"),
    "str": (str, "text"),
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "rescue_unknown": ("leave", "discard"),
    "log_level": ("debug", "info", "warn", "error"),
    "log_format": ("text", "json"),
}


def _converted(name: str, value: Any, where: str) -> Any:
    if name in _CHOICES:
        chosen = {"warning": "warn"}.get(str(value).lower(), str(value).lower())
        if chosen not in _CHOICES[name]:
            raise ConfigError(f'{where} is "{value}". It takes {", ".join(_CHOICES[name])}.')
        return chosen
    kind, takes = _TAKES[str(_TYPES[name])]
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f'{where} is "{value}". It takes {takes}.') from error


def _names(value: Any) -> tuple[str, ...]:
    """Read names with commas between them, a list of them, or "none"."""
    names = value.split(",") if isinstance(value, str) else value
    return tuple(name for each in names if (name := str(each).strip()) not in ("", "none"))


def _queues(value: Any, where: str) -> dict[str, int]:
    """Read `critical:6,default:3`, a list of names, or a table of weights."""
    said = value
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, Mapping):
        pairs = [str(part).rpartition(":") if ":" in str(part) else (str(part), "", "1") for part in value]
        value = {name: weight for name, _, weight in pairs}
    try:
        queues = {str(name): int(weight) for name, weight in value.items()}
    except (TypeError, ValueError):
        queues = {}
    if not queues or any(weight < 1 for weight in queues.values()):
        raise ConfigError(
            f'{where} is "{said}". It takes queues with weights of 1 or more, such as critical:6,default:3.'
        )
    return queues
