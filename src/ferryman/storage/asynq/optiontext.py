"""A periodic task's options in words, as asynq's scheduler leaves them for its tools (spec/asynq.md 5.3).

Each is a name with a value in parentheses, in Go's notation.  Go's inspector cuts a text
at its first parenthesis and crashes where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ferryman import gojson
from ferryman.job import NewJob
from ferryman.storage.asynq.newtasks import stored_headers, stored_retention, stored_timeout

__all__ = ["option_text", "option_texts"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ESCAPES = {
    '"': r"\"",
    "\\": r"\\",
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
}


def option_texts(job: NewJob) -> tuple[str, ...]:
    """Write what was said about a job, the queue always, as its message will have it."""
    return tuple(option_text(name, value) for name, value in _said(job))


def option_text(name: str, value: str | int | timedelta | datetime | tuple[str, str]) -> str:
    """Write one option: `Queue("low")`, `MaxRetry(3)`, `Timeout(1m30s)`, `Header(["k","v"])`."""
    match value:
        case str():
            return f"{name}({_quoted(value)})"
        case timedelta():
            return f"{name}({_duration(value)})"
        case datetime():
            return f"{name}({_date(value)})"
        case tuple():
            return f"{name}({gojson.encode(value).decode()})"
    return f"{name}({value})"


def _said(job: NewJob) -> Iterator[tuple[str, str | int | timedelta | datetime | tuple[str, str]]]:
    yield "Queue", job.queue
    if job.max_attempts is not None:
        yield "MaxRetry", job.max_attempts - 1
    if job.id is not None:
        yield "TaskID", job.id
    if job.timeout is not None:
        yield "Timeout", timedelta(seconds=stored_timeout(job))
    if job.deadline is not None:
        yield "Deadline", job.deadline
    if job.unique is not None and job.unique.by_period is not None:
        yield "Unique", job.unique.by_period
    if job.retention is not None:
        yield "Retention", timedelta(seconds=stored_retention(job))
    if job.group is not None:
        yield "Group", job.group
    for header in stored_headers(job).items():
        yield "Header", header


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _duration(length: timedelta) -> str:
    """Write hours, minutes and seconds, or less than a second in its own unit: 1h0m0s, 1m30s, 1.5s, 999ms."""
    if not length:
        return "0s"
    if length < timedelta(seconds=1):
        size, unit = (1_000, "ms") if length >= timedelta(milliseconds=1) else (1, "µs")
        return f"{_shortest(length.microseconds / size)}{unit}"
    minutes, rest = divmod(length, timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    text = f"{_shortest(rest.total_seconds())}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def _shortest(number: float) -> str:
    return f"{number:f}".rstrip("0").rstrip(".")


def _date(at: datetime) -> str:
    """Write a time in UTC: Tue Nov 14 22:13:20 UTC 2023.  Never with strftime, whose names depend on the locale."""
    at = at.astimezone(UTC)
    clock = at.time().isoformat("seconds")
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:2} {clock} UTC {at.year:04}"
