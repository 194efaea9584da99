"""Everything worth knowing, as it happens.

Watching cannot change anything: a subscriber that fails is itself an event.  An event
that nobody watches costs an `if` (`bus.wants(JobStarted)`), so the hot path can afford
to tell everything.  Tests wait on the same events.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from ferryman.findings import Finding
from ferryman.job import Job, JobRef, State
from ferryman.outcome import Outcome

__all__ = [
    "Acted",
    "CodeChanged",
    "Event",
    "EventBus",
    "GroupCombined",
    "IndexRebuilt",
    "IndexSkipped",
    "JobEnqueued",
    "JobFinished",
    "JobStarted",
    "JobStuck",
    "JobsCleaned",
    "JobsFetched",
    "JobsRescued",
    "JobsScheduled",
    "LeaderChanged",
    "Listening",
    "LoopBlocked",
    "OutboxRefused",
    "OutboxSent",
    "ProblemFound",
    "ProcessEnded",
    "ProcessStarted",
    "QueuePaused",
    "QueueResumed",
    "ResultDropped",
    "ServiceBack",
    "ServiceFailed",
    "StorageAnswered",
    "StorageBack",
    "StorageLost",
    "SubscriberFailed",
    "UnknownKinds",
    "WorkerQuiet",
    "WorkerStarted",
    "WorkerStopped",
    "WorkerStopping",
]


class Event(msgspec.Struct, frozen=True):
    """Something that happened."""


class JobEnqueued(Event, frozen=True):
    """A job was stored, or a unique one was already there."""

    ref: JobRef
    kind: str
    queue: str
    duplicate: bool


class JobsFetched(Event, frozen=True):
    """The worker took jobs."""

    count: int


class JobStarted(Event, frozen=True):
    """A job's function is about to be called."""

    job: Job


class JobFinished(Event, frozen=True):
    """What became of a job is written.  `state` is what the storage says: None when the job was no longer ours.

    It is told of a job whose worker died too, by the worker that took it back; `seconds` is
    0 where nobody knows when the attempt began.
    """

    job: Job
    outcome: Outcome
    state: State | None
    seconds: float


class JobStuck(Event, frozen=True):
    """A job ran out of time and goes on all the same, in a thread or deaf to being stopped: it keeps its slot."""

    job: Job
    timeout: float


class ResultDropped(Event, frozen=True):
    """A job completed, but JSON cannot carry what its function returned."""

    job: Job
    why: str


class UnknownKinds(Event, frozen=True):
    """Jobs wait in this worker's queues, of kinds that it has no task for."""

    kinds: tuple[str, ...]


class JobsScheduled(Event, frozen=True):
    """Jobs that were due became available."""

    count: int


class JobsRescued(Event, frozen=True):
    """Jobs whose worker died were taken back."""

    count: int


class JobsCleaned(Event, frozen=True):
    """Finished jobs past their retention were deleted."""

    count: int


class IndexRebuilt(Event, frozen=True):
    """The leader built an index anew."""

    name: str
    seconds: float


class IndexSkipped(Event, frozen=True):
    """The leader was to build an index anew and did not; `why` says what stood in the way."""

    name: str
    why: str


class GroupCombined(Event, frozen=True):
    """The jobs of a group were made into one."""

    group: str
    count: int
    ref: JobRef


class WorkerStarted(Event, frozen=True):
    """The worker is ready to take jobs."""

    id: str
    queues: tuple[str, ...]
    kinds: tuple[str, ...]
    concurrency: int
    storage: str
    origin: str = ""
    """Where the storage's URL was written."""
    storage_name: str = ""
    """What the settings file calls the storage, if it does."""


class WorkerQuiet(Event, frozen=True):
    """The worker takes no more jobs, but stays.  `why` names a signal, or is empty."""

    running: int
    why: str


class WorkerStopping(Event, frozen=True):
    """The worker takes no more jobs and waits for the running ones.  `why` names a signal, or is empty."""

    running: int
    why: str


class WorkerStopped(Event, frozen=True):
    """The worker has ended, `error` says why if nobody asked it to.

    `released` jobs went back unfinished; `unwritten` ended, but the storage did not answer
    any more: they count as running until they are rescued.
    """

    released: int
    unwritten: int = 0
    error: BaseException | None = None


class QueuePaused(Event, frozen=True):
    """A queue that this worker works was paused: it gives no more jobs."""

    queue: str


class QueueResumed(Event, frozen=True):
    """A queue that this worker works gives jobs again."""

    queue: str


class Listening(Event, frozen=True):
    """How this worker hears of new jobs; `lacking` says why it is no better, if it could be."""

    by: str
    lacking: str


class LeaderChanged(Event, frozen=True):
    """This worker became the leader, or no longer is."""

    leading: bool


class ProcessStarted(Event, frozen=True):
    """A supervisor started a worker process, the `number`th of several that run side by side."""

    number: int
    pid: int


class ProcessEnded(Event, frozen=True):
    """A worker process ended that nobody had told to.  `again_in` seconds another follows; None: not by itself."""

    number: int
    pid: int
    exit_code: int
    again_in: float | None


class CodeChanged(Event, frozen=True):
    """Files of the program changed, so its worker is started anew."""

    files: tuple[str, ...]


class ServiceFailed(Event, frozen=True):
    """A service failed; it is tried again and again, and more is said only when it works or fails in another way."""

    service: str
    error: BaseException


class ServiceBack(Event, frozen=True):
    """A service that failed works again."""

    service: str


class StorageLost(Event, frozen=True):
    """The storage does not answer; outcomes are kept and written when it does."""

    error: BaseException


class StorageBack(Event, frozen=True):
    """The storage answers again."""

    since: datetime


class StorageAnswered(Event, frozen=True):
    """The storage did what a worker asked of it; `op` is fetch, finish or beat."""

    op: str
    seconds: float


class ProblemFound(Event, frozen=True):
    """Something about the storage may lose, delay or hide jobs."""

    finding: Finding


class OutboxSent(Event, frozen=True):
    """Jobs went from the outbox to where jobs are kept."""

    count: int


class OutboxRefused(Event, frozen=True):
    """A job cannot leave the outbox: it is tried again after a while, but is not expected to be taken."""

    ref: str
    why: str


class LoopBlocked(Event, frozen=True):
    """A task keeps the event loop from running; heartbeats go on, everything else waits."""

    seconds: float
    running: tuple[str, ...]


class Acted(Event, frozen=True):
    """Somebody changed something through the admin API."""

    action: str
    target: str
    actor: str
    reason: str


class SubscriberFailed(Event, frozen=True):
    """A subscriber raised; nobody else is affected."""

    event: Event
    error: BaseException


E = TypeVar("E", bound=Event)
Subscriber = Callable[[Any], None]


class EventBus:
    """Hands each event to those who watch its class."""

    def __init__(self) -> None:
        self._subscribers: dict[type[Event], list[Subscriber]] = {}

    def subscribe(self, event: type[E], subscriber: Callable[[E], None]) -> Callable[[], None]:
        """Call `subscriber` with every event of this class (Event: of every class); returns the way to stop it."""
        watching = self._subscribers.setdefault(event, [])
        watching.append(subscriber)
        return lambda: watching.remove(subscriber) if subscriber in watching else None

    def wants(self, event: type[Event]) -> bool:
        """Whether anybody watches this class of event."""
        return bool(self._subscribers.get(event) or self._subscribers.get(Event))

    def publish(self, event: Event) -> None:
        """Hand the event to everybody who watches, in the order in which they came."""
        for subscriber in [*self._subscribers.get(type(event), ()), *self._subscribers.get(Event, ())]:
            try:
                subscriber(event)
            except Exception as error:
                self._report(event, error)

    def _report(self, event: Event, error: Exception) -> None:
        # A subscriber of SubscriberFailed that fails itself must not go round in circles.
        if not isinstance(event, SubscriberFailed):
            self.publish(SubscriberFailed(event, error))
