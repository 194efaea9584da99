"""A cron line → the next time.

The rules are those of the Go library that both formats use, because a line must mean
the same on both sides: spec/asynq.md 6.1, spec/river.md 14.2.  Five fields, no seconds,
Sunday is 0 and only 0; where both day fields are restricted either may match; a
wall-clock time that a clock change skips does not fire, one that it repeats fires twice.
No Python library of today agrees on all of these.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ferryman.duration import parse_go_duration
from ferryman.errors import ConfigError

__all__ = ["ZONE_PREFIXES", "Cron", "Interval", "Schedule"]

ZONE_PREFIXES = ("TZ=", "CRON_TZ=")
"""With what a line begins that says its zone itself."""

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
# No zone's clock was ever changed twice within this time, or further than this in all.
_NEAR = timedelta(days=2)
_YEARS_AHEAD = 5
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class Schedule(Protocol):
    """Whatever knows when something happens next."""

    def next(self, after: datetime) -> datetime | None:
        """Return the first time strictly after an aware time, in the same zone; None is never again."""
        ...


@dataclass(frozen=True)
class Interval:
    """A fixed time apart, counted from the last time and not from the clock; whole seconds, at least one."""

    delay: timedelta

    def __post_init__(self) -> None:
        whole = timedelta(seconds=self.delay // _SECOND)
        object.__setattr__(self, "delay", max(whole, _SECOND))

    def next(self, after: datetime) -> datetime | None:
        """Return the second in which `after` lies, plus the delay; None beyond the year 9999."""
        try:
            return (_instant(after) + self.delay).astimezone(after.tzinfo)
        except OverflowError:
            return None


@dataclass(frozen=True)
class Cron:
    """The minutes at which five fields match the clock on the wall."""

    line: str
    zone: tzinfo | None
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    @classmethod
    def parse(cls, line: str, *, tz: str = "UTC") -> Schedule:
        """Read five fields, a name such as @daily, or `@every 90s`; a prefix TZ= or CRON_TZ= wins over `tz`.

        `tz` is an IANA name, or "Local" as in Go: the zone of the time that `next` is
        given.  Raises ConfigError naming the line, the field and what is allowed
        (spec/asynq.md 6.1).
        """
        zone, body = _split_zone(line, tz)
        if body == "@every" or body.startswith("@every "):
            return _interval(line, body.removeprefix("@every").strip())
        minutes, hours, days, months, weekdays = _read_fields(line, body)
        return cls(
            line=line,
            zone=zone,
            minutes=tuple(sorted(minutes.values)),
            hours=tuple(sorted(hours.values)),
            days=days.values,
            months=months.values,
            weekdays=weekdays.values,
            either_day=not (days.unrestricted or weekdays.unrestricted),
        )

    def next(self, after: datetime) -> datetime | None:
        """Return the first matching minute strictly after an aware time, in its zone.

        None when there is none until the end of the fifth year ahead.
        """
        moment = _instant(after) + _SECOND
        zone = self.zone or after.tzinfo
        last_year = moment.astimezone(zone).year + _YEARS_AHEAD
        while True:
            here = moment.astimezone(zone).replace(tzinfo=None)
            wall = self._wall_time(here, last_year)
            if wall is None:
                return None
            # The sum is right unless the clock is changed on the way, so only a near one is looked into
            # and a far one approached.
            found = moment + (wall - here)
            seen = min(found, moment + _NEAR)
            change = _clock_change(zone, moment, seen)
            if change is None and seen == found:
                return found.astimezone(after.tzinfo)
            moment = change or found - _NEAR

    def _wall_time(self, earliest: datetime, last_year: int) -> datetime | None:
        """Return the first matching time on a clock that is never changed."""
        if earliest.second:
            earliest += timedelta(seconds=60 - earliest.second)
        for day in self._days(earliest.date(), last_year):
            found = self._time_of_day(earliest.time() if day == earliest.date() else time.min)
            if found is not None:
                return datetime.combine(day, found)
        return None

    def _days(self, day: date, last_year: int) -> Iterator[date]:
        while day.year <= last_year:
            if day.month not in self.months:
                day = (day.replace(day=1) + 31 * _DAY).replace(day=1)
                continue
            if self._matches(day):
                yield day
            day += _DAY

    def _matches(self, day: date) -> bool:
        by_date = day.day in self.days
        by_weekday = day.isoweekday() % 7 in self.weekdays
        return (by_date or by_weekday) if self.either_day else (by_date and by_weekday)

    def _time_of_day(self, earliest: time) -> time | None:
        for hour in self.hours[bisect_left(self.hours, earliest.hour) :]:
            index = bisect_left(self.minutes, earliest.minute if hour == earliest.hour else 0)
            if index < len(self.minutes):
                return time(hour, self.minutes[index])
        return None


@dataclass(frozen=True)
class _Values:
    values: frozenset[int]
    unrestricted: bool


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    allowed: str
    names: tuple[str, ...] = ()

    def values(self, text: str) -> _Values:
        """Read a list such as `1,5-10,*/15`.  Raises ValueError with half a sentence."""
        items = [self._item(item) for item in text.split(",") if item]
        values = frozenset[int]().union(*(item.values for item in items))
        return _Values(values, any(item.unrestricted for item in items))

    def _item(self, item: str) -> _Values:
        span, slash, step_text = item.partition("/")
        step = _number(step_text) if slash else 1
        if not step:
            raise ValueError(f'the step of "{item}" is not a number of 1 or more')
        if span in ("*", "?"):
            # A step of 1 leaves nothing out, so it restricts no more than the bare star does.
            return _Values(frozenset(range(self.low, self.high + 1, step)), unrestricted=step == 1)
        first, dash, last = span.partition("-")
        start = self._value(first, item)
        stop = self._value(last, item) if dash else self.high if slash else start
        if start > stop:
            raise ValueError(f'"{item}" runs backwards')
        return _Values(frozenset(range(start, stop + 1, step)), unrestricted=False)

    def _value(self, text: str, item: str) -> int:
        if text.lower() in self.names:
            return self.low + self.names.index(text.lower())
        number = _number(text)
        if number is None or not self.low <= number <= self.high:
            raise ValueError(f'there is no "{text or item}"')
        return number


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59, "0 to 59"),
    _Field("hour", 0, 23, "0 to 23"),
    _Field("day of month", 1, 31, "1 to 31"),
    _Field("month", 1, 12, "1 to 12 or jan to dec", _MONTHS),
    _Field("day of week", 0, 6, "0 to 6 or sun to sat, where Sunday is 0", _WEEKDAYS),
)


def _read_fields(line: str, body: str) -> list[_Values]:
    texts = _DESCRIPTORS.get(body, body).split()
    if body.startswith("@") and body not in _DESCRIPTORS:
        raise ConfigError(
            f'The cron line "{line}" begins with a name that does not exist. '
            f"There are {', '.join(_DESCRIPTORS)}, and @every with a duration, such as @every 90s."
        )
    if len(texts) != len(_FIELDS):
        raise ConfigError(
            f'The cron line "{line}" has {len(texts)} instead of five fields. They are '
            f'{", ".join(field.name for field in _FIELDS)}, as in "0 9 * * mon". '
            "There is no field for seconds; @every 30s may do."
        )
    return [_read_field(line, field, text) for field, text in zip(_FIELDS, texts, strict=True)]


def _read_field(line: str, field: _Field, text: str) -> _Values:
    try:
        return field.values(text)
    except ValueError as reason:
        raise ConfigError(
            f'The cron line "{line}" has the {field.name} "{text}", but {reason}. '
            f"The {field.name} takes {field.allowed}: one value, a range a-b, a step */n, a-b/n or a/n, "
            "a list of these with commas, or * for all."
        ) from None


def _number(text: str) -> int | None:
    """Read plain ASCII digits; Python's own `int` takes signs, underscores and other scripts too."""
    return int(text) if text.isascii() and text.isdigit() else None


def _interval(line: str, text: str) -> Interval:
    try:
        return Interval(parse_go_duration(text))
    except ConfigError as error:
        raise ConfigError(f'The cron line "{line}" names no usable interval. {error}') from error


def _split_zone(line: str, tz: str) -> tuple[tzinfo | None, str]:
    body = line.strip()
    if not body.startswith(ZONE_PREFIXES):
        return _zone(tz, f'The time zone of the cron line "{line}"'), body
    prefix, space, body = body.partition(" ")
    if not space:
        raise ConfigError(
            f'The cron line "{line}" ends after its time zone. '
            'A space and a schedule follow it, such as "TZ=Europe/Berlin 0 9 * * *".'
        )
    return _zone(prefix.partition("=")[2], f'The time zone in the cron line "{line}"'), body.strip()


def _zone(name: str, what: str) -> tzinfo | None:
    """Find a zone as Go does: no name is UTC, and None stands for "Local"."""
    if name in ("", "UTC"):
        return UTC
    if name == "Local":
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder's name, where tzdata is installed
        raise ConfigError(
            f'{what} is "{name}", which this machine does not know. '
            "It takes an IANA name, such as Europe/Berlin, or UTC. "
            "Where the machine has no zones at all, run: pip install tzdata"
        ) from None


def _instant(after: datetime) -> datetime:
    """Return the whole second in which an aware time lies, in UTC."""
    if after.utcoffset() is None:
        raise ConfigError(f"The time {after} has no time zone. Give one that has, such as datetime.now(UTC).")
    return after.astimezone(UTC).replace(microsecond=0)


def _clock_change(zone: tzinfo | None, start: datetime, end: datetime) -> datetime | None:
    """Return the first second up to `end` that has another offset from UTC than `start` has."""
    offset = start.astimezone(zone).utcoffset()

    def differs(seconds: int) -> bool:
        return (start + seconds * _SECOND).astimezone(zone).utcoffset() != offset

    last = (end - start) // _SECOND
    if not differs(last):
        return None
    return start + bisect_left(range(last), True, key=differs) * _SECOND
