"""Workers, and what each of them runs (spec/dashboard.md 2.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from starlette.responses import Response

from ferryman.job import JobRef
from ferryman.storage.infos import Running, WorkerInfo
from ferryman.web import replies
from ferryman.web.formats import duration
from ferryman.web.pages.parts import Condition, Empty, Note
from ferryman.web.visit import Visit

__all__ = ["page"]

_STUCK_AFTER = 60.0
_LOST = Condition("lost", "bad", "It fell silent without a word; what it ran goes back to its queue.")


@dataclass(frozen=True)
class RunningRow:
    """A job that a worker runs."""

    ref: JobRef
    kind: str
    since: datetime | None
    until: datetime | None
    share: float | None
    """How much of its time is used, 0 to 1."""
    over: bool


@dataclass(frozen=True)
class WorkerRow:
    """A worker process."""

    anchor: str
    name: str
    leader: bool
    condition: Condition
    queues: Mapping[str, int]
    busy: int
    slots: int
    up: float
    """For how many seconds it has run, or ran until it was last heard of."""
    version: str
    memory: int | None
    beat_at: datetime | None
    kinds: Sequence[str]
    running: Sequence[RunningRow]


@dataclass(frozen=True)
class Workers:
    """The page."""

    text: str
    warnings: Sequence[Note]
    workers: Sequence[WorkerRow]
    empty: Empty


async def page(visit: Visit) -> Response:
    """Show the workers that are alive."""
    sight = await visit.place.collector.sight()
    if replies.unchanged(visit, sight.number):
        return replies.same(visit)
    alive = [_row(each, _condition(each), sight.leader, visit.now) for each in sight.workers.value]
    lost = [_row(each, _LOST, None, each.beat_at or visit.now) for each in sight.lost.value]
    shown = Workers(
        text=_text(alive, visit, sight.workers.why),
        warnings=[
            Note("warn", each.text) for each in sight.findings.value if each.id == "A-KIND" and each.level != "ok"
        ],
        workers=[*alive, *lost],
        empty=Empty("No worker is running", "Jobs wait until one does. Start one:", "ferryman worker app.main:jobs"),
    )
    return await replies.page(visit, "workers.html", shown, sight.number)


def _text(rows: Sequence[WorkerRow], visit: Visit, why: str) -> str:
    if why:
        return f"Not all of it is known: {why}"
    processes = "1 process" if len(rows) == 1 else f"{len(rows)} processes"
    busy = (
        f"{processes}, {sum(row.busy for row in rows)} of {sum(row.slots for row in rows)} slots busy." if rows else ""
    )
    others = "" if visit.place.asynq else "River's Go clients do not register, so they are not seen here."
    return " ".join(part for part in (busy, others) if part)


def _row(worker: WorkerInfo, condition: Condition, leader: str | None, now: datetime) -> WorkerRow:
    return WorkerRow(
        anchor=f"w-{sha256(worker.id.encode()).hexdigest()[:12]}",
        name=f"{worker.host}:{worker.pid}",
        leader=worker.id == leader,
        condition=condition,
        queues=worker.queues,
        busy=len(worker.running),
        slots=worker.concurrency,
        up=(now - worker.started_at).total_seconds(),
        version=worker.version or "Go",
        memory=worker.memory,
        beat_at=worker.beat_at,
        kinds=sorted(worker.kinds),
        running=[_running(each, now) for each in worker.running],
    )


def _condition(worker: WorkerInfo) -> Condition:
    if worker.blocked > _STUCK_AFTER:
        return Condition("stuck", "bad", f"Its event loop has stood still for {duration(worker.blocked)}.")
    if worker.status == "active":
        return Condition("running", "ok")
    return Condition({"stopped": "draining", "closed": "stopped"}.get(worker.status, worker.status), "warn")


def _running(job: Running, now: datetime) -> RunningRow:
    used = None
    if job.since and job.until and job.until > job.since:
        used = min(max((now - job.since) / (job.until - job.since), 0.0), 1.0)
    return RunningRow(job.ref, job.kind, job.since, job.until, used, over=job.until is not None and now > job.until)
