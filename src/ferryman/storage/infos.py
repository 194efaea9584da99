"""What a storage tells of queues, workers and schedules as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from ferryman.errors import WrongState
from ferryman.job import Job, JobRef, NewJob, State

__all__ = [
    "DayCounts",
    "PeriodicInfo",
    "PeriodicRun",
    "QueueDetails",
    "QueueInfo",
    "Running",
    "ScheduleInfo",
    "WorkerInfo",
    "not_empty",
]

_LONGEST_ARGS = 4_096


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
