"""Numbers and times as the pages show them (spec/dashboard.md 2.0.4).

What is not known is an en dash, never a nought.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

__all__ = ["UNKNOWN", "ago", "binary", "capped", "count", "duration", "moment", "rate", "share", "short_id"]

UNKNOWN = "–"

_EXACT = 100_000
_SHORT_ID = 13
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def count(number: int | None) -> str:
    """Show a number: exact below 100,000, then three figures."""
    if number is None:
        return UNKNOWN
    if abs(number) < _EXACT:
        return f"{number:,}"
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if abs(number) >= size:
            return f"{_three_figures(number / size)}{letter}"
    raise AssertionError(number)


def capped(number: int | None, more: bool = False) -> str:
    """Show a number that may only be a lower bound."""
    return f"≥ {count(number)}" if more and number is not None else count(number)


def rate(per_second: float | None) -> str:
    """Show how often something happens: per second, per minute, or per hour."""
    if per_second is None:
        return UNKNOWN
    if per_second == 0:
        return "0/s"
    if per_second >= 1:
        return f"{_three_figures(per_second)}/s"
    if per_second >= 1 / 60:
        return f"{per_second * 60:.0f}/min"
    return f"{max(per_second * 3600, 1):.0f}/h"


def share(part: float | None) -> str:
    """Show a part of one in percent."""
    if part is None:
        return UNKNOWN
    percent = part * 100
    if percent == 0:
        return "0 %"
    if percent < 0.1:
        return "< 0.1 %"
    return f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"


def duration(seconds: float | timedelta | None) -> str:
    """Show a length of time in two units at most."""
    if seconds is None:
        return UNKNOWN
    length = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if length < 0:
        return f"-{duration(-length)}"
    if length < 1:
        return f"{length * 1000:.0f} ms"
    if length < 60:
        return f"{length:.1f} s" if length < 10 else f"{length:.0f} s"
    whole = int(length)
    place = next(index for index, (size, _) in enumerate(_UNITS) if whole >= size)
    (size, unit), (lesser, small) = _UNITS[place], _UNITS[place + 1]
    rest = whole % size // lesser
    return f"{whole // size} {unit} {rest:02d} {small}" if rest else f"{whole // size} {unit}"


def ago(at: datetime | None, now: datetime) -> str:
    """Show how far a time is from now: "3 m ago", "in 22 s"."""
    if at is None:
        return UNKNOWN
    passed = (now - at).total_seconds()
    size, unit = next((pair for pair in _UNITS if abs(passed) >= pair[0]), _UNITS[-1])
    number = int(abs(passed) // size)
    return f"{number} {unit} ago" if passed >= 0 else f"in {number} {unit}"


def moment(at: datetime | None, zone: tzinfo = UTC) -> str:
    """Show a time to the millisecond."""
    if at is None:
        return UNKNOWN
    there = at.astimezone(zone)
    return f"{there:%Y-%m-%d %H:%M:%S}.{there.microsecond // 1000:03d} {there.tzname()}"


def binary(size: int | None) -> str:
    """Show a number of bytes."""
    if size is None:
        return UNKNOWN
    if size < 1024:
        return f"{size} B"
    units = ("KiB", "MiB", "GiB", "TiB")
    power = min((size.bit_length() - 1) // 10, len(units))
    return f"{_three_figures(size / 1024**power)} {units[power - 1]}"


def short_id(id: str) -> str:
    """Show an id in a list: the first 8 and last 4 characters of a long one."""
    return id if id.isdecimal() or len(id) <= _SHORT_ID else f"{id[:8]}…{id[-4:]}"


def _three_figures(number: float) -> str:
    if number >= 100:
        return f"{number:.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}".rstrip("0").rstrip(".")
