"""Failed jobs, gathered by what went wrong: a thousand jobs with one cause are one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from ferryman.fingerprint import fingerprint, outline
from ferryman.job import AttemptError, Job, JobRef, State

__all__ = ["FailedGroup", "FailedGroups", "Gathering"]

_SAMPLES = 5
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class FailedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs of one kind that failed in the same way; the numbers are of those that were looked at."""

    fingerprint: str
    kind: str
    error: str
    """With placeholders for what differs from job to job."""
    count: int
    last_hour: int
    last_day: int
    first_at: datetime
    last_at: datetime
    queues: tuple[str, ...]
    latest: tuple[JobRef, ...]
    """A few of them, the latest first."""


class FailedGroups(msgspec.Struct, frozen=True, kw_only=True):
    """Groups, the most frequent first.  `scanned` jobs of `of` were looked at."""

    groups: tuple[FailedGroup, ...]
    scanned: int
    of: int
    truncated: bool


@dataclass
class Gathering:
    """Gathers jobs into groups, one by one."""

    now: datetime
    jobs: dict[str, list[tuple[datetime, Job]]] = field(default_factory=dict)

    def add(self, job: Job) -> None:
        """Put a job to those that failed as it did."""
        error = job.error or AttemptError(job.finalized_at or self.now, job.attempt, "", "")
        ended = job.finalized_at if job.state is State.DISCARDED and job.finalized_at else error.at
        self.jobs.setdefault(fingerprint(job.kind, error), []).append((ended, job))

    def groups(self) -> tuple[FailedGroup, ...]:
        """Return the groups so far."""
        found = [self._group(name, jobs) for name, jobs in self.jobs.items()]
        return tuple(sorted(found, key=lambda group: (group.count, group.last_at), reverse=True))

    def _group(self, name: str, jobs: list[tuple[datetime, Job]]) -> FailedGroup:
        times = [at for at, _ in jobs]
        latest = sorted(jobs, key=lambda each: each[0], reverse=True)
        job = latest[0][1]
        counts: Mapping[timedelta, int] = {span: sum(self.now - at <= span for at in times) for span in (_HOUR, _DAY)}
        return FailedGroup(
            fingerprint=name,
            kind=job.kind,
            error=outline(job.error.error) if job.error else "",
            count=len(jobs),
            last_hour=counts[_HOUR],
            last_day=counts[_DAY],
            first_at=min(times),
            last_at=max(times),
            queues=tuple(sorted({each.queue for _, each in jobs})),
            latest=tuple(each.ref for _, each in latest[:_SAMPLES]),
        )
