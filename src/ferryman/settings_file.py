"""The settings file: which one it is, and what stands in it.

It is the one that was named, else `ferryman.toml` here, else what `pyproject.toml` here says under
`tool.ferryman`, else `ferryman/ferryman.toml` among the user's own settings (spec/cli.md 4.2).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ferryman.errors import ConfigError

__all__ = ["Said", "SettingsFile", "find"]

Said = tuple[str, Any, str]
"""A setting's name, its value, and where that was written."""

_NAME, _PROJECT = "ferryman.toml", "pyproject.toml"


@dataclass(frozen=True)
class SettingsFile:
    """What a settings file says, by name, and where that is; nothing where there is no file."""

    place: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def find(named: Path | None, environment: Mapping[str, str]) -> SettingsFile:
    """Read the settings file, the one that was named or the first that there is.  Raises ConfigError."""
    if named is not None:
        return _read(named) or SettingsFile()
    # Not Path.is_file, which raises where we may not look: the home of a container's user may be somebody else's.
    there = (_read(path) for path in _usual(environment) if os.path.isfile(path))
    return next((found for found in there if found is not None), SettingsFile())


def _usual(environment: Mapping[str, str]) -> Iterator[Path]:
    yield Path(_NAME)
    yield Path(_PROJECT)
    if own := environment.get("XDG_CONFIG_HOME"):
        yield Path(own, "ferryman", _NAME)
    elif home := environment.get("HOME"):
        yield Path(home, ".config", "ferryman", _NAME)


def _read(path: Path) -> SettingsFile | None:
    """Return what a file says; None for a project's file that says nothing of us."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"The settings file {path} cannot be read: {error.strerror}. Name another with -c."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    if path.name != _PROJECT:
        return SettingsFile(str(path), values)
    ours = values.get("tool", {}).get("ferryman")
    return None if ours is None else SettingsFile(f"tool.ferryman in {path}", ours)
