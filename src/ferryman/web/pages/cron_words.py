"""A schedule in words, as people say it, and when it comes after that: `0 * * * *` is every hour, on the hour.

Lines that take more than a short sentence stay as they are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from ferryman.cron import ZONE_PREFIXES, Cron
from ferryman.duration import parse_go_duration
from ferryman.errors import ConfigError
from ferryman.web.formats import duration

__all__ = ["in_words", "times_after"]

_NAMED = {
    "@yearly": "every year, on 1 January",
    "@annually": "every year, on 1 January",
    "@monthly": "every month, on the 1st",
    "@weekly": "every Sunday, at midnight",
    "@daily": "every day, at midnight",
    "@midnight": "every day, at midnight",
    "@hourly": "every hour, on the hour",
}
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def in_words(line: str) -> str:
    """Return what a schedule means; "" where that takes more than a short sentence."""
    zone, body = _zone(line)
    if body.startswith("@every "):
        return _every(body.removeprefix("@every "))
    said = _NAMED.get(body) or _fields(body.split())
    return f"{said}, in {zone}" if said and zone else said


def times_after(line: str, after: datetime, zone: tzinfo, *, number: int = 3) -> str:
    """Return the next times by the clock, in somebody's zone: "15:00, 16:00, 17:00"; "" where nobody can say."""
    try:
        schedule = Cron.parse(line)
    except ConfigError:
        return ""
    if not isinstance(schedule, Cron):  # counted from the last time, which is not known yet
        return ""
    times: list[datetime] = []
    at: datetime | None = after
    while len(times) < number and at and (at := schedule.next(at)):
        times.append(at.astimezone(zone))
    return ", ".join(_shown(times))


def _shown(times: list[datetime]) -> Iterator[str]:
    in_a_day = bool(times) and (times[-1] - times[0]).days < 1
    return (f"{at:%H:%M}" if in_a_day else f"{at.day} {at:%b %H:%M}" for at in times)


def _zone(line: str) -> tuple[str, str]:
    prefix, _, body = line.strip().partition(" ")
    if prefix.startswith(ZONE_PREFIXES):
        return prefix.partition("=")[2], body.strip()
    return "", line.strip()


def _every(text: str) -> str:
    try:
        length = duration(parse_go_duration(text).total_seconds())
    except ConfigError:
        return ""
    return "every " + {"1 m": "minute", "1 h": "hour", "1 d": "day"}.get(length, length)


def _fields(fields: list[str]) -> str:
    if len(fields) != 5 or fields[3] != "*":
        return ""
    minute, hour, day, _, weekday = fields
    if (day, weekday) == ("*", "*"):
        return _within_a_day(minute, hour)
    if not (minute.isdecimal() and hour.isdecimal()):
        return ""
    at = f"at {int(hour):02}:{int(minute):02}"
    if day.isdecimal() and weekday == "*":
        return f"on day {day} of every month, {at}"
    on = {"1-5": "on weekdays", **{str(number): f"every {name}" for number, name in enumerate(_DAYS)}}
    return f"{on[weekday]}, {at}" if day == "*" and weekday in on else ""


def _within_a_day(minute: str, hour: str) -> str:
    match minute, hour:
        case "*", "*":
            return "every minute"
        case "0", "*":
            return "every hour, on the hour"
        case _, "*" if minute.startswith("*/") and minute[2:].isdecimal():
            return f"every {minute[2:]} minutes"
        case _, "*" if minute.isdecimal():
            return f"every hour, {minute} minutes past"
        case _ if minute.isdecimal() and hour.isdecimal():
            return f"every day, at {int(hour):02}:{int(minute):02}"
    return ""
