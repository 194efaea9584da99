"""When to try again.

The curve is River's for every storage unless a task brings its own (design.md 1.5):
failures to the fourth power in seconds, give or take a tenth.  Only failures count, so
that a snooze does not lengthen it (spec/river.md 5.3).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from ferryman.duration import parse_duration
from ferryman.job import Job

__all__ = ["Backoff", "IsFailure", "RetryCurve", "always", "exponential", "fixed", "next_attempt", "river"]

# River computes in nanoseconds of 64 bits; from 310 errors on the delay is just that maximum (0.49).
_LONGEST_SECONDS = (2**63 - 1) / 1e9
_CAPPED_FROM = 310
_END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)


class RetryCurve(Protocol):
    """How long to wait after `failures` failed attempts, the latest included."""

    def __call__(self, failures: int) -> timedelta: ...


Backoff = RetryCurve | timedelta | float | str
"""What a task's `backoff` takes: a curve, or one duration for every retry."""


IsFailure = Callable[[BaseException], bool]
"""Says of what a task raised whether it is a failure: an attempt that ended otherwise is repeated and not counted."""


def always(error: BaseException) -> bool:
    """Take everything for a failure."""
    return True


def river(failures: int) -> timedelta:
    """Return River's delay: failures⁴ seconds ± 10 %, capped at 2⁶³ − 1 ns (spec/river-conformance.md 6.3)."""
    if failures >= _CAPPED_FROM:
        return timedelta(seconds=_LONGEST_SECONDS)
    return timedelta(seconds=min(failures**4 * random.uniform(0.9, 1.1), _LONGEST_SECONDS))


def exponential(
    first: timedelta | float | str = "15s", *, factor: float = 2.0, longest: timedelta | float | str = "1h"
) -> RetryCurve:
    """Make a curve that starts at `first` and grows by `factor` up to `longest`, ± 10 %."""
    start, limit = parse_duration(first).total_seconds(), parse_duration(longest).total_seconds()

    def curve(failures: int) -> timedelta:
        # The exponent is bounded before the power is taken: a float overflows near 2**1024.
        seconds = min(start * factor ** min(failures - 1, 64), limit)
        return timedelta(seconds=seconds * random.uniform(0.9, 1.1))

    return curve


def fixed(delay: timedelta | float | str) -> RetryCurve:
    """Make a curve that always waits this long."""
    wait = parse_duration(delay)
    return lambda failures: wait


def curve_of(backoff: Backoff) -> RetryCurve:
    """Return the curve that a task's `backoff` means."""
    return fixed(backoff) if isinstance(backoff, timedelta | float | int | str) else backoff


def next_attempt(job: Job, curve: RetryCurve, now: datetime) -> datetime:
    """Return when to try this job again after one more failure."""
    delay = curve(job.failures + 1)
    return now + delay if delay < _END_OF_TIME - now else _END_OF_TIME
