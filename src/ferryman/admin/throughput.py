"""How much was worked in a while, how fast, and how much of it failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from ferryman.admin.series import Point, Series
from ferryman.job import Job, State

__all__ = ["ENDED", "Throughput", "Throughputs", "Weighing", "throughputs_of"]

ENDED = (State.COMPLETED, State.CANCELLED, State.DISCARDED, State.RETRYABLE)
"""The states of jobs whose latest attempt has ended."""
_FAILED = (State.DISCARDED, State.RETRYABLE)


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the jobs of one kind or queue; times are in seconds, None where nobody wrote them down."""

    name: str
    ended: int
    failed: int
    cancelled: int
    per_minute: float
    p50: float | None
    p95: float | None
    wait_p50: float | None = None
    """How long jobs waited for their first attempt."""
    wait_p95: float | None = None


class Throughputs(msgspec.Struct, frozen=True, kw_only=True):
    """The busiest first.  `scanned` jobs were looked at, the latest; with `truncated` there are more."""

    rows: tuple[Throughput, ...]
    window: float
    """The seconds that they are about: since the earliest job that was looked at, when there are more."""
    scanned: int
    truncated: bool


def throughputs_of(series: Series) -> Throughputs:
    """Return what workers counted, as a line for each kind or queue; steps that nobody counted are left out."""
    known = max((sum(point is not None for point in line.points) for line in series.lines), default=0)
    window = max(known * series.step.total_seconds(), 1.0)
    rows = tuple(_row(line.name, line.total, window) for line in series.lines if line.total.attempts)
    return Throughputs(rows=rows, window=window, scanned=sum(row.ended for row in rows), truncated=False)


def _row(name: str, total: Point, window: float) -> Throughput:
    return Throughput(
        name=name,
        ended=total.attempts,
        failed=total.error + total.gave_up,
        cancelled=total.cancelled,
        per_minute=round(total.attempts * 60 / window, 2),
        p50=total.run_p50,
        p95=total.run_p95,
        wait_p50=total.wait_p50,
        wait_p95=total.wait_p95,
    )


@dataclass
class Weighing:
    """Takes in jobs whose latest attempt ended after `since`, one by one."""

    by: Literal["kind", "queue"]
    since: datetime
    now: datetime
    jobs: dict[str, list[Job]] = field(default_factory=dict)

    def add(self, job: Job) -> None:
        """Take in a job."""
        self.jobs.setdefault(job.kind if self.by == "kind" else job.queue, []).append(job)

    def result(self, *, truncated: bool) -> Throughputs:
        """Return what was found."""
        everything = [job for jobs in self.jobs.values() for job in jobs]
        first = min(map(self._ended_at, everything), default=self.since) if truncated else self.since
        window = max((self.now - first).total_seconds(), 1.0)
        rows = [_weigh(name, jobs, window) for name, jobs in self.jobs.items()]
        rows.sort(key=lambda row: (-row.ended, row.name))
        return Throughputs(rows=tuple(rows), window=window, scanned=len(everything), truncated=truncated)

    def _ended_at(self, job: Job) -> datetime:
        return job.finalized_at or (job.error.at if job.error else job.attempted_at or self.now)


def _weigh(name: str, jobs: Sequence[Job], window: float) -> Throughput:
    took = sorted(seconds for job in jobs if (seconds := _took(job)) is not None)
    return Throughput(
        name=name,
        ended=len(jobs),
        failed=sum(job.state in _FAILED for job in jobs),
        cancelled=sum(job.state is State.CANCELLED for job in jobs),
        per_minute=round(len(jobs) * 60 / window, 2),
        p50=_percentile(took, 50),
        p95=_percentile(took, 95),
    )


def _took(job: Job) -> float | None:
    """Return how long the attempt took that ended the job."""
    if job.attempted_at is None or job.finalized_at is None or job.state is State.CANCELLED:
        return None
    return max((job.finalized_at - job.attempted_at) / timedelta(seconds=1), 0.0)


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Return the smallest value that so many of a hundred do not exceed."""
    return ordered[max(-(-len(ordered) * percent // 100) - 1, 0)] if ordered else None
