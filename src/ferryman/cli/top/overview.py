"""One look at a storage: what waits, who works, what runs, what failed, what comes by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.admin.failures import FailedGroups
from ferryman.job import Job, State
from ferryman.storage.filters import JobFilter
from ferryman.storage.infos import PeriodicInfo, QueueInfo, WorkerInfo

__all__ = ["Overview", "QueueSeen", "RunningSeen", "look"]

_RUNNING_AT_ONCE = 200
_FAILED_AT_ONCE, _FAILED_SECONDS = 2_000, 1.0


class QueueSeen(msgspec.Struct, frozen=True):
    """A queue, and how many workers take from it."""

    info: QueueInfo
    workers: int

    @property
    def left_alone(self) -> bool:
        """Whether jobs wait that no live worker takes."""
        return bool(self.info.counts.get(State.AVAILABLE)) and not self.workers and self.info.paused_at is None


class RunningSeen(msgspec.Struct, frozen=True):
    """A running job, who runs it, and since when."""

    job: Job
    worker: str
    since: datetime | None


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What there was at one moment."""

    at: datetime
    place: str
    """Where it is for people, after its name if it has one."""
    location: str
    queues: Sequence[QueueSeen]
    workers: Sequence[WorkerInfo]
    running: Sequence[RunningSeen]
    failed: FailedGroups
    periodic: Sequence[PeriodicInfo]

    def count(self, state: State) -> int:
        """Return how many jobs are in a state, in all queues."""
        return sum(queue.info.counts.get(state, 0) for queue in self.queues)

    @property
    def slots(self) -> int:
        """How many jobs all workers together run at a time."""
        return sum(worker.concurrency for worker in self.workers)


async def look(admin: AsyncAdmin, *, place: str, failed: FailedGroups | None = None) -> Overview:
    """Look at everything once.  Gathering what failed is the dear part: `failed` is what is known already."""
    queues, workers = await admin.queues.list(), await admin.workers.list()
    running = await admin.jobs.list(JobFilter(states=(State.RUNNING,)), limit=_RUNNING_AT_ONCE)
    return Overview(
        at=datetime.now(UTC),
        place=place,
        location=await admin.storage.location(),
        queues=[QueueSeen(queue, sum(worker.takes_from(queue.name) for worker in workers)) for queue in queues],
        workers=workers,
        running=[_running(job, workers) for job in running.items],
        failed=failed or await admin.failed.groups(sample=_FAILED_AT_ONCE, seconds=_FAILED_SECONDS),
        periodic=await admin.periodic.list(),
    )


def _running(job: Job, workers: Sequence[WorkerInfo]) -> RunningSeen:
    """Put a job to its worker: not every format keeps that with the job, and not every worker tells what it runs."""
    for worker in workers:
        for each in worker.running:
            if each.ref == job.ref:
                return RunningSeen(job, f"{worker.host}:{worker.pid}", each.since or job.attempted_at)
    latest = "".join(job.attempted_by[-1:])
    named = {worker.id: f"{worker.host}:{worker.pid}" for worker in workers}
    return RunningSeen(job, named.get(latest, latest), job.attempted_at)
