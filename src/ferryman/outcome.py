"""What became of an attempt, as a value; and what a task raises to ask for one.

The executor turns whatever a task did into one `Outcome`, the completer writes it,
and nothing in between decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from ferryman.duration import parse_duration
from ferryman.job import AttemptError, Job

__all__ = [
    "Cancel",
    "Cancelled",
    "Completed",
    "Discard",
    "Discarded",
    "Finished",
    "Outcome",
    "Released",
    "Retry",
    "RetryIn",
    "Revoke",
    "Revoked",
    "Snooze",
    "Snoozed",
    "Uncounted",
    "Verdict",
]


class Completed(msgspec.Struct, frozen=True):
    """It worked.  `result` is the encoded return value, or None when there was none."""

    result: bytes | None = None


class Retry(msgspec.Struct, frozen=True):
    """It failed and is tried again at `at`."""

    at: datetime
    error: AttemptError


class Uncounted(Retry, frozen=True):
    """It failed of something that is no failure of the job's: it is tried again, and the attempt does not count."""


class Snoozed(msgspec.Struct, frozen=True):
    """It asked to be run later; the attempt does not count."""

    until: datetime


class Cancelled(msgspec.Struct, frozen=True):
    """It was cancelled, by itself or from outside; it is not tried again."""

    error: AttemptError


class Revoked(Cancelled, frozen=True):
    """It was cancelled by itself, and nothing of it is to be kept where the format would count it among the failed."""


class Discarded(msgspec.Struct, frozen=True):
    """It gave up: out of attempts, or trying again cannot help."""

    error: AttemptError


class Released(msgspec.Struct, frozen=True):
    """The worker stopped before it was done; the attempt does not count."""


Outcome = Completed | Retry | Snoozed | Cancelled | Discarded | Released


class Finished(msgspec.Struct, frozen=True):
    """A job together with what became of it.

    `output` is what the task recorded on the way, `metadata` what else it noted, by name; all of it encoded.
    `early` says that the task completed the job by itself, in a transaction that may have been committed.
    """

    job: Job
    outcome: Outcome
    output: bytes | None = None
    metadata: Mapping[str, bytes] = {}
    early: bool = False


class Verdict(Exception):
    """What a task raises to say how it ends; see Snooze, Cancel, Revoke and Discard."""


class Snooze(Verdict):
    """Run me again after this long; this attempt does not count.  Takes a timedelta, seconds, or "10m"."""

    def __init__(self, delay: timedelta | float | str) -> None:
        self.delay = parse_duration(delay)
        super().__init__(f"snoozed for {delay}")

    def __reduce__(self) -> tuple[type[Snooze], tuple[timedelta]]:
        return Snooze, (self.delay,)  # an exception is put together from its message, which is no duration


class RetryIn(Exception):
    """This attempt failed: try again after this long instead of when the curve says, while attempts are left.

    Takes what `Snooze` takes, and why.  Raised `from` another error, it is that error which is kept.  It is no
    verdict: whoever reports errors reports it too.
    """

    def __init__(self, delay: timedelta | float | str, why: str = "the task asked to be tried again") -> None:
        self.delay = parse_duration(delay)
        super().__init__(why)

    def __reduce__(self) -> tuple[type[RetryIn], tuple[timedelta, str]]:
        return RetryIn, (self.delay, str(self))


class Cancel(Verdict):
    """Stop here: the work is no longer wanted.  Not retried; the job ends as cancelled."""

    def __init__(self, why: str = "cancelled by the task") -> None:
        super().__init__(why)


class Revoke(Cancel):
    """Stop here, and leave nothing behind among the failed jobs.

    asynq has no state for cancelled jobs: one that raises `Cancel` is put aside with those that failed, one that
    raises this is deleted and counted as worked, as Go's RevokeTask does.  River's formats keep both as cancelled.
    """

    def __init__(self, why: str = "revoked by the task") -> None:
        super().__init__(why)


class Discard(Verdict):
    """Give up now: trying again cannot help.  The job ends as discarded, whatever attempts are left."""

    def __init__(self, why: str = "discarded by the task") -> None:
        super().__init__(why)
