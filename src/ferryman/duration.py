"""Reads and writes lengths of time: "1h30m", 90, timedelta.

Wherever ferryman takes a length of time it takes all three spellings, and reads them
here.  The units of text are Go's, so that one settings file can serve both sides, plus
days and weeks.  A length of time is never negative.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta

from ferryman.errors import ConfigError

__all__ = ["format_duration", "parse_duration", "parse_go_duration"]

_MICROSECOND = 1_000  # in nanoseconds, as everything here
_SECOND = 1_000_000 * _MICROSECOND
_GO_UNITS = {
    "ns": 1,
    "us": _MICROSECOND,
    "µs": _MICROSECOND,  # the micro sign
    "μs": _MICROSECOND,  # the Greek letter, which looks the same and which Go takes too
    "ms": 1_000 * _MICROSECOND,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3_600 * _SECOND,
}
_UNITS = _GO_UNITS | {"d": 24 * _GO_UNITS["h"], "w": 7 * 24 * _GO_UNITS["h"]}

_NUMBER = r"(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?"
_BARE = re.compile(rf"[-+]?{_NUMBER}")
_PART = re.compile(rf"{_NUMBER}([a-zµμ]+)")
_TEXT = re.compile(rf"[-+]?(?:{_PART.pattern})+")


def parse_duration(value: str | float | timedelta) -> timedelta:
    """Read a timedelta, a number of seconds, or text: "1h30m", "1.5h", "250ms", "2d", "1w", "90" (seconds).

    A day is 24 hours.  What is finer than a microsecond is cut.  Raises ConfigError when
    it is negative or no length of time.
    """
    try:
        duration = _read(value)
    except (OverflowError, ValueError):
        raise ConfigError(
            f"The duration {_shown(value)} is too long. The longest is {timedelta.max.days} days."
        ) from None
    if duration is None:
        raise ConfigError(
            f"The duration {_shown(value)} cannot be read. It takes seconds, such as 90, "
            "or numbers with the units w, d, h, m, s and ms, such as 1h30m, 1.5h or 250ms."
        )
    if duration < timedelta():
        raise ConfigError(f"The duration {_shown(value)} is negative. It takes 0 or more, such as 90s or 1h30m.")
    return duration


def parse_go_duration(text: str) -> timedelta:
    """Read only what Go itself reads: no days or weeks, and no number without a unit except 0.

    Raises ConfigError when it is negative or anything else.
    """
    units = {unit for _, _, unit in _PART.findall(text)}
    if text != "0" and (not _TEXT.fullmatch(text) or not units <= _GO_UNITS.keys()):
        raise ConfigError(
            f"The duration {_shown(text)} is not one that Go reads. It takes numbers "
            "with the units h, m, s, ms, us and ns, such as 90s, 1.5h or 1h30m."
        )
    return parse_duration(text)


def format_duration(duration: timedelta) -> str:
    """Write a length of time so that people and `parse_duration` can read it: 1h30m, 5m, 1.5s, 250ms, 0s."""
    if duration < timedelta():
        return f"-{format_duration(-duration)}"
    if timedelta() < duration < timedelta(seconds=1):
        return f"{_decimal(duration.microseconds, 1_000)}ms"
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    counts = {"d": duration.days, "h": hours, "m": minutes}
    text = "".join(f"{count}{unit}" for unit, count in counts.items() if count)
    rest = _decimal(seconds * 1_000_000 + duration.microseconds, 1_000_000)
    return text if text and rest == "0" else f"{text}{rest}s"


def _read(value: str | float | timedelta) -> timedelta | None:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        text = value.strip()
        return _read_text(f"{text}s" if _BARE.fullmatch(text) else text)
    # True and False are numbers to Python, but nobody means one second by them.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return timedelta(seconds=value)


def _read_text(text: str) -> timedelta | None:
    if not _TEXT.fullmatch(text):
        return None
    nanoseconds = 0
    for whole, fraction, unit in _PART.findall(text):
        if unit not in _UNITS:
            return None
        size = _UNITS[unit]
        nanoseconds += int(whole or 0) * size + int(fraction or 0) * size // 10 ** len(fraction)
    duration = timedelta(microseconds=nanoseconds // _MICROSECOND)
    return -duration if text.startswith("-") else duration


def _decimal(count: int, size: int) -> str:
    """Write `count / size` exactly, without trailing zeros; `size` is a power of ten."""
    whole, rest = divmod(count, size)
    digits = f"{rest:0{len(str(size)) - 1}}".rstrip("0")
    return f"{whole}.{digits}" if digits else f"{whole}"


def _shown(value: object) -> str:
    if isinstance(value, timedelta):
        return format_duration(value)
    return f'"{value}"' if isinstance(value, str) else repr(value)
