"""The attempts of a job, as far as its format keeps them.

River keeps every failure.  asynq keeps the latest, and how many there were; our workers note the others beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from ferryman.job import Job, JobRef, State

__all__ = ["Attempt", "attempts", "ran_by"]

_NOT_FAILED = (State.RUNNING, State.COMPLETED, State.CANCELLED)


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt: `outcome` is `failed`, or the state of the job that it runs or has ended."""

    ref: JobRef
    attempt: int
    outcome: str
    at: datetime | None
    """When it ended; of one that runs or failed when it began, on Redis when it failed: so the formats keep it."""
    worker: str
    """Empty where that is not kept."""
    error: str = ""
    trace: str = ""


def attempts(job: Job) -> Iterator[Attempt]:
    """Yield the attempts that are known, the first one first."""
    for error in job.errors:
        yield Attempt(
            ref=job.ref,
            attempt=error.attempt,
            outcome="failed",
            at=error.at,
            worker=error.worker or ran_by(job, error.attempt),
            error=error.error,
            trace=error.trace,
        )
    failed = job.error.attempt if job.error else 0
    if job.state in _NOT_FAILED and job.attempt > failed:
        yield Attempt(
            ref=job.ref,
            attempt=job.attempt,
            outcome=job.state.value,
            at=job.attempted_at if job.state is State.RUNNING else job.finalized_at,
            worker=ran_by(job, job.attempt),
        )


def ran_by(job: Job, attempt: int) -> str:
    """Return which worker ran an attempt; empty where that is not kept."""
    # Counted from the end: River forgets the first of very many, and asynq knows only who runs it now.
    place = len(job.attempted_by) - 1 - (job.attempt - attempt)
    return job.attempted_by[place] if 0 <= place < len(job.attempted_by) else ""
