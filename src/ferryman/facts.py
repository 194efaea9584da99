"""What a storage says of itself: how large it is, how it is kept, who is connected.

A fact judges nothing; that is what findings are for.  It has the name that people know it
by, and where it is about one of several things, such as a table, it says which.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

__all__ = ["NOT_PERMITTED", "Fact", "Unit", "unknown"]

NOT_PERMITTED = "not permitted for this user"


class Unit(StrEnum):
    """What a number counts."""

    NONE = ""
    BYTES = "bytes"
    SECONDS = "seconds"
    SHARE = "share"
    """A part of one."""


class Fact(msgspec.Struct, frozen=True):
    """One fact.  A value of None is not known, and `why` says the reason."""

    topic: str
    name: str
    value: str | int | float | datetime | None
    unit: Unit = Unit.NONE
    most: int | None = None
    """How large the value can become, where there is a limit."""
    of: str = ""
    """Which of several it is about, such as a table."""
    why: str = ""


def unknown(topic: str, name: str, why: str = NOT_PERMITTED, *, of: str = "") -> Fact:
    """Say why a fact is not known."""
    return Fact(topic, name, None, of=of, why=why)
