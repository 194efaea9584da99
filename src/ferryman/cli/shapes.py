"""What stands in the JSON of each command, as types: the contract with programs (spec/cli.md 4.2).

Nothing is made of these types; `schemas` describes them, and a test holds what commands
write against that.  Values that are written as they are have no type of their own here.  A
field may be added, and none is taken away or means another.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from ferryman.admin.operations import Skipped
from ferryman.findings import Level
from ferryman.job import State
from ferryman.shapes import Counts, FailedGroup, Job, Queue, Run, RunningJob, Worker
from ferryman.storage.infos import PeriodicInfo

__all__ = [
    "Acted",
    "ActedOnAll",
    "Attempt",
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
    "StoredJob",
    "Task",
    "Version",
    "Worker",
]


class Stored(Struct):
    """A job that was stored, or was there already."""

    ref: str
    state: State
    duplicate: bool


class StoredJob(Job, kw_only=True):
    """A job with all that is stored of it; `unique_key` is in hexadecimal."""

    metadata_base64: str
    unique_key: str | None
    unique_states: list[State] | None
    unreadable: str


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


class Attempt(Struct):
    """An attempt of a job: it failed, or its outcome is the state of the job that it runs or has ended."""

    ref: str
    attempt: int
    outcome: str
    at: datetime | None
    worker: str
    error: str
    trace: str


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


class Ref(Struct):
    """The address of a job."""

    ref: str


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
