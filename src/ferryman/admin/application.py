"""What keeps jobs from being worked although the storage is well (spec/cli.md 4.6, A-…).

Judged from one moment, so that the command line, the dashboard and a test judge alike.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches

import msgspec

from ferryman.findings import Finding, failed, passed, warned
from ferryman.job import Job, State
from ferryman.redaction import USUAL, Redaction
from ferryman.storage.infos import PeriodicInfo, QueueInfo, WorkerInfo

__all__ = ["Moment", "in_use", "judge"]

_LATE = timedelta(minutes=10)
_SILENT = timedelta(seconds=30)
# A worker that was lost longer ago has been seen to, or replaced: it stays on the workers' page only.
_LOST_LATELY = timedelta(minutes=10)
_STUCK_AFTER = 60.0
_OVERDUE = timedelta(minutes=2)


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What there is at one moment.

    `waiting` are kinds that wait, by queue; `tasks` those of the app at hand; `sampled` a few jobs that wait.
    `unfit` says of queues' names that the format's own clients refuse why they do.
    """

    queues: Sequence[QueueInfo]
    workers: Sequence[WorkerInfo]
    lost: Sequence[WorkerInfo] = ()
    waiting: Mapping[str, Collection[str]]
    tasks: Collection[str]
    now: datetime
    unfit: Mapping[str, str] = {}
    periodic: Sequence[PeriodicInfo] = ()
    sampled: Sequence[Job] = ()
    redaction: Redaction = USUAL


def in_use(queues: Sequence[QueueInfo], workers: Sequence[WorkerInfo]) -> set[str]:
    """Return the queues in which jobs are ready, and those that workers take from."""
    ready = {queue.name for queue in queues if queue.counts.get(State.AVAILABLE)}
    return ready.union(*(worker.queues for worker in workers))


def judge(there: Moment) -> list[Finding]:
    """Return what each check finds."""
    return [
        *_kinds(there),
        *_queues(there),
        *_stuck(there),
        *_workers(there),
        *_periodic(there),
        *_secrets(there),
    ]


def _kinds(there: Moment) -> list[Finding]:
    known = {kind for worker in there.workers for kind in worker.kinds} | set(there.tasks)
    found = [
        failed("A-KIND", f'jobs of kind "{kind}" wait in "{queue}"; no live worker handles it{_near(kind, known)}')
        for queue, kinds in there.waiting.items()
        for kind in kinds
        if _at(queue, there) and not _handled(kind, queue, there)
    ]
    return found or [passed("A-KIND", "every kind that waits has a worker")]


def _handled(kind: str, queue: str, there: Moment) -> bool:
    # A worker that names no kinds is a Go server, which keeps to itself what it knows.
    return kind in there.tasks or any(
        not each.kinds or kind in each.kinds or kind.startswith(each.prefixes) for each in _at(queue, there)
    )


def _near(kind: str, known: Collection[str]) -> str:
    near = get_close_matches(kind, known, n=1)
    return f'. Is it "{near[0]}"?' if near else ""


def _queues(there: Moment) -> list[Finding]:
    found = [
        failed("A-QUEUE", f'jobs ready in "{queue.name}": {queue.counts[State.AVAILABLE]:,}; no live worker takes them')
        for queue in there.queues
        if queue.counts.get(State.AVAILABLE) and queue.paused_at is None and not _at(queue.name, there)
    ]
    found += [*_weightless(there), *_unfit(there)]
    return found or [passed("A-QUEUE", "every queue with jobs has a worker")]


def _weightless(there: Moment) -> list[Finding]:
    return [
        failed("A-QUEUE", f'{_named(worker)} has "{name}" with weight {weight}, and takes nothing from it')
        for worker in there.workers
        for name, weight in worker.queues.items()
        if weight < 1 and not _at(name, there)
    ]


def _unfit(there: Moment) -> list[Finding]:
    return [failed("A-QUEUE", f"{_who_uses(name, there)}. {why.rstrip('.')}") for name, why in there.unfit.items()]


def _who_uses(name: str, there: Moment) -> str:
    """Say what makes a queue's name matter."""
    ready = sum(queue.counts.get(State.AVAILABLE, 0) for queue in there.queues if queue.name == name)
    if ready:
        return f'jobs ready in "{name}": {ready:,}'
    takes = next((worker for worker in there.workers if name in worker.queues), None)
    return f'{_named(takes)} takes jobs from "{name}"' if takes else f'this program is to take jobs from "{name}"'


def _named(worker: WorkerInfo) -> str:
    return f"the worker {worker.host}:{worker.pid}"


def _stuck(there: Moment) -> list[Finding]:
    found = [*_late(there), *_overdue(there)]
    return found or [passed("A-STUCK", "nothing waits while workers have room, and nothing runs past its time")]


def _late(there: Moment) -> list[Finding]:
    return [
        warned("A-STUCK", f'a job has been ready in "{queue.name}" for over 10 minutes, and workers have room')
        for queue in there.queues
        if queue.paused_at is None
        and queue.oldest is not None
        and queue.counts.get(State.AVAILABLE)
        and there.now - queue.oldest > _LATE
        and any(len(each.running) < each.concurrency for each in _at(queue.name, there))
    ]


def _overdue(there: Moment) -> list[Finding]:
    return [
        warned(
            "A-STUCK",
            f"{job.kind} {job.ref} runs past its time on {worker.host}:{worker.pid}",
            f"ferryman job cancel {job.ref}",
        )
        for worker in there.workers
        for job in worker.running
        if job.until is not None and there.now - job.until > _SILENT
    ]


def _workers(there: Moment) -> list[Finding]:
    found = [
        warned("A-WORKER", f"{_named(each)} fell silent {_seconds(there, each):,.0f} s ago")
        for each in there.lost
        if each.beat_at is not None and there.now - each.beat_at < _LOST_LATELY
    ]
    found += [
        warned("A-WORKER", f"the event loop of {each.host}:{each.pid} has stood still for {each.blocked:,.0f} s")
        for each in there.workers
        if each.blocked > _STUCK_AFTER
    ]
    versions = sorted({each.version for each in there.workers if each.version})
    if len(versions) > 1:
        found.append(warned("A-WORKER", f"workers of several versions run beside each other: {', '.join(versions)}"))
    return found or [passed("A-WORKER", _counted(len(there.workers), "worker", "alive"))]


def _counted(number: int, what: str, how: str) -> str:
    return f"1 {what} is {how}" if number == 1 else f"{number} {what}s are {how}"


def _periodic(there: Moment) -> list[Finding]:
    found = [
        failed("A-PERIODIC", f'the schedule "{entry.id}" is {_minutes(there, entry):,.0f} minutes late')
        for entry in there.periodic
        if entry.paused_at is None and entry.next_at is not None and there.now - entry.next_at > _OVERDUE
    ]
    owners: dict[tuple[str, str, str], set[str]] = {}
    for entry in there.periodic:
        owners.setdefault((entry.kind, entry.spec, entry.queue), set()).add(entry.owner)
    found += [
        warned("A-PERIODIC", f'{" and ".join(sorted(names))} all enqueue "{kind}" {spec}: it runs twice, unless unique')
        for (kind, spec, _), names in owners.items()
        if len(names) > 1
    ]
    return found or [passed("A-PERIODIC", _counted(len(there.periodic), "schedule", "in time"))]


def _minutes(there: Moment, entry: PeriodicInfo) -> float:
    return (there.now - (entry.next_at or there.now)) / timedelta(minutes=1)


def _secrets(there: Moment) -> list[Finding]:
    places = {(job.kind, name) for job in there.sampled for name in there.redaction.secret_places(job.args)}
    found = [
        warned("A-SECRET", f'jobs of kind "{kind}" carry what looks like a secret, as "{name}": put ids into jobs')
        for kind, name in sorted(places)
    ]
    return found or [passed("A-SECRET", f"no password, key or token was seen in {len(there.sampled)} jobs that wait")]


def _seconds(there: Moment, worker: WorkerInfo) -> float:
    return (there.now - (worker.beat_at or there.now)).total_seconds()


def _at(queue: str, there: Moment) -> list[WorkerInfo]:
    return [worker for worker in there.workers if worker.takes_from(queue)]
