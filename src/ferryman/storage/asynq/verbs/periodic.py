"""Schedules: who enqueues a tick, and what is remembered of it (spec/asynq.md 3.15 and 6.2).

asynq has no leader, so every worker has every schedule.  A tick belongs to whoever
claims it first, in a key of our own.  Go's tools read the history that is written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ferryman.job import Inserted, NewJob
from ferryman.storage.asynq.calls import Call, Command, Each, Script, Verb
from ferryman.storage.asynq.keys import scheduler_history
from ferryman.storage.asynq.messages import ENQUEUE_EVENT, SchedulerEnqueueEvent, Timestamp
from ferryman.storage.asynq.times import seconds

__all__ = ["claim_tick", "enqueue_events"]

# Longer than two clocks are apart, or a process stands still: then each would enqueue the tick.
_CLAIMED_FOR = 3_600
_EVENTS = 1_000
_REMEMBERED_FOR = 90 * 86_400


def claim_tick(entry: str, tick: datetime, *, claimant: str) -> Verb[bool]:
    """Say whether this process is to enqueue an entry's tick: the first that asks, however often it asks again."""
    key = f"ferryman:{{{entry}}}:tick:{seconds(tick)}"
    (first,) = yield [Command(("SET", key, claimant, "NX", "EX", _CLAIMED_FOR))]
    if first is not None:
        return True
    (holder,) = yield [Command(("GET", key))]
    return bool(holder == claimant.encode())


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
