"""What is asked of a storage about jobs: to store and take them, to write what became of them, to look and to act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ferryman.errors import FerrymanError
from ferryman.job import Inserted, Job, JobRef, NewJob, State
from ferryman.outcome import Finished
from ferryman.storage.filters import NEWEST_FIRST, JobFilter, JobOrder, Page
from ferryman.storage.values import Action, Plan, Retention

__all__ = ["AsyncJobs"]


class AsyncJobs(Protocol):
    """Everything that happens to jobs."""

    async def insert(
        self, jobs: Sequence[NewJob], *, plans: Sequence[Plan] = (), now: datetime | None = None
    ) -> list[Inserted]:
        """Store all of these jobs or none, and answer in their order.

        `plans` are kept together with them: when the schedules that gave these jobs are due next.

        Where nobody leads, a run of a schedule (`periodic`, `tick`) that somebody has stored is a duplicate.
        Raises InvalidJob or Unsupported before anything is stored; DuplicateJob for an id that is taken.
        """
        ...

    async def insert_fast(self, jobs: Sequence[NewJob], *, now: datetime | None = None) -> int:
        """Store as `insert` does, and say only how many are new."""
        ...

    async def fetch(
        self,
        wanted: Sequence[tuple[str, int]],
        *,
        limit: int,
        kinds: frozenset[str] | None,
        worker: str,
        now: datetime | None = None,
    ) -> list[Job]:
        """Take up to `limit` jobs that are ready: from each queue in order, at most its own number.

        They are this worker's alone when it returns.  Paused queues give nothing.  Only
        `kinds` are taken, or any when it is None, where the format allows to choose.
        """
        ...

    async def finish(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        """Write what became of jobs, each only if it still is the same running attempt.

        Answers in their order with the state the job now has, or None where it was not ours any more.  One that is
        still running could not be written yet, because somebody else holds its row.
        """
        ...

    async def wait_for(self, ref: JobRef) -> None:
        """Return when nobody else holds this job's row, where rows can be held."""
        ...

    async def extend(self, refs: Sequence[JobRef], *, worker: str, now: datetime | None = None) -> None:
        """Say that these running jobs are alive, where the format has leases."""
        ...

    async def promote(self, *, limit: int, now: datetime | None = None) -> int:
        """Make up to `limit` jobs available that are due, and say how many it moved."""
        ...

    async def stuck(
        self, *, older_than: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        """Return running jobs not heard of for this long; `after` is the last of the page before."""
        ...

    async def orphaned(
        self, *, silent_for: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        """Return running jobs that a worker of ours took which has not beaten for this long.

        Jobs of other programs' workers are never among them; none is where the format has leases.
        """
        ...

    async def rescue(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        """Write what becomes of stuck jobs, each only if it still is the same attempt; answers as `finish` does."""
        ...

    async def prune(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        """Delete up to `limit` finished jobs past their state's time, and say how many."""
        ...

    async def prune_own(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        """Delete up to `limit` jobs past the time that they or their tasks give; slow, so not for every minute."""
        ...

    async def get(self, ref: JobRef) -> Job:
        """Return one job.  Raises JobNotFound."""
        ...

    async def list(
        self, which: JobFilter, *, order: JobOrder = NEWEST_FIRST, limit: int = 100, cursor: str | None = None
    ) -> Page[Job]:
        """Return jobs, the newest first or in another order.  Raises Unsupported for what the format cannot find."""
        ...

    async def count(self, which: JobFilter) -> Mapping[State, int]:
        """Return how many jobs there are, by state; states without any are left out."""
        ...

    async def waiting_kinds(self, queues: Sequence[str], *, limit: int = 20) -> Sequence[str]:
        """Return kinds that wait in these queues, a few of them, cheaply."""
        ...

    async def asked_to_stop(self, refs: Sequence[JobRef]) -> Sequence[JobRef]:
        """Return those of these running jobs that somebody asked to stop, where the format writes that down."""
        ...

    async def cancel(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        """Cancel a job that waits, or ask its worker to stop it; a finished one stays.  Raises JobNotFound."""
        ...

    async def retry(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        """Make a job available now, with at least one attempt.  Raises JobNotFound, WrongState, DuplicateJob."""
        ...

    async def reschedule(self, ref: JobRef, at: datetime, *, now: datetime | None = None) -> Job:
        """Let a job that waits wait until another time.  Raises JobNotFound, WrongState, DuplicateJob."""
        ...

    async def discard(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        """Give up on a job that waits.  Raises JobNotFound, WrongState."""
        ...

    async def delete(self, ref: JobRef) -> Job:
        """Delete a job that is not running, and return what it was.  Raises JobNotFound, WrongState."""
        ...

    async def update(self, ref: JobRef, metadata: Mapping[str, bytes]) -> Job:
        """Set members of a job's metadata to these texts of JSON, whatever its state, and return it.

        Raises JobNotFound, WrongState when another change came between, Unsupported where jobs have no metadata.
        """
        ...

    async def give_arguments(self, ref: JobRef, args: bytes) -> Job:
        """Give a job that waits for its time other arguments, and return it.

        Raises JobNotFound, WrongState, Unsupported where jobs keep those with which they were stored.
        """
        ...

    async def act(
        self, action: Action, refs: Sequence[JobRef], *, now: datetime | None = None
    ) -> Sequence[Job | FerrymanError]:
        """Do the same with each of these jobs; answers in their order with the job, or with why nothing was done."""
        ...
