"""What is said of an action on many jobs: before it, and on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from ferryman.errors import FerrymanError
from ferryman.job import FINAL, Job, JobRef, State
from ferryman.storage.filters import JobFilter

__all__ = ["Preview", "Progress", "bounded"]

_FAILED = FINAL | {State.RETRYABLE}
# SQLite rounds times to this: what has just ended may seem to end a moment later.
_ROUNDED = timedelta(milliseconds=1)


class Preview(msgspec.Struct, frozen=True):
    """How many jobs a filter means, and a few of them.  `capped` says that there are more than were counted."""

    count: int
    capped: bool
    samples: Sequence[Job]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an action on many jobs has come; `cursor` goes on from here, and is None at the end."""

    done: int = 0
    skipped: int = 0
    cursor: str | None = None
    latest: tuple[tuple[JobRef, FerrymanError], ...] = ()
    """What was skipped in the latest step, each with the reason."""

    def after(self, answers: Sequence[tuple[JobRef, Job | FerrymanError]], cursor: str | None) -> Progress:
        """Return how far it is after another step."""
        skipped = tuple((ref, answer) for ref, answer in answers if isinstance(answer, FerrymanError))
        return Progress(
            done=self.done + len(answers) - len(skipped),
            skipped=self.skipped + len(skipped),
            cursor=cursor,
            latest=skipped,
        )


def bounded(which: JobFilter, now: datetime) -> JobFilter:
    """Return the filter without what ends after this time: jobs that fail meanwhile are not swept along.

    Jobs that wait need no bound: lists begin with the newest, so what comes later comes before the first page.
    """
    if which.ended_before is None and which.states and set(which.states) <= _FAILED:
        return msgspec.structs.replace(which, ended_before=now + _ROUNDED)
    return which
