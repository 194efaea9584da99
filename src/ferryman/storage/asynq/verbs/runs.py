"""What became of schedules' runs, as asynq remembers them (spec/asynq.md 2.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from ferryman.job import Job, JobRef
from ferryman.storage.asynq.calls import Command, Verb
from ferryman.storage.asynq.keys import scheduler_history
from ferryman.storage.asynq.messages import ENQUEUE_EVENT
from ferryman.storage.asynq.times import EPOCH
from ferryman.storage.asynq.verbs.manage import get
from ferryman.storage.asynq.verbs.many import together
from ferryman.storage.asynq.wire import WireError
from ferryman.storage.infos import PeriodicInfo, PeriodicRun

__all__ = ["runs"]


def runs(entry: PeriodicInfo, *, limit: int) -> Verb[list[PeriodicRun]]:
    """Return the latest runs of a schedule, each with its job if that is still there."""
    (found,) = yield [Command(("ZREVRANGE", scheduler_history(entry.id), 0, limit - 1))]
    events = list(_readable(found))
    refs = [JobRef(id, entry.queue) for _, id in events]
    jobs = yield from together([get(ref) for ref in refs])
    return [
        PeriodicRun(at=at, ref=ref, job=job if isinstance(job, Job) else None)
        for (at, _), ref, job in zip(events, refs, jobs, strict=True)
    ]


def _readable(found: Sequence[bytes]) -> Iterator[tuple[datetime, str]]:
    for data in found:
        with suppress(WireError):  # asynq's tools pass over it too
            event = ENQUEUE_EVENT.decode(data)
            at = EPOCH if event.enqueue_time is None else event.enqueue_time.moment()
            yield (at or EPOCH).astimezone(UTC), event.task_id
