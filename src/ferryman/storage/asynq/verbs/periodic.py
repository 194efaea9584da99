"""What is remembered of schedules, for Go's tools to show (spec/asynq.md 3.15 and 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ferryman.job import Inserted, NewJob
from ferryman.storage.asynq.calls import Call, Each, Script, Verb
from ferryman.storage.asynq.keys import scheduler_history
from ferryman.storage.asynq.messages import ENQUEUE_EVENT, SchedulerEnqueueEvent, Timestamp
from ferryman.storage.asynq.times import seconds

__all__ = ["enqueue_events"]

_EVENTS = 1_000
_REMEMBERED_FOR = 90 * 86_400


def enqueue_events(jobs: Sequence[NewJob], inserted: Sequence[Inserted], *, now: datetime) -> Verb[None]:
    """Write which of these jobs came from schedules; the jobs are stored, whether that works or not."""
    calls = [
        _event(job.periodic, each.ref.id, now)
        for job, each in zip(jobs, inserted, strict=True)
        if job.periodic is not None and not each.duplicate
    ]
    if calls:
        yield Each(calls)


def _event(entry: str, id: str, at: datetime) -> Call:
    event = SchedulerEnqueueEvent(task_id=id, enqueue_time=Timestamp.of(at))
    return Script(
        "record_enqueue_event",
        keys={"history": scheduler_history(entry)},
        args={"at": seconds(at), "event": ENQUEUE_EVENT.encode(event), "most": _EVENTS, "ttl": _REMEMBERED_FOR},
    )
