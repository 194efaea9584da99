"""Every setting, and where its value came from.

Defaults, then the settings file, then the environment, then arguments: the later wins.
Each source says only what it was given, so a default never overrides a choice, and an
error can name the place of a bad value.  Where jobs are kept is said by `url` or by
`storage`, the name of a URL in the file: who says one of them goes before who said
either earlier.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import msgspec

from ferryman.duration import parse_duration
from ferryman.errors import ConfigError
from ferryman.named import Storages
from ferryman.settings_file import Said, SettingsFile, find

__all__ = ["DEFAULT_URL", "RIVERS_INDEXES", "Loaded", "Settings", "load"]

DEFAULT_URL = "sqlite:///ferryman.db"

RIVERS_INDEXES = (
    "river_job_args_index",
    "river_job_kind",
    "river_job_metadata_index",
    "river_job_pkey",
    "river_job_prioritized_fetching_index",
    "river_job_state_and_finalized_at_index",
    "river_job_unique_idx",
)
"""What River's own leader rebuilds, as far as it is there (spec/river.md 6.7)."""


@dataclass(frozen=True)
class Settings:
    """What can be set.  Times are in seconds; wherever they are written, "5m" and "1h30m" do as well."""

    url: str = DEFAULT_URL
    """Where jobs are kept."""
    storage: str = ""
    """Where jobs are kept, by a name that the settings file gives; unset: the first that it names, if any."""
    queues: Mapping[str, int] = field(default_factory=lambda: {"default": 1})
    """Queues that the worker takes from, each with its weight."""
    strict: bool = False
    """Whether a heavier queue always goes before a lighter one."""
    concurrency: int = 10
    """How many jobs a worker runs at a time."""
    timeout: float = 300.0
    """How long an attempt may take unless its task or job says; 0 is no limit."""
    stuck_after: float = 10.0
    """How long after its time is up a job may go on before it is told of; stopping it takes a moment, or fails."""
    shutdown_timeout: float = 30.0
    """How long a stopping worker waits for running jobs before it stops them."""
    take_unknown_kinds: bool = False
    """Whether to take jobs of kinds that no task here has, and fail them, as River's workers do."""
    rescue_after: float | None = None
    """After how long a running job counts as lost; unset: an hour, or the longest timeout and an hour."""
    rescue_unknown: Literal["leave", "discard"] = "leave"
    """What to do with lost jobs of kinds that no task here has."""
    rescue_silent: float | None = None
    """After how long without a heartbeat a worker of ours counts as dead, and its jobs as lost.

    Unset: only their age counts.  It takes three heartbeats at least, and half an hour at most.  Workers in
    other languages are never meant, nor is anybody on Redis, where jobs have leases.
    """
    lead: bool = True
    """Whether this worker may become the leader, who does the chores."""
    periodic: bool = True
    """Whether this worker enqueues jobs by the clock when it leads."""
    durable_schedules: bool = False
    """Whether the time of the next run outlives the leader, on Postgres and SQLite: a new one goes on with it.

    Then on_start is for a schedule that never ran, and what was missed while no worker ran is made up for by
    one run.  Without, every schedule begins anew with each leader, as River's do.
    """
    keep_completed: float | None = 86_400.0
    """How long completed jobs are kept; -1 is forever."""
    keep_cancelled: float | None = 86_400.0
    """How long cancelled jobs are kept; -1 is forever."""
    keep_discarded: float | None = 604_800.0
    """How long discarded jobs are kept; -1 is forever."""
    listen: bool = True
    """Whether to hear of new jobs and requests at once; without, everything is found by polling."""
    poll_interval: float = 1.0
    """How often to look for jobs when no notice comes."""
    heartbeat_interval: float = 5.0
    """How often a worker says that it is alive."""
    elect_interval: float = 5.0
    """How often the leader renews its term, and others try for it."""
    schedule_interval: float = 1.0
    """How often the leader makes due jobs available; five times as seldom on Redis, where looking for jobs does it."""
    rescue_interval: float = 30.0
    """How often the leader looks for lost jobs."""
    clean_interval: float = 30.0
    """How often the leader deletes old jobs."""
    side_data: bool = True
    """Whether workers keep more beside the jobs than the format does.

    That is numbers for charts, every ten seconds, for up to eight days, and on Redis the failed attempts of each job
    with their tracebacks, of which asynq keeps the latest error only.
    """
    hide_names: tuple[str, ...] = ()
    """Names under which values are hidden wherever jobs are shown, besides usual ones such as password and token."""
    show_names: tuple[str, ...] = ()
    """Names whose values are shown although they look like a secret's, such as session or token_count."""
    hide_args: tuple[str, ...] = ()
    """Kinds of whose arguments nothing is shown, such as payment:*."""
    web: str = ""
    """The command that serves the program's pages beside the worker; for `ferryman dev`."""
    reindex: tuple[str, ...] = RIVERS_INDEXES
    """Which indexes the leader rebuilds on Postgres and SQLite; "none" is none."""
    reindex_schedule: str = "0 0 * * *"
    """When it does, as a cron line; in UTC unless the line names a zone."""
    reindex_timeout: float | None = 60.0
    """How long rebuilding one index may take; -1 is no limit."""
    health_addr: str = ""
    """Where the worker tells over HTTP how it is: 127.0.0.1:8082, in a container 0.0.0.0:8082; unset: nowhere."""
    heartbeat_file: str = ""
    """A file that the worker writes every few seconds while it is live, where no port can be asked; unset: none."""
    log_level: Literal["debug", "info", "warn", "error"] = "info"
    """What is logged: this level and above.  Also LOG_LEVEL."""
    log_format: Literal["text", "json"] | None = None
    """How it is logged; unset: text in development or on a terminal, else JSON.  Also LOG_FORMAT."""


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
