"""The registry of worker processes, in a side table of our own: River has none.

A database that River's own tools have migrated is without it.  Then nobody is listed, and
everything else works.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec

from ferryman.errors import SchemaOutOfDate
from ferryman.storage.infos import PeriodicInfo, ScheduleInfo, WorkerInfo
from ferryman.storage.river.steps import Query, Row, Verb
from ferryman.storage.river.times import parse_time

__all__ = ["beat", "leave", "list_workers", "lost_workers", "schedules"]

_FORGOTTEN = timedelta(hours=1)
_NEVER = datetime.min.replace(tzinfo=UTC)
_decode = msgspec.json.Decoder(WorkerInfo).decode


def beat(worker: WorkerInfo, *, expires_in: timedelta, now: datetime | None) -> Verb[None]:
    """Say that a worker is alive, and forget those that have been dead for long."""
    at = now or datetime.now(UTC)
    values = {
        "id": worker.id,
        "info": msgspec.json.encode(_kept(worker)).decode(),
        "started_at": worker.started_at,
        "now": at,
        "expires_at": at + expires_in,
    }
    with suppress(SchemaOutOfDate):
        yield Query("beat", values)
        yield Query("prune_workers", {"horizon": at - _FORGOTTEN})


def leave(worker_id: str) -> Verb[None]:
    """Take a worker off the list."""
    with suppress(SchemaOutOfDate):
        yield Query("leave", {"id": worker_id})


def list_workers(*, now: datetime | None) -> Verb[list[WorkerInfo]]:
    """Return the workers that are alive."""
    return (yield from _listed(Query("workers", {"now": now or datetime.now(UTC)})))


def lost_workers(*, now: datetime | None) -> Verb[list[WorkerInfo]]:
    """Return the workers that fell silent without leaving the list, until they are forgotten."""
    at = now or datetime.now(UTC)
    return (yield from _listed(Query("lost_workers", {"now": at, "horizon": at - _FORGOTTEN})))


def schedules(*, now: datetime | None) -> Verb[list[PeriodicInfo]]:
    """Return what these workers enqueue by the clock.  Whoever leads does it, so each entry is there once."""
    found: dict[str, PeriodicInfo] = {}
    for worker in (yield from list_workers(now=now)):
        for entry in worker.schedules:
            known = found.get(entry.id)
            if known is None or (entry.last_at or _NEVER) > (known.last_at or _NEVER):
                found[entry.id] = _periodic(entry)
    return sorted(found.values(), key=lambda entry: entry.id)


def _listed(query: Query) -> Verb[list[WorkerInfo]]:
    rows: list[Row] = []
    with suppress(SchemaOutOfDate):
        rows = yield query
    return [worker for info, beat_at in rows for worker in _read(info, beat_at)]


def _periodic(entry: ScheduleInfo) -> PeriodicInfo:
    return PeriodicInfo(
        id=entry.id,
        spec=entry.spec,
        kind=entry.job.kind,
        queue=entry.job.queue,
        next_at=entry.next_at,
        last_at=entry.last_at,
    )


def _read(info: str, beat_at: str) -> Iterator[WorkerInfo]:
    """Give the worker, or nothing when another version of ferryman wrote what this one cannot read."""
    with suppress(msgspec.ValidationError):
        yield msgspec.structs.replace(_decode(info), beat_at=parse_time(beat_at))


def _kept(worker: WorkerInfo) -> WorkerInfo:
    """Leave out what can be large: every heartbeat would write it again."""
    running = tuple(msgspec.structs.replace(job, args=b"") for job in worker.running)
    return msgspec.structs.replace(worker, running=running, schedules=tuple(each.kept() for each in worker.schedules))
