"""What a look at a storage or a program found: one line, and what to do about it.

Ids are stable and documented (spec/cli.md 4.6): `ferryman doctor --skip` takes them,
and so do people's alerts.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Finding", "Level", "clocks_apart", "failed", "passed", "warned"]


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Finding(msgspec.Struct, frozen=True):
    """What one check found.

    `fix` is a line to copy, where there is one: a command, or SQL, which ends with a semicolon.
    """

    id: str
    level: Level
    text: str
    fix: str = ""

    @property
    def sql(self) -> str:
        """The fix if it is SQL."""
        return self.fix if self.fix.endswith(";") else ""


_APART, _FAR_APART = 2.0, 30.0


def clocks_apart(id: str, seconds: float) -> Finding:
    """Judge how far the server's clock and ours are apart."""
    text = f"the server's clock and this machine's are {seconds:.1f} s apart"
    if seconds <= _APART:
        return passed(id, text)
    judge = failed if seconds > _FAR_APART else warned
    return judge(id, f"{text}; leases and schedules go by both", "timedatectl set-ntp true")


def passed(id: str, text: str) -> Finding:
    """Say that all is well."""
    return Finding(id, Level.OK, text)


def warned(id: str, text: str, fix: str = "") -> Finding:
    """Say that something may go wrong, or could not be looked at."""
    return Finding(id, Level.WARNING, text, fix)


def failed(id: str, text: str, fix: str = "") -> Finding:
    """Say that something is wrong."""
    return Finding(id, Level.ERROR, text, fix)
