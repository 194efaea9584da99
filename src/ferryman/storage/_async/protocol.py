"""The seam: what the engine, the client and the admin API ask of a storage.

It speaks in job verbs, never in SQL or Redis commands, and it includes inspection.
Every method that depends on the time takes `now`; None means the storage's own clock.
What a storage cannot do it names by a missing `Feature`, and refuses with `Unsupported`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

from ferryman.storage._async.beside import AsyncGroups, AsyncHealth, AsyncNotebook, AsyncSchema, AsyncSemaphores
from ferryman.storage._async.jobs import AsyncJobs
from ferryman.storage.infos import DayCounts, PeriodicInfo, PeriodicRun, QueueDetails, QueueInfo, WorkerInfo
from ferryman.storage.values import Feature, Notice, Plan, Wording

if TYPE_CHECKING:
    from ferryman.storage._sync import protocol as blocking

__all__ = [
    "AsyncLeaders",
    "AsyncNotices",
    "AsyncQueues",
    "AsyncRequests",
    "AsyncStorage",
    "AsyncWithin",
    "AsyncWorkers",
]


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
