"""asynq's times: whole seconds everywhere, nanoseconds in one field (spec/asynq.md 0).

What is finer than a second is cut, never rounded: a score that is a second late would
keep a task waiting that Go takes for due.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["EPOCH", "moment", "moment_ns", "nanoseconds", "seconds"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND


def seconds(at: datetime) -> int:
    """Return the Unix time in whole seconds: every score, deadline and time in a message."""
    return (at - EPOCH) // _SECOND


def nanoseconds(at: datetime) -> int:
    """Return the Unix time in nanoseconds: the hash field `pending_since`."""
    return (at - EPOCH) // _MICROSECOND * 1_000


def moment(seconds: float) -> datetime:
    """Return the time of so many Unix seconds, or the first or last that Python knows when it is beyond."""
    return EPOCH + timedelta(microseconds=int(min(max(seconds * 1_000_000, _FIRST), _LAST)))


def moment_ns(nanoseconds: int) -> datetime:
    """Return the time of so many Unix nanoseconds, cut to microseconds; beyond Python's times as `moment`."""
    return EPOCH + timedelta(microseconds=min(max(nanoseconds // 1_000, _FIRST), _LAST))
