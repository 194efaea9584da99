"""River's times ⇄ ours.

They are text in UTC, with three fraction digits on SQLite; what Go and other tools have
written there in other shapes is read as well (spec/river.md 9).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

__all__ = ["json_time", "lenient_time", "parse_time", "text_time"]

_CANONICAL = 23  # len("2026-11-21 20:59:11.827")
_SHORTEST, _LONGEST = 19, 26  # without any fraction, and with a whole one
_GO = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))? ?(Z|[+-]\d\d:?\d\d)?")
_HALF_MILLISECOND = timedelta(microseconds=500)


def text_time(at: datetime) -> str:
    """Write a time as SQLite columns hold it, rounded to milliseconds."""
    return (at.astimezone(UTC) + _HALF_MILLISECOND).isoformat(" ", "milliseconds")[:_CANONICAL]


def json_time(at: datetime) -> str:
    """Write a time as River's JSON holds it: RFC 3339, the shortest fraction, Z."""
    whole = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{at.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{whole}{fraction}Z"


def parse_time(text: str | float | None) -> datetime | None:
    """Read a time in any of the shapes that River's writers leave.  Raises ValueError for anything else."""
    if text is None:
        return None
    if isinstance(text, int | float):
        return datetime.fromtimestamp(text, UTC)
    if _SHORTEST <= len(text) <= _LONGEST:  # as both databases give nearly all; with a zone or a T it is read below
        try:
            return datetime.fromisoformat(f"{text}+00:00")
        except ValueError:
            pass
    match = _GO.match(text)
    if match is None:
        raise ValueError(f'"{text}" is not a time in any form that River writes')
    day, clock, fraction, zone = match.groups()
    fraction = (fraction or "0")[:6].ljust(6, "0")
    return datetime.fromisoformat(f"{day}T{clock}.{fraction}{zone or 'Z'}").astimezone(UTC)


def lenient_time(text: str | float | None) -> datetime | None:
    """Read a time, or nothing where nobody can: one bad row must not stop a queue."""
    try:
        return parse_time(text)
    except (ValueError, OverflowError, OSError):
        return None
