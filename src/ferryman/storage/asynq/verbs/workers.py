"""The worker processes, as asynq's tools show them (spec/asynq.md 2.2 to 2.4, 3.15 and 4.4).

A worker writes what a Go server writes: who it is, what it works on, what it enqueues
by the clock.  What only ferryman's say of themselves stands beside it in a key of our
own, and stays for an hour when no further heartbeat comes: Go's tools forget at once
who has fallen silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import ceil
from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec.structs import replace

from ferryman.job import JobRef
from ferryman.storage.asynq import keys, messages
from ferryman.storage.asynq.calls import Call, Command, Script, Verb
from ferryman.storage.asynq.messages import Timestamp
from ferryman.storage.asynq.optiontext import option_texts
from ferryman.storage.asynq.times import moment, seconds
from ferryman.storage.asynq.wire import WireError
from ferryman.storage.infos import Running, ScheduleInfo, WorkerInfo

__all__ = ["beat", "leave", "list_workers", "lost_workers", "running_tasks"]

# A Go server's information is valid for so long after its heartbeat.
_GO_TTL = timedelta(seconds=10)
_FORGOTTEN = timedelta(hours=1)
_FORGOTTEN_AFTER = int(_FORGOTTEN.total_seconds())
# The heartbeat carries every payload that is worked on: what is longer is cut.
_LONGEST_PAYLOAD = 65_536

_STATUS = {"quiet": "stopped", "stopping": "closed"}
_OURS = {theirs: ours for ours, theirs in _STATUS.items()}
_decode = msgspec.json.Decoder(WorkerInfo).decode


def beat(worker: WorkerInfo, *, expires_in: timedelta, now: datetime | None) -> Verb[None]:
    """Say that a worker is alive, and forget those that have been dead for long."""
    at = now or datetime.now(UTC)
    ttl = max(ceil(expires_in.total_seconds()), 1)
    expires = seconds(at) + ttl
    name = _identity(worker)
    yield [
        Command(("ZADD", keys.SERVERS, expires, keys.server(name))),
        Command(("ZADD", keys.WORKERS, expires, keys.workers(name))),
        *(
            Command(("ZREMRANGEBYSCORE", index, "-inf", seconds(at - _FORGOTTEN)))
            for index in (keys.SERVERS, keys.WORKERS, keys.SCHEDULERS, keys.OURS)
        ),
        Command(("ZADD", keys.OURS, seconds(at), name)),
        Command(("EXPIRE", keys.OURS, _FORGOTTEN_AFTER)),
        _write_state(worker, name, ttl, at),
        *_write_schedules(worker.schedules, ttl, expires),
    ]


def leave(worker_id: str) -> Verb[None]:
    """Take a worker off the list at once."""
    servers, ours = yield [Command(("ZRANGE", index, 0, -1)) for index in (keys.SERVERS, keys.OURS)]
    for name in {*_names(servers), *map(bytes.decode, ours)}:
        if name.endswith(f":{_server_id(worker_id)}"):
            server, workers = keys.server(name), keys.workers(name)
            yield [
                Command(("ZREM", keys.SERVERS, server)),
                Command(("ZREM", keys.WORKERS, workers)),
                Command(("ZREM", keys.OURS, name)),
                Command(("DEL", server, workers, _ours(name))),
            ]


def list_workers(*, now: datetime | None) -> Verb[list[WorkerInfo]]:
    """Return the workers that are alive, Go's among them, in the order in which they started."""
    names = yield from _alive(now or datetime.now(UTC))
    if not names:
        return []
    said = yield [call for name in names for call in _read_state(name)]
    found: list[WorkerInfo] = []
    for place, (name, expires) in enumerate(names.items()):
        info, tasks, ours = said[3 * place : 3 * place + 3]
        if info is not None:
            found += _worker(name, info, tasks, ours, seen_at=expires - _GO_TTL)
    return sorted(found, key=lambda worker: worker.started_at)


def lost_workers(*, now: datetime | None) -> Verb[list[WorkerInfo]]:
    """Return ferryman's workers that fell silent without leaving the list, until they are forgotten."""
    at = now or datetime.now(UTC)
    alive = yield from _alive(at)
    (found,) = yield [Command(("ZRANGE", keys.OURS, seconds(at - _FORGOTTEN), seconds(at), "BYSCORE"))]
    silent = [name for name in map(bytes.decode, reversed(found)) if name not in alive]
    said = yield [Command(("GET", _ours(name))) for name in silent]
    return [worker for ours in said if ours is not None for worker in _read_ours(ours)]


def running_tasks(queue: str, ids: Sequence[str]) -> Verb[dict[str, tuple[datetime | None, tuple[str, ...]]]]:
    """Return since when these tasks of a queue run and by whom, as far as the workers that are alive say so."""
    (found,) = yield [Command(("ZRANGE", keys.WORKERS, 0, -1))]
    if not found or not ids:
        return {}
    names = _names(found)
    said = yield [Command(("HMGET", keys.workers(name), *ids)) for name in names]
    return {
        job.ref.id: (job.since, (name,))
        for name, tasks in zip(names, said, strict=True)
        for job in _running(filter(None, tasks))
        if job.ref.queue == queue
    }


def _identity(worker: WorkerInfo) -> str:
    return keys.identity(worker.host, worker.pid, _server_id(worker.id))


def _server_id(worker_id: str) -> str:
    """Return the UUID that asynq's format asks for; a worker's own name is of River's form."""
    return str(uuid5(NAMESPACE_URL, f"ferryman:worker:{worker_id}"))


def _ours(identity: str) -> str:
    return f"ferryman:{{{identity}}}:worker"


def _write_state(worker: WorkerInfo, name: str, ttl: int, at: datetime) -> Call:
    info = messages.ServerInfo(
        host=worker.host,
        pid=worker.pid,
        server_id=_server_id(worker.id),
        concurrency=worker.concurrency,
        queues=worker.queues,
        strict_priority=worker.strict,
        status=_STATUS.get(worker.status, worker.status),
        start_time=Timestamp.of(worker.started_at),
        active_worker_count=len(worker.running),
    )
    tasks = [part for job in worker.running for part in (job.ref.id, _task(worker, job))]
    return Script(
        "write_server_state",
        keys={"server": keys.server(name), "workers": keys.workers(name), "ours": _ours(name)},
        args={
            "ttl": ttl,
            "forgotten": _FORGOTTEN_AFTER,
            "info": messages.SERVER_INFO.encode(info),
            "more": msgspec.json.encode(
                replace(worker, beat_at=at, running=(), schedules=tuple(each.kept() for each in worker.schedules))
            ),
        },
        rest=tasks,
    )


def _task(worker: WorkerInfo, job: Running) -> bytes:
    task = messages.WorkerInfo(
        host=worker.host,
        pid=worker.pid,
        server_id=_server_id(worker.id),
        task_id=job.ref.id,
        task_type=job.kind,
        task_payload=job.args[:_LONGEST_PAYLOAD],
        queue=job.ref.queue,
        start_time=Timestamp.of(job.since),
        deadline=Timestamp.of(job.until),
    )
    return messages.WORKER_INFO.encode(task)


def _write_schedules(schedules: Sequence[ScheduleInfo], ttl: int, expires: int) -> list[Call]:
    """Write the schedules of this worker.  Workers that have the same ones share a key: a tick is enqueued once."""
    if not schedules:
        return []
    ids = "\n".join(sorted(schedule.id for schedule in schedules))
    key = keys.scheduler(f"ferryman:0:{uuid5(NAMESPACE_URL, ids)}")
    entries = [messages.SCHEDULER_ENTRY.encode(_entry(schedule)) for schedule in schedules]
    return [
        Command(("ZADD", keys.SCHEDULERS, expires, key)),
        Script("write_scheduler_entries", keys={"entries": key}, args={"ttl": ttl}, rest=entries),
    ]


def _entry(schedule: ScheduleInfo) -> messages.SchedulerEntry:
    return messages.SchedulerEntry(
        id=schedule.id,
        spec=schedule.spec,
        task_type=schedule.job.kind,
        task_payload=schedule.job.args,
        enqueue_options=option_texts(schedule.job),
        next_enqueue_time=Timestamp.of(schedule.next_at),
        prev_enqueue_time=Timestamp.of(schedule.last_at),
    )


def _alive(now: datetime) -> Verb[dict[str, datetime]]:
    """Return who has not expired, and when each will."""
    (found,) = yield [Command(("ZRANGEBYSCORE", keys.SERVERS, seconds(now), "+inf", "WITHSCORES"))]
    return dict(zip(_names(key for key, _ in found), (moment(score) for _, score in found), strict=True))


def _names(found: Iterable[bytes]) -> list[str]:
    """Return what is in the braces of the keys of servers or workers."""
    return [key.decode().partition("{")[2].removesuffix("}") for key in found]


def _read_state(name: str) -> list[Call]:
    return [
        Command(("GET", keys.server(name))),
        Command(("HVALS", keys.workers(name))),
        Command(("GET", _ours(name))),
    ]


def _read_ours(ours: bytes) -> Iterator[WorkerInfo]:
    """Give the worker, or nothing when another version of ferryman wrote what this one cannot read."""
    with suppress(msgspec.DecodeError):
        yield _decode(ours)


def _worker(
    name: str, info: bytes, tasks: Sequence[bytes], ours: bytes | None, *, seen_at: datetime
) -> Iterator[WorkerInfo]:
    """Give the worker as it says of itself, else as asynq's tools see it; nothing where these could not either."""
    running = tuple(_running(tasks))
    for said in _read_ours(ours or b""):
        yield replace(said, running=running)
        return
    try:
        server = messages.SERVER_INFO.decode(info)
    except WireError:
        return
    yield WorkerInfo(
        id=name,
        host=server.host,
        pid=server.pid,
        started_at=_time(server.start_time) or seen_at,
        beat_at=seen_at,
        queues=server.queues,
        concurrency=server.concurrency,
        status=_OURS.get(server.status, server.status),
        strict=server.strict_priority,
        running=running,
        version="asynq",
    )


def _running(tasks: Iterable[bytes]) -> Iterable[Running]:
    for data in tasks:
        try:
            task = messages.WORKER_INFO.decode(data)
        except WireError:
            continue  # asynq's tools pass over it too
        yield Running(
            ref=JobRef(task.task_id, task.queue),
            kind=task.task_type,
            args=task.task_payload,
            since=_time(task.start_time),
            until=_time(task.deadline),
        )


def _time(stamp: Timestamp | None) -> datetime | None:
    return None if stamp is None else stamp.moment()
