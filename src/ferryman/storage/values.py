"""The values that cross the seam between the engine and a storage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar

import msgspec

from ferryman.errors import WrongState
from ferryman.job import Job, JobRef, NewJob, State

__all__ = [
    "NEWEST_FIRST",
    "Action",
    "CancelRequested",
    "DayCounts",
    "Feature",
    "Gathered",
    "HowWoken",
    "JobFilter",
    "JobOrder",
    "JobsAvailable",
    "LeaderResigned",
    "LineStatus",
    "Note",
    "Notice",
    "Page",
    "PeriodicInfo",
    "PeriodicRun",
    "Plan",
    "QueueChanged",
    "QueueDetails",
    "QueueInfo",
    "ResignRequested",
    "Retention",
    "Running",
    "ScheduleInfo",
    "Wording",
    "WorkerInfo",
    "not_empty",
]

T = TypeVar("T")

_LONGEST_ARGS = 4_096


class Feature(StrEnum):
    """What one storage can do and another cannot."""

    TRANSACTIONS = "jobs enqueued in the caller's own transaction"
    LEADERS = "one leader at a time"
    PRIORITIES = "priorities 1 to 4"
    PENDING = "jobs parked as pending"
    PLANS = "schedules that outlive the leader who keeps them"
    KINDS = "taking jobs of chosen kinds only"
    SCHEMA = "a schema that is migrated"
    NOTES = "what a running task notes in its job's metadata, such as the steps that it has done"
    ORDERS = "jobs listed by id and priority, and in a chosen order"
    METADATA = "jobs found by what their metadata contain"
    QUEUE_METADATA = "metadata of queues"
    ARGUMENTS = "other arguments for a job that waits for its time"
    COUNTS = "jobs counted by kind and time without looking at each"


class Action(StrEnum):
    """What can be done with many jobs at once."""

    RETRY = "retry"
    CANCEL = "cancel"
    DISCARD = "discard"
    DELETE = "delete"

    @property
    def done(self) -> str:
        """The word for it when it is done."""
        return {"retry": "retried", "cancel": "cancelled", "discard": "discarded", "delete": "deleted"}[self]


class Notice(msgspec.Struct, frozen=True):
    """A hint from outside.  Everything it says, polling finds out as well, only later."""


class JobsAvailable(Notice, frozen=True):
    """There may be jobs to take in this queue, or in any when `queue` is empty."""

    queue: str = ""


class CancelRequested(Notice, frozen=True):
    """Somebody wants this running job to stop."""

    ref: JobRef


class QueueChanged(Notice, frozen=True):
    """A queue was paused, resumed or changed; "*" means all.  `paused` is None when that is as it was."""

    queue: str
    paused: bool | None = None


class LeaderResigned(Notice, frozen=True):
    """The leader stepped down: an election is worth trying at once."""

    leader: str


class ResignRequested(Notice, frozen=True):
    """Somebody asks the leader to step down."""


class HowWoken(Notice, frozen=True):
    """How new jobs are heard of from now on; `lacking` says why it is no better, if it could be."""

    by: str
    lacking: str = ""


class QueueInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as it stands."""

    name: str
    paused_at: datetime | None = None
    counts: Mapping[State, int] = {}
    oldest: datetime | None = None
    """Since when the job waits that is next to run."""
    paused_by: str = ""
    """Who paused it, and why: known when it was done through ferryman."""
    pause_reason: str = ""
    capped: tuple[State, ...] = ()
    """States of which there are more than were counted."""
    today: DayCounts | None = None
    """What it did on this day, where that is known without counting."""
    unreadable: str = ""
    """Why the rest is not known, if it is not."""


class QueueDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a queue beside its counts; None, or nothing, is what this storage does not know."""

    name: str
    memory: int | None = None
    """About how many bytes it takes."""
    processed: int | None = None
    """How many attempts ended, well or badly, since ever."""
    failed: int | None = None
    """How many of them ended badly."""
    groups: Mapping[str, int] = {}
    """How many jobs wait in each group."""
    slot: int | None = None
    """Which slot of a Cluster it has."""
    nodes: tuple[str, ...] = ()
    """Which nodes of a Cluster keep it, the master first."""


class DayCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a queue did on one day in UTC: how many attempts or jobs ended, and how many of them badly."""

    day: date
    processed: int = 0
    failed: int = 0


def not_empty(queue: QueueInfo) -> WrongState:
    """Return the error for a queue that cannot be deleted, since it holds jobs."""
    held = ", ".join(f"{number:,} {state}" for state, number in queue.counts.items()) or "jobs"
    return WrongState(f'The queue "{queue.name}" holds {held}. Nothing was changed. Delete them first.', state="busy")


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A job that a worker works on."""

    ref: JobRef
    kind: str
    args: bytes = b""
    since: datetime | None = None
    until: datetime | None = None
    """When its time is up."""


class ScheduleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker enqueues by the clock; `job` is what it will enqueue `next_at`."""

    id: str
    spec: str
    job: NewJob
    next_at: datetime | None = None
    last_at: datetime | None = None
    whole: bool = True
    """Whether `job` is all of it: long arguments are not said with every heartbeat."""

    def kept(self) -> ScheduleInfo:
        """Return it as it is written with every heartbeat."""
        if len(self.job.args) <= _LONGEST_ARGS:
            return self
        return msgspec.structs.replace(self, job=msgspec.structs.replace(self.job, args=b""), whole=False)


class Plan(msgspec.Struct, frozen=True):
    """When a schedule is due next.  One whose `spec` has been changed since begins anew."""

    id: str
    spec: str
    next_at: datetime


class Note(msgspec.Struct, frozen=True):
    """Something of ferryman's own, kept beside the jobs under a name, for a while at most."""

    page: str
    name: str
    text: str
    keep: timedelta


class PeriodicInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is enqueued by the clock, whoever does it.  `owner` is the Go scheduler whose it is, or ferryman."""

    id: str
    spec: str
    kind: str
    queue: str = "default"
    next_at: datetime | None = None
    last_at: datetime | None = None
    owner: str = "ferryman"
    paused_at: datetime | None = None
    paused_by: str = ""
    pause_reason: str = ""

    @property
    def ours(self) -> bool:
        """Whether it can be run and paused from here: what a Go scheduler holds can only be looked at."""
        return self.owner == "ferryman"


class PeriodicRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a schedule.  `job` is None where the job is no longer stored."""

    at: datetime
    ref: JobRef
    job: Job | None = None


class WorkerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A worker process, as it says of itself with every heartbeat."""

    id: str
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime | None = None
    queues: Mapping[str, int] = {}
    kinds: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    """What further kinds begin with that it runs."""
    concurrency: int = 0
    status: str = "active"
    strict: bool = False
    """Whether a heavier queue always goes before a lighter one."""
    running: tuple[Running, ...] = ()
    schedules: tuple[ScheduleInfo, ...] = ()
    version: str = ""
    memory: int | None = None
    """How many bytes it holds in memory, where it has said so."""
    blocked: float = 0.0
    """For how many seconds something has kept its event loop from running."""

    def takes_from(self, queue: str) -> bool:
        """Whether it takes jobs from a queue: what has no weight is never chosen."""
        return self.queues.get(queue, 0) > 0


class JobFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs; an empty field does not narrow."""

    states: tuple[State, ...] = ()
    queues: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    since: datetime | None = None
    """Created at this time or later."""
    before: datetime | None = None
    """Created before this time."""
    ended_since: datetime | None = None
    """Ended, or failed the last time, at this time or later."""
    ended_before: datetime | None = None
    """Ended, or failed the last time, before this time."""
    error: str = ""
    """What the latest error contains, in small or capital letters."""
    fingerprint: str = ""
    """Which failure it is."""
    args: Mapping[str, str] = {}
    """What stands in the arguments at a path such as user.id."""
    tags: tuple[str, ...] = ()
    """Which tags it has, all of them."""
    worker: str = ""
    """What the name of a worker contains that ran it."""
    group: str = ""
    """In which group it waits, or waited."""
    ids: tuple[str, ...] = ()
    priorities: tuple[int, ...] = ()
    metadata: Mapping[str, Any] = {}
    """Its metadata contain all of this."""


class JobOrder(msgspec.Struct, frozen=True, kw_only=True):
    """In which order jobs are listed; those of the same time by id.

    "time" is the time that says most of the first state that is asked for: when it is
    due, when it began, or when it ended.  Jobs without such a time count as the latest.
    """

    by: Literal["id", "scheduled_at", "finalized_at", "time"] = "id"
    descending: bool = False


NEWEST_FIRST = JobOrder(descending=True)


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some of a list; `next` is the cursor of the following page, or None at the end."""

    items: list[T]
    next: str | None = None


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long finished jobs are kept; None is forever.  `kinds` are tasks that say so themselves, in seconds."""

    completed: timedelta | None = timedelta(hours=24)
    cancelled: timedelta | None = timedelta(hours=24)
    discarded: timedelta | None = timedelta(days=7)
    kinds: Mapping[str, float] = {}


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs of one group that are to be made into one, set aside for whoever gathered them.

    `until` then they go back to their group, and another may gather them; `key` is the storage's own name of the set.
    """

    queue: str
    group: str
    jobs: tuple[Job, ...]
    until: datetime
    key: str


class Wording(msgspec.Struct, frozen=True):
    """Texts that a format fixes, because other programs look for them."""

    rescued: str
    unknown_kind: str
    """With `{kind}` in it."""


class LineStatus(msgspec.Struct, frozen=True):
    """Where one line of migrations stands: the version that is applied, and the newest known here."""

    line: str
    version: int
    latest: int
    pending: tuple[int, ...] = ()
