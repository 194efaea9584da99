"""Our new jobs → asynq's tasks (spec/asynq.md 5.1 and 5.2).

What a job leaves open gets asynq's own default.  Lengths of time become whole seconds,
since the format knows no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

import msgspec

from ferryman import gojson
from ferryman.job import NewJob, State
from ferryman.storage.asynq.ids import new_ids
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.messages import TaskMessage
from ferryman.storage.asynq.tasks import DEFAULT_TIMEOUT, NO_LIMIT, TAGS
from ferryman.storage.asynq.times import seconds

__all__ = ["NewTask", "new_tasks", "stored_headers", "stored_retention", "stored_timeout"]

_DEFAULT_RETRY = 25
_NOW = timedelta()
_SECOND = timedelta(seconds=1)


class NewTask(msgspec.Struct, frozen=True, gc=False):
    """A task on its way into Redis."""

    message: TaskMessage
    state: State
    """Where it goes: available, scheduled, or pending in its group."""
    due: int = 0
    """Its score when it is scheduled."""
    lock: int = 0
    """For how many seconds it holds its unique key, if it has one."""
    tick: str = ""
    """The key that says that this run of a schedule is stored, if it is one."""


def new_tasks(jobs: Sequence[NewJob], *, now: datetime) -> list[NewTask]:
    """Make the tasks of jobs that `rules.check` has let through."""
    return [_new_task(job, id, now) for job, id in zip(jobs, new_ids(len(jobs)), strict=True)]


def _new_task(job: NewJob, id: str, now: datetime) -> NewTask:
    message = TaskMessage(
        type=job.kind,
        payload=job.args,
        id=id if job.id is None else job.id,
        queue=job.queue,
        retry=_DEFAULT_RETRY if job.max_attempts is None else job.max_attempts - 1,
        timeout=stored_timeout(job),
        deadline=0 if job.deadline is None else _never_zero(seconds(job.deadline)),
        unique_key="" if job.unique is None else QueueKeys(job.queue).unique(job.kind, job.args),
        retention=stored_retention(job),
        group_key=job.group or "",
        headers=stored_headers(job),
    )
    # A job that is available may name a time a moment ahead: only one that is scheduled waits for it.
    due = job.scheduled_at if job.state is State.SCHEDULED else None
    if due is not None and due > now:
        # Go ignores the group here, and its forwarder is the one that decides later (spec/asynq.md 3.3).
        return NewTask(message, State.SCHEDULED, seconds(due), _lock(job, due - now), _tick(job))
    return NewTask(message, State.PENDING if job.group else State.AVAILABLE, 0, _lock(job, _NOW), _tick(job))


def stored_timeout(job: NewJob) -> int:
    """Return the seconds that the message says.  Never 0 unless there is a deadline: Go takes that for an error."""
    if job.timeout is None:
        return DEFAULT_TIMEOUT if job.deadline is None else 0
    if job.timeout == 0:
        return NO_LIMIT if job.deadline is None else 0
    return _whole_seconds(job.timeout)


def stored_retention(job: NewJob) -> int:
    """Return for how many seconds the message says to keep a job that succeeded; 0 deletes it at once."""
    return _whole_seconds(job.retention or 0)


def stored_headers(job: NewJob) -> dict[str, str]:
    """Return the headers that the message has: the job's own, and its tags."""
    tags = {TAGS: gojson.encode(job.tags).decode()} if job.tags else {}
    return {**(job.headers or {}), **tags}


def _whole_seconds(length: float) -> int:
    """Cut as Go does, but make less than a second a whole one: Go's 0 would mean something else."""
    return min(int(length), NO_LIMIT) if length >= 1 else ceil(length)


def _never_zero(second: int) -> int:
    return second or 1  # 0 is "no deadline"; both are long past


def _lock(job: NewJob, wait: timedelta) -> int:
    """Return how long the lock is held from now on, which covers the wait (spec/asynq.md 3.3)."""
    if job.unique is None or job.unique.by_period is None:
        return 0
    return (wait + job.unique.by_period) // _SECOND


def _tick(job: NewJob) -> str:
    """Name the key of a run.  asynq has no leader, so every worker has every schedule, and the first stores it."""
    if job.periodic is None or job.tick is None:
        return ""
    return QueueKeys(job.queue).side(f"tick:{job.periodic}:{seconds(job.tick)}")
