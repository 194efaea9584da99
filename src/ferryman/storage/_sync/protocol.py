# Generated from src/ferryman/storage/_async/protocol.py by tools/unasync.py: change that file and run `make sync`.
"""The seam: what the engine, the client and the admin API ask of a storage.

It speaks in job verbs, never in SQL or Redis commands, and it includes inspection.
Every method that depends on the time takes `now`; None means the storage's own clock.
What a storage cannot do it names by a missing `Feature`, and refuses with `Unsupported`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

from ferryman.errors import FerrymanError
from ferryman.job import Inserted, Job, JobRef, NewJob, State
from ferryman.outcome import Finished
from ferryman.storage._sync.beside import Groups, Health, Notebook, Schema, Semaphores
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
    "Jobs",
    "Leaders",
    "Notices",
    "Queues",
    "Requests",
    "Storage",
    "Within",
    "Workers",
]


class Jobs(Protocol):
    """Everything that happens to jobs."""

    def insert(
        self, jobs: Sequence[NewJob], *, plans: Sequence[Plan] = (), now: datetime | None = None
    ) -> list[Inserted]:
        """Store all of these jobs or none, and answer in their order.

        `plans` are kept together with them: when the schedules that gave these jobs are due next.

        Where nobody leads, a run of a schedule (`periodic`, `tick`) that somebody has stored is a duplicate.
        Raises InvalidJob or Unsupported before anything is stored; DuplicateJob for an id that is taken.
        """
        ...

    def insert_fast(self, jobs: Sequence[NewJob], *, now: datetime | None = None) -> int:
        """Store as `insert` does, and say only how many are new."""
        ...

    def fetch(
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

    def finish(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        """Write what became of jobs, each only if it still is the same running attempt.

        Answers in their order with the state the job now has, or None where it was not ours any more.  One that is
        still running could not be written yet, because somebody else holds its row.
        """
        ...

    def wait_for(self, ref: JobRef) -> None:
        """Return when nobody else holds this job's row, where rows can be held."""
        ...

    def extend(self, refs: Sequence[JobRef], *, worker: str, now: datetime | None = None) -> None:
        """Say that these running jobs are alive, where the format has leases."""
        ...

    def promote(self, *, limit: int, now: datetime | None = None) -> int:
        """Make up to `limit` jobs available that are due, and say how many it moved."""
        ...

    def stuck(
        self, *, older_than: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        """Return running jobs not heard of for this long; `after` is the last of the page before."""
        ...

    def orphaned(
        self, *, silent_for: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        """Return running jobs that a worker of ours took which has not beaten for this long.

        Jobs of other programs' workers are never among them; none is where the format has leases.
        """
        ...

    def rescue(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        """Write what becomes of stuck jobs, each only if it still is the same attempt; answers as `finish` does."""
        ...

    def prune(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        """Delete up to `limit` finished jobs past their state's time, and say how many."""
        ...

    def prune_own(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        """Delete up to `limit` jobs past the time that they or their tasks give; slow, so not for every minute."""
        ...

    def get(self, ref: JobRef) -> Job:
        """Return one job.  Raises JobNotFound."""
        ...

    def list(
        self, which: JobFilter, *, order: JobOrder = NEWEST_FIRST, limit: int = 100, cursor: str | None = None
    ) -> Page[Job]:
        """Return jobs, the newest first or in another order.  Raises Unsupported for what the format cannot find."""
        ...

    def count(self, which: JobFilter) -> Mapping[State, int]:
        """Return how many jobs there are, by state; states without any are left out."""
        ...

    def waiting_kinds(self, queues: Sequence[str], *, limit: int = 20) -> Sequence[str]:
        """Return kinds that wait in these queues, a few of them, cheaply."""
        ...

    def asked_to_stop(self, refs: Sequence[JobRef]) -> Sequence[JobRef]:
        """Return those of these running jobs that somebody asked to stop, where the format writes that down."""
        ...

    def cancel(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        """Cancel a job that waits, or ask its worker to stop it; a finished one stays.  Raises JobNotFound."""
        ...

    def retry(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        """Make a job available now, with at least one attempt.  Raises JobNotFound, WrongState, DuplicateJob."""
        ...

    def reschedule(self, ref: JobRef, at: datetime, *, now: datetime | None = None) -> Job:
        """Let a job that waits wait until another time.  Raises JobNotFound, WrongState, DuplicateJob."""
        ...

    def discard(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        """Give up on a job that waits.  Raises JobNotFound, WrongState."""
        ...

    def delete(self, ref: JobRef) -> Job:
        """Delete a job that is not running, and return what it was.  Raises JobNotFound, WrongState."""
        ...

    def update(self, ref: JobRef, metadata: Mapping[str, bytes]) -> Job:
        """Set members of a job's metadata to these texts of JSON, whatever its state, and return it.

        Raises JobNotFound, WrongState when another change came between, Unsupported where jobs have no metadata.
        """
        ...

    def give_arguments(self, ref: JobRef, args: bytes) -> Job:
        """Give a job that waits for its time other arguments, and return it.

        Raises JobNotFound, WrongState, Unsupported where jobs keep those with which they were stored.
        """
        ...

    def act(
        self, action: Action, refs: Sequence[JobRef], *, now: datetime | None = None
    ) -> Sequence[Job | FerrymanError]:
        """Do the same with each of these jobs; answers in their order with the job, or with why nothing was done."""
        ...


class Queues(Protocol):
    """The queues."""

    def announce(self, names: Sequence[str], *, now: datetime | None = None) -> None:
        """Say that these queues are worked here."""
        ...

    def list(self) -> list[QueueInfo]:
        """Return every queue with its counts, by name."""
        ...

    def glance(self, *, cap: int, now: datetime | None = None) -> Sequence[QueueInfo]:
        """Return every queue, by name, at a cost that grows with their number and not with the ended jobs.

        Of those that ended up to `cap` are counted, in each queue and state, where counting means looking at each.
        """
        ...

    def get(self, name: str) -> QueueInfo:
        """Return one queue.  Raises QueueNotFound."""
        ...

    def details(self, name: str) -> QueueDetails:
        """Return what is known of a queue beside its counts.  Raises QueueNotFound."""
        ...

    def history(self, name: str, *, days: int, now: datetime | None = None) -> Sequence[DayCounts]:
        """Return what this queue did on each of the latest days, the latest first.  Raises QueueNotFound.

        Redis counts attempts for 90 days; a database counts the ended jobs that it still has.
        """
        ...

    def paused(self, names: Sequence[str]) -> Sequence[str]:
        """Return those of these queues that are paused."""
        ...

    def update(self, name: str, metadata: Mapping[str, Any], *, now: datetime | None = None) -> None:
        """Give a queue other metadata, and say so.  Raises QueueNotFound, Unsupported where queues have none."""
        ...

    def pause(self, name: str, *, now: datetime | None = None) -> None:
        """Let nobody take jobs from this queue, or from all ("*").  Raises QueueNotFound."""
        ...

    def resume(self, name: str, *, now: datetime | None = None) -> None:
        """Undo `pause`.  Raises QueueNotFound."""
        ...

    def delete(self, name: str) -> None:
        """Forget a queue that holds no job.  Raises QueueNotFound, WrongState."""
        ...

    def prune(self, *, older_than: timedelta, limit: int, now: datetime | None = None) -> int:
        """Forget up to `limit` queues that nobody has worked for this long, and say how many."""
        ...


class Workers(Protocol):
    """The worker processes."""

    def beat(self, worker: WorkerInfo, *, expires_in: timedelta, now: datetime | None = None) -> None:
        """Say that this worker is alive."""
        ...

    def leave(self, worker_id: str) -> None:
        """Say that this worker has ended."""
        ...

    def list(self, *, now: datetime | None = None) -> list[WorkerInfo]:
        """Return the workers that are alive."""
        ...

    def lost(self, *, now: datetime | None = None) -> Sequence[WorkerInfo]:
        """Return ferryman's workers that fell silent within the last hour without a word, the latest first."""
        ...

    def schedules(self, *, now: datetime | None = None) -> Sequence[PeriodicInfo]:
        """Return what workers and schedulers that are alive enqueue by the clock, by id."""
        ...

    def runs(self, entry: PeriodicInfo, *, limit: int) -> Sequence[PeriodicRun]:
        """Return the latest runs of a schedule, the latest first, as far as anybody still knows of them."""
        ...


class Leaders(Protocol):
    """Who does the chores that only one may do."""

    def elect(self, candidate: str, *, term: str | None, now: datetime | None = None) -> str | None:
        """Become the leader, or stay it for the `term` that an earlier call returned; None means somebody else is."""
        ...

    def resign(self, candidate: str, *, term: str) -> None:
        """Step down, so that another can take over at once."""
        ...

    def current(self, *, now: datetime | None = None) -> str | None:
        """Return which worker leads, by its id; None where none does, or where nobody has to."""
        ...

    def plans(self) -> Sequence[Plan]:
        """Return when schedules are due next, as leaders before have kept it."""
        ...

    def keep(self, plans: Sequence[Plan], *, now: datetime | None = None) -> None:
        """Keep when schedules are due next, for leaders to come."""
        ...


class Notices(Protocol):
    """Hints that save waiting for the next poll."""

    def listen(self) -> Iterator[Notice]:
        """Give notices as they come, until the iteration is closed.

        The first is `JobsAvailable()`: whatever comes after it is heard, and jobs may have come before.
        """
        ...

    def prune(self, *, now: datetime | None = None) -> int:
        """Delete old notices, where they are kept; returns how many."""
        ...

    def request_resign(self) -> None:
        """Ask the leader to step down."""
        ...


class Requests(Protocol):
    """What can be asked of other processes."""

    def request_resign(self) -> None:
        """Ask the leader to step down."""
        ...


class Within(Protocol):
    """A storage as it is seen from inside the caller's own transaction."""

    @property
    def jobs(self) -> Jobs: ...
    @property
    def queues(self) -> Queues: ...
    @property
    def notices(self) -> Requests: ...


class Storage(Protocol):
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
    def jobs(self) -> Jobs: ...
    @property
    def queues(self) -> Queues: ...
    @property
    def workers(self) -> Workers: ...
    @property
    def leaders(self) -> Leaders: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def schema(self) -> Schema: ...
    @property
    def health(self) -> Health: ...
    @property
    def notebook(self) -> Notebook: ...
    @property
    def groups(self) -> Groups | None:
        """None where the format has no groups."""
        ...

    @property
    def semaphores(self) -> Semaphores | None:
        """None where the format has no semaphores."""
        ...

    def within(self, tx: Any) -> Within:
        """Return the parts that can take part in the caller's own transaction.  Raises Unsupported.

        What is done there is seen by others, and told to them, when the transaction commits.
        """
        ...

    def twin(self) -> blocking.Storage:
        """Return the same storage for code that blocks: heartbeats must not wait for an event loop."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
