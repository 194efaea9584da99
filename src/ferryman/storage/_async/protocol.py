"""The seam: what the engine, the client and the admin API ask of a storage.

It speaks in job verbs, never in SQL or Redis commands, and it includes inspection.
Every method that depends on the time takes `now`; None means the storage's own clock.
What a storage cannot do it names by a missing `Feature`, and refuses with `Unsupported`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

from ferryman.errors import FerrymanError
from ferryman.job import Inserted, Job, JobRef, NewJob, State
from ferryman.outcome import Finished
from ferryman.storage._async.beside import AsyncGroups, AsyncHealth, AsyncNotebook, AsyncSchema, AsyncSemaphores
from ferryman.storage.values import (
    NEWEST_FIRST,
    Action,
    DayCounts,
    Feature,
    JobFilter,
    JobOrder,
    Notice,
    Page,
    PeriodicInfo,
    PeriodicRun,
    Plan,
    QueueDetails,
    QueueInfo,
    Retention,
    Wording,
    WorkerInfo,
)

if TYPE_CHECKING:
    from ferryman.storage._sync import protocol as blocking

__all__ = [
    "AsyncJobs",
    "AsyncLeaders",
    "AsyncNotices",
    "AsyncQueues",
    "AsyncRequests",
    "AsyncStorage",
    "AsyncWithin",
    "AsyncWorkers",
]


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


class AsyncQueues(Protocol):
    """The queues."""

    async def announce(self, names: Sequence[str], *, now: datetime | None = None) -> None:
        """Say that these queues are worked here."""
        ...

    async def list(self) -> list[QueueInfo]:
        """Return every queue with its counts, by name."""
        ...

    async def glance(self, *, cap: int, now: datetime | None = None) -> Sequence[QueueInfo]:
        """Return every queue, by name, at a cost that grows with their number and not with the ended jobs.

        Of those that ended up to `cap` are counted, in each queue and state, where counting means looking at each.
        """
        ...

    async def get(self, name: str) -> QueueInfo:
        """Return one queue.  Raises QueueNotFound."""
        ...

    async def details(self, name: str) -> QueueDetails:
        """Return what is known of a queue beside its counts.  Raises QueueNotFound."""
        ...

    async def history(self, name: str, *, days: int, now: datetime | None = None) -> Sequence[DayCounts]:
        """Return what this queue did on each of the latest days, the latest first.  Raises QueueNotFound.

        Redis counts attempts for 90 days; a database counts the ended jobs that it still has.
        """
        ...

    async def paused(self, names: Sequence[str]) -> Sequence[str]:
        """Return those of these queues that are paused."""
        ...

    async def update(self, name: str, metadata: Mapping[str, Any], *, now: datetime | None = None) -> None:
        """Give a queue other metadata, and say so.  Raises QueueNotFound, Unsupported where queues have none."""
        ...

    async def pause(self, name: str, *, now: datetime | None = None) -> None:
        """Let nobody take jobs from this queue, or from all ("*").  Raises QueueNotFound."""
        ...

    async def resume(self, name: str, *, now: datetime | None = None) -> None:
        """Undo `pause`.  Raises QueueNotFound."""
        ...

    async def delete(self, name: str) -> None:
        """Forget a queue that holds no job.  Raises QueueNotFound, WrongState."""
        ...

    async def prune(self, *, older_than: timedelta, limit: int, now: datetime | None = None) -> int:
        """Forget up to `limit` queues that nobody has worked for this long, and say how many."""
        ...


class AsyncWorkers(Protocol):
    """The worker processes."""

    async def beat(self, worker: WorkerInfo, *, expires_in: timedelta, now: datetime | None = None) -> None:
        """Say that this worker is alive."""
        ...

    async def leave(self, worker_id: str) -> None:
        """Say that this worker has ended."""
        ...

    async def list(self, *, now: datetime | None = None) -> list[WorkerInfo]:
        """Return the workers that are alive."""
        ...

    async def lost(self, *, now: datetime | None = None) -> Sequence[WorkerInfo]:
        """Return ferryman's workers that fell silent within the last hour without a word, the latest first."""
        ...

    async def schedules(self, *, now: datetime | None = None) -> Sequence[PeriodicInfo]:
        """Return what workers and schedulers that are alive enqueue by the clock, by id."""
        ...

    async def runs(self, entry: PeriodicInfo, *, limit: int) -> Sequence[PeriodicRun]:
        """Return the latest runs of a schedule, the latest first, as far as anybody still knows of them."""
        ...


class AsyncLeaders(Protocol):
    """Who does the chores that only one may do."""

    async def elect(self, candidate: str, *, term: str | None, now: datetime | None = None) -> str | None:
        """Become the leader, or stay it for the `term` that an earlier call returned; None means somebody else is."""
        ...

    async def resign(self, candidate: str, *, term: str) -> None:
        """Step down, so that another can take over at once."""
        ...

    async def current(self, *, now: datetime | None = None) -> str | None:
        """Return which worker leads, by its id; None where none does, or where nobody has to."""
        ...

    async def plans(self) -> Sequence[Plan]:
        """Return when schedules are due next, as leaders before have kept it."""
        ...

    async def keep(self, plans: Sequence[Plan], *, now: datetime | None = None) -> None:
        """Keep when schedules are due next, for leaders to come."""
        ...


class AsyncNotices(Protocol):
    """Hints that save waiting for the next poll."""

    def listen(self) -> AsyncIterator[Notice]:
        """Give notices as they come, until the iteration is closed.

        The first is `JobsAvailable()`: whatever comes after it is heard, and jobs may have come before.
        """
        ...

    async def prune(self, *, now: datetime | None = None) -> int:
        """Delete old notices, where they are kept; returns how many."""
        ...

    async def request_resign(self) -> None:
        """Ask the leader to step down."""
        ...


class AsyncRequests(Protocol):
    """What can be asked of other processes."""

    async def request_resign(self) -> None:
        """Ask the leader to step down."""
        ...


class AsyncWithin(Protocol):
    """A storage as it is seen from inside the caller's own transaction."""

    @property
    def jobs(self) -> AsyncJobs: ...
    @property
    def queues(self) -> AsyncQueues: ...
    @property
    def notices(self) -> AsyncRequests: ...


class AsyncStorage(Protocol):
    """A place where jobs are kept, in eight parts, and groups and semaphores where the format has them."""

    format: str
    """Whose format its jobs have, in words."""
    features: frozenset[Feature]
    location: str
    """Where it is, without a password."""
    wording: Wording
    fetches_ahead: bool
    """Whether it is worth asking for the next jobs while the last ones begin."""
    fetch_promotes: bool
    """Whether a fetch also makes due jobs of its queues available, so that `promote` is seldom needed."""

    @property
    def jobs(self) -> AsyncJobs: ...
    @property
    def queues(self) -> AsyncQueues: ...
    @property
    def workers(self) -> AsyncWorkers: ...
    @property
    def leaders(self) -> AsyncLeaders: ...
    @property
    def notices(self) -> AsyncNotices: ...
    @property
    def schema(self) -> AsyncSchema: ...
    @property
    def health(self) -> AsyncHealth: ...
    @property
    def notebook(self) -> AsyncNotebook: ...
    @property
    def groups(self) -> AsyncGroups | None:
        """None where the format has no groups."""
        ...

    @property
    def semaphores(self) -> AsyncSemaphores | None:
        """None where the format has no semaphores."""
        ...

    def within(self, tx: Any) -> AsyncWithin:
        """Return the parts that can take part in the caller's own transaction.  Raises Unsupported.

        What is done there is seen by others, and told to them, when the transaction commits.
        """
        ...

    def twin(self) -> blocking.Storage:
        """Return the same storage for code that blocks: heartbeats must not wait for an event loop."""
        ...

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc: object) -> None: ...
