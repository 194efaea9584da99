"""What schedulers say of themselves and of their runs, for Go's tools and ours (spec/asynq.md 3.15 and 6.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from ferryman.job import Inserted, NewJob
from ferryman.storage.asynq.calls import Call, Command, Each, Script, Verb
from ferryman.storage.asynq.keys import SCHEDULERS, scheduler_history
from ferryman.storage.asynq.messages import (
    ENQUEUE_EVENT,
    SCHEDULER_ENTRY,
    SchedulerEnqueueEvent,
    SchedulerEntry,
    Timestamp,
)
from ferryman.storage.asynq.times import seconds
from ferryman.storage.asynq.wire import WireError
from ferryman.storage.infos import PeriodicInfo

__all__ = ["enqueue_events", "list_entries"]

_EVENTS = 1_000
_REMEMBERED_FOR = 90 * 86_400


def list_entries(*, now: datetime | None) -> Verb[list[PeriodicInfo]]:
    """Return the entries of all schedulers that are alive, Go's and ours."""
    (keys,) = yield [Command(("ZRANGEBYSCORE", SCHEDULERS, seconds(now or datetime.now(UTC)), "+inf"))]
    lists = (yield [Command(("LRANGE", key.decode(), 0, -1)) for key in keys]) if keys else []
    found = [
        _info(entry, _owner(key.decode()))
        for key, entries in zip(keys, lists, strict=True)
        for entry in _readable(entries)
    ]
    return sorted(found, key=lambda entry: (entry.owner, entry.id))


def _readable(entries: Sequence[bytes]) -> Iterator[SchedulerEntry]:
    for data in entries:
        with suppress(WireError):  # asynq's tools pass over it too
            yield SCHEDULER_ENTRY.decode(data)


def _info(entry: SchedulerEntry, owner: str) -> PeriodicInfo:
    return PeriodicInfo(
        id=entry.id,
        spec=entry.spec,
        kind=entry.task_type,
        queue=_queue(entry.enqueue_options),
        next_at=_moment(entry.next_enqueue_time),
        last_at=_moment(entry.prev_enqueue_time),
        owner=owner,
    )


def _owner(key: str) -> str:
    """Return host and process of a Go scheduler; ours stand in the name of no process (workers.py)."""
    name = key.partition("{")[2].removesuffix("}").rpartition(":")[0]
    return "ferryman" if name == "ferryman:0" else name


def _queue(options: Sequence[str]) -> str:
    texts = [text for text in options if text.startswith("Queue(")]
    return texts[-1].removeprefix("Queue(").removesuffix(")").strip('"') if texts else "default"


def _moment(stamp: Timestamp | None) -> datetime | None:
    return None if stamp is None else stamp.moment()


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
