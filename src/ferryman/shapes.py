"""What stands in the JSON of jobs, queues and workers, as types: the contract with programs.

Nothing is made of these types.  They describe what `views` makes, for the schemas of the command line and of the
dashboard's API, and tests hold real output against them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from ferryman.job import AttemptError, State
from ferryman.storage.infos import DayCounts

__all__ = ["Counts", "FailedGroup", "Job", "Queue", "Run", "RunningJob", "Worker"]

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
    priority: int | None
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
    group: str | None
    metadata: Any
    args_base64: str | UnsetType = UNSET


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


class Run(Struct):
    """A run of a schedule; its job is null where it is no longer stored."""

    at: datetime
    ref: str
    job: Job | None


class RunningJob(Struct):
    """A job that a worker works on."""

    ref: str
    kind: str
    since: datetime | None
    until: datetime | None


class Worker(Struct):
    """A worker process; `queues` are weights, `schedules` clock lines by id, `memory` bytes, `blocked` seconds."""

    id: str
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime | None
    queues: dict[str, int]
    kinds: list[str]
    prefixes: list[str]
    concurrency: int
    status: str
    strict: bool
    running: list[RunningJob]
    schedules: dict[str, str]
    version: str
    memory: int | None
    blocked: float
