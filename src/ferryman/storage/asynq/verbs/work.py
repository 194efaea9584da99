"""Taking jobs, and keeping them while they run (spec/asynq.md 3.6 and 3.13)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ferryman.errors import StorageError
from ferryman.job import Job, JobRef
from ferryman.storage.asynq.calls import Each, Script, Verb
from ferryman.storage.asynq.messages import TASK
from ferryman.storage.asynq.tasks import running_job
from ferryman.storage.asynq.times import seconds
from ferryman.storage.asynq.verbs.on_queue import on_queue

__all__ = ["LEASE", "extend", "fetch"]

LEASE = timedelta(seconds=30)
"""For how long a job is taken unless its worker says that it is alive."""

_MOST_JOBS = 1_000


def fetch(wanted: Sequence[tuple[str, int]], *, limit: int, worker: str, now: datetime | None) -> Verb[list[Job]]:
    """Take jobs: from all queues in one round trip where their numbers allow, else from one after the other."""
    at = now or datetime.now(UTC)
    together = sum(most for _, most in wanted) <= limit
    taken: list[Job] = []
    refused: StorageError | None = None
    for queues in [wanted] if together else [[each] for each in wanted]:
        room = limit - len(taken)
        calls = Each(call for queue, most in queues for call in _dequeue(queue, min(most, room), at))
        for reply in (yield calls) if calls else ():
            try:
                taken += _taken(reply, worker, at)
            except StorageError as error:
                refused = error
    # A queue that cannot be read must not keep back what the others gave: those jobs are ours already.
    if refused and not taken:
        raise refused
    return taken


def _dequeue(queue: str, most: int, at: datetime) -> Iterator[Script]:
    for first in range(0, most, _MOST_JOBS):
        limit = min(most - first, _MOST_JOBS)
        yield on_queue("dequeue", queue, at, lease_until=seconds(at + LEASE), limit=limit)


def _taken(reply: Any, worker: str, at: datetime) -> list[Job]:
    if isinstance(reply, StorageError):
        raise reply
    messages = zip(reply[::2], reply[1::2], strict=True)
    return [running_job(TASK.decode(data), data, worker=worker, now=at, since=since) for data, since in messages]


def extend(refs: Sequence[JobRef], *, now: datetime | None) -> Verb[None]:
    """Lease jobs anew from now on, those that still are leased."""
    at = now or datetime.now(UTC)
    by_queue: dict[str, list[str]] = {}
    for ref in refs:
        by_queue.setdefault(ref.queue, []).append(ref.id)
    if by_queue:
        yield [on_queue("extend", queue, at, ids, lease_until=seconds(at + LEASE)) for queue, ids in by_queue.items()]
