"""What stands in the JSON of each command, as types: the contract with programs (spec/cli.md 4.2).

Nothing is made of these types; `schemas` describes them, and a test holds what commands
write against that.  Values that are written as they are have no type of their own here.  A
field may be added, and none is taken away or means another.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from ferryman.admin.operations import Skipped
from ferryman.findings import Level
from ferryman.job import AttemptError, State
from ferryman.storage.values import DayCounts, PeriodicInfo

__all__ = [
    "Acted",
    "ActedOnAll",
    "Bulk",
    "FailedGroup",
    "Finding",
    "Health",
    "Job",
    "KnownMigration",
    "Migration",
    "MigrationText",
    "Overview",
    "Queue",
    "QueueSeen",
    "QueueShown",
    "Ref",
    "Run",
    "RunningJob",
    "RunningOn",
    "RunningSeen",
    "Said",
    "Sample",
    "Script",
    "Setting",
    "Stored",
    "Task",
    "Version",
    "Worker",
]

Counts = dict[State, int]


class Job(Struct):
    """A job.  Arguments that are no JSON are in `args_base64`."""

    ref: str
    id: str
    queue: str
    kind: str
    state: State
    attempt: int
    max_attempts: int
    priority: int
    tags: list[str]
    args: Any
    scheduled_at: datetime
    created_at: datetime | None
    attempted_at: datetime | None
    finalized_at: datetime | None
    orphaned: bool
    cancel_requested_at: datetime | None
    attempted_by: list[str]
    errors: list[AttemptError]
    timeout: float | None
    deadline: datetime | None
    retention: float | None
    headers: dict[str, str]
    metadata: Any
    args_base64: str | UnsetType = UNSET


class Stored(Struct):
    """A job that was stored, or was there already."""

    ref: str
    state: State
    duplicate: bool


class Said(Struct):
    """The name of an error, and what it says."""

    code: str
    detail: str


class Acted(Struct):
    """What became of one job that was acted on."""

    ref: str
    outcome: str
    kind: str | None
    state: State | None
    error: Said | None


class ActedOnAll(Struct):
    """What became of an action on many jobs; `bulk` is its id where it is written down."""

    outcome: str
    done: int
    skipped: int
    stopped: bool
    latest_skipped: list[Skipped]
    bulk: str | None


class Bulk(Struct):
    """An action on many jobs that is written down; `which` is its filter, as far as it narrows."""

    id: str
    action: str
    which: dict[str, Any]
    started_at: datetime
    alive_until: datetime
    state: str
    actor: str
    reason: str
    expected: int | None
    of: int | None
    rate: float | None
    done: int
    skipped: int
    reasons: dict[str, int]
    latest: list[Skipped]
    ended_at: datetime | None
    error: str


class FailedGroup(Struct):
    """Jobs of one kind that failed in the same way."""

    fingerprint: str
    kind: str
    error: str
    count: int
    last_hour: int
    last_day: int
    first_at: datetime
    last_at: datetime
    queues: list[str]
    latest: list[str]


class Queue(Struct):
    """A queue; of the states in `capped` there are more than were counted."""

    name: str
    paused: bool
    paused_at: datetime | None
    paused_by: str
    pause_reason: str
    counts: Counts
    oldest: datetime | None
    capped: list[State]
    today: DayCounts | None
    unreadable: str


class QueueSeen(Queue):
    """A queue, and how many workers take from it."""

    workers: int


class QueueShown(Queue):
    """A queue with all that is known of it; null is what its storage does not know."""

    memory: int | None
    groups: dict[str, int]
    processed: int | None
    failed: int | None
    slot: int | None
    nodes: list[str]


class Run(Struct):
    """A run of a schedule; its job is null where it is no longer stored."""

    at: datetime
    ref: str
    job: Job | None


class Ref(Struct):
    """The address of a job."""

    ref: str


class RunningJob(Struct):
    """A job that a worker works on."""

    ref: str
    kind: str
    since: datetime | None
    until: datetime | None


class Worker(Struct):
    """A worker process; `queues` are weights, `schedules` lines of its clock by id."""

    id: str
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime | None
    queues: dict[str, int]
    kinds: list[str]
    concurrency: int
    status: str
    strict: bool
    running: list[RunningJob]
    schedules: dict[str, str]
    version: str


class RunningOn(Struct):
    """A job that is worked on, and by which worker."""

    ref: str
    kind: str
    since: datetime | None
    worker: str


class RunningSeen(RunningOn):
    """The same, with the queue that it is of."""

    queue: str


class Overview(Struct):
    """Everything on one screen; `failed_of` jobs failed, and `failed_scanned` of them were looked at."""

    at: datetime
    location: str
    counts: Counts
    queues: list[QueueSeen]
    running: list[RunningSeen]
    failed: list[FailedGroup]
    periodic: list[PeriodicInfo]
    workers: list[Worker]
    failed_scanned: int
    failed_of: int
    failed_truncated: bool


class Sample(Struct):
    """One number for Prometheus."""

    name: str
    labels: dict[str, str]
    value: float


class Health(Struct):
    """How a worker is."""

    asked: str
    ok: bool
    text: str


class Finding(Struct):
    """What a check found."""

    id: str
    level: Level
    area: Literal["storage", "application"]
    text: str
    fix: str | None


class Migration(Struct):
    """A migration that was applied or reverted, or would be."""

    line: str
    migration: str


class KnownMigration(Migration):
    """A migration that there is."""

    applied: bool


class MigrationText(Struct):
    """The SQL of a migration."""

    line: str
    version: int
    name: str
    way: Literal["up", "down"]
    sql: str


class Setting(Struct):
    """A setting, and where its value came from."""

    name: str
    value: Any
    origin: str


class Script(Struct):
    """A script for a shell."""

    shell: str
    script: str


class Version(Struct):
    """Which ferryman this is."""

    ferryman: str
    python: str
    schemes: list[str]


class Task(Struct):
    """A task that a worker would run."""

    kind: str
    run: str
    schedules: list[str]
