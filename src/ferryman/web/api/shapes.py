"""What the API answers, as types, for its description; a test holds real answers against them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from ferryman.facts import Unit
from ferryman.findings import Finding
from ferryman.job import State
from ferryman.shapes import FailedGroup, Job, Queue, Worker
from ferryman.storage.infos import PeriodicInfo
from ferryman.storage.values import Action

__all__ = [
    "Acted",
    "Bulk",
    "Bulks",
    "Checks",
    "Count",
    "Deleted",
    "Fact",
    "Groups",
    "Jobs",
    "Paused",
    "PausedSchedule",
    "Previewed",
    "Queues",
    "Ran",
    "Resumed",
    "ResumedSchedule",
    "Scale",
    "Schedules",
    "Snapshot",
    "Stored",
    "Workers",
]


class Queues(Struct):
    """Every queue; null where none could be seen."""

    queues: list[Queue] | None


class Snapshot(Queues):
    """What was last seen of the storage; a total of null is not known, and `unavailable` says why."""

    number: int
    at: datetime
    took_seconds: float
    totals: dict[State, int | None]
    workers: int
    findings: list[Finding]
    unavailable: dict[str, str]


class Jobs(Struct):
    """A page of jobs; `next` is the cursor of the page that follows."""

    jobs: list[Job]
    next: str | None


class Count(Struct):
    """How many jobs there are; when `capped`, there are more."""

    count: int
    capped: bool


class Groups(Struct):
    """What failed, by what went wrong; `scanned` jobs of `of` were looked at."""

    groups: list[FailedGroup]
    scanned: int
    of: int
    truncated: bool


class Schedules(Struct):
    """What is enqueued by the clock."""

    periodic: list[PeriodicInfo] | None
    unavailable: str | None


class Workers(Struct):
    """The workers that are alive."""

    workers: list[Worker] | None
    unavailable: str | None


class Fact(Struct):
    """What a storage says of itself; `most` is the limit of a value, `of` which of several things it is about.

    A value of null is not known, and `why` says the reason.
    """

    topic: str
    name: str
    value: str | int | float | None
    unit: Unit
    most: int | None
    of: str
    why: str


class Checks(Struct):
    """What the checks of a storage found, and what it says of itself."""

    findings: list[Finding] | None
    facts: list[Fact] | None
    unavailable: str | None
    location: str


class Scale(Struct):
    """How many slots the jobs of a queue, or of all, could use."""

    queue: str | None
    ready: int
    running: int
    oldest_ready_age: float | None
    slots_wanted: int
    seen_at: datetime | None


class Bulk(Struct):
    """How far an action on many jobs has come; `filter` says in words which."""

    id: str
    action: Action
    filter: str
    state: str
    expected: int | None
    done: int
    skipped: int
    reasons: dict[str, int]
    actor: str
    started_at: datetime
    ended_at: datetime | None
    error: str


class Bulks(Struct):
    """The bulk operations of the last days, the latest first."""

    bulks: list[Bulk]


class Previewed(Count):
    """How many jobs a bulk operation would act on, and a few of them."""

    action: Action
    samples: list[Job]


class ActedOn(Struct):
    """What became of one job."""

    ref: str
    outcome: str
    state: str
    detail: str


class Acted(Struct):
    """What became of each job that was acted on."""

    outcomes: list[ActedOn]


class Paused(Struct):
    """The queues that are paused now."""

    paused: list[str]


class Resumed(Struct):
    """The queues that are worked again."""

    resumed: list[str]


class Deleted(Struct):
    """The queues that are gone."""

    deleted: list[str]


class PausedSchedule(Struct):
    """The schedule that is paused now."""

    paused: str


class ResumedSchedule(Struct):
    """The schedule by which jobs are enqueued again."""

    resumed: str


class Ran(Struct):
    """The job that a schedule enqueued now."""

    ref: str
    state: State


class Stored(Ran):
    """The job that was stored, or that counts as the same and was there already."""

    duplicate: bool
