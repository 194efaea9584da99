"""What a look at a storage or a program found: one line, and what to do about it.

Ids are stable and documented (spec/cli.md 4.6): `ferryman doctor --skip` takes them,
and so do people's alerts.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Finding", "Level", "failed", "passed", "warned"]


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Finding(msgspec.Struct, frozen=True):
    """What one check found.  `fix` is a line to copy, where there is one."""

    id: str
    level: Level
    text: str
    fix: str = ""


def passed(id: str, text: str) -> Finding:
    """Say that all is well."""
    return Finding(id, Level.OK, text)


def warned(id: str, text: str, fix: str = "") -> Finding:
    """Say that something may go wrong, or could not be looked at."""
    return Finding(id, Level.WARNING, text, fix)


def failed(id: str, text: str, fix: str = "") -> Finding:
    """Say that something is wrong."""
    return Finding(id, Level.ERROR, text, fix)
