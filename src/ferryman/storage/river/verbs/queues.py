"""Queues: who works them, pausing, counting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from ferryman import gojson
from ferryman.errors import QueueNotFound
from ferryman.job import FINAL, State
from ferryman.storage.infos import DayCounts, QueueDetails, QueueInfo, not_empty
from ferryman.storage.river.steps import Batch, Query, Row, Search, Verb
from ferryman.storage.river.times import parse_time

__all__ = [
    "announce",
    "delete",
    "details",
    "get_queue",
    "glance",
    "history",
    "list_queues",
    "pause",
    "paused",
    "prune_queues",
    "resume",
    "update",
]


def announce(names: Sequence[str], *, now: datetime | None) -> Verb[None]:
    """Keep the queues' rows fresh (spec/river.md 4.4)."""
    at = now or datetime.now(UTC)
    yield Batch("announce", [{"name": name, "now": at} for name in names])


def list_queues() -> Verb[list[QueueInfo]]:
    """Return every queue with its counts."""
    rows: list[Row] = yield Query("queues")
    counted: list[Row] = yield Query("queue_counts", {"queue": None})
    counts: dict[str, dict[State, int]] = {}
    for queue, state, number in counted:
        counts.setdefault(queue, {})[State(state)] = number
    queues = []
    for name, paused_at in rows:
        oldest = yield Query("queue_oldest", {"queue": name})
        queues.append(_info(name, paused_at, counts.get(name, {}), oldest))
    return queues


def glance(*, cap: int) -> Verb[list[QueueInfo]]:
    """Return every queue by three statements; of ended jobs up to `cap` are counted in each queue and state."""
    rows: list[Row] = yield Query("glance", {"cap": cap + 1})
    counts: dict[str, dict[State, int]] = {}
    for queue, state, number in rows:
        counts.setdefault(queue, {})[State(state)] = number
    paused = dict((yield Query("worked_queues")))
    names = sorted({*counts, *paused})
    oldest = dict((yield Query("oldest_of", {"names": names})))
    return [_seen(_info(name, paused.get(name), counts.get(name, {}), [(oldest[name],)]), cap) for name in names]


def _seen(queue: QueueInfo, cap: int) -> QueueInfo:
    """Say that there are more than `cap` where one more was found."""
    capped = tuple(state for state, number in queue.counts.items() if state in FINAL and number > cap)
    counts = {state: cap if state in capped else number for state, number in queue.counts.items()}
    return replace(queue, counts=counts, capped=capped)


def get_queue(name: str) -> Verb[QueueInfo]:
    """Return one queue."""
    queues = yield from list_queues()
    for queue in queues:
        if queue.name == name:
            return queue
    raise QueueNotFound(name, [queue.name for queue in queues])


def details(name: str) -> Verb[QueueDetails]:
    """Return nothing but that it is there: its jobs are rows of a table that all queues share."""
    yield from _check(name)
    return QueueDetails(name=name)


def _check(name: str) -> Verb[None]:
    known: list[Row] = yield Query("queues")
    if name not in (names := [row[0] for row in known]):
        raise QueueNotFound(name, names)


def history(name: str, *, days: int, now: datetime | None) -> Verb[list[DayCounts]]:
    """Return how many of the jobs that are kept ended on each day; River counts none."""
    yield from _check(name)
    midnight = (now or datetime.now(UTC)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [midnight - timedelta(days=ago) for ago in range(days)]
    answers = []
    for start in starts:
        rows = yield Search("ended_between", {"queue": name, "since": start, "before": start + timedelta(days=1)})
        ended = {State(state): number for state, number in rows}
        answers.append(DayCounts(day=start.date(), processed=sum(ended.values()), failed=ended.get(State.DISCARDED, 0)))
    return answers


def paused(names: Sequence[str]) -> Verb[Sequence[str]]:
    """Return those of these queues that are paused."""
    rows = yield Query("paused", {"names": list(names)})
    return [row[0] for row in rows]


def update(name: str, metadata: Mapping[str, Any], *, now: datetime | None) -> Verb[None]:
    """Give a queue other metadata, and say so (spec/river.md 7.6)."""
    at, text = now or datetime.now(UTC), gojson.encode(metadata).decode()
    if not (yield Query("update_queue", {"name": name, "metadata": text, "now": at})):
        queues: list[Row] = yield Query("queues")
        raise QueueNotFound(name, [row[0] for row in queues])
    payload = f'{{"action":"metadata_changed","metadata":{text},"queue":{gojson.quote(name)}}}'
    yield Batch("notify", [{"now": at, "topic": "river_control", "payload": payload}])


def pause(name: str, *, now: datetime | None) -> Verb[None]:
    """Pause a queue, or all."""
    yield from _steer("pause", name, now or datetime.now(UTC))


def resume(name: str, *, now: datetime | None) -> Verb[None]:
    """Resume a queue, or all."""
    yield from _steer("resume", name, now or datetime.now(UTC))


def delete(name: str) -> Verb[None]:
    """Forget a queue that holds no job."""
    queue = yield from get_queue(name)
    if queue.counts or not (yield Query("delete_queue", {"name": name})):
        raise not_empty(queue)


def prune_queues(*, older_than: timedelta, limit: int, now: datetime | None) -> Verb[int]:
    """Forget queues that nobody works (spec/river.md 6.7)."""
    horizon = (now or datetime.now(UTC)) - older_than
    rows = yield Query("prune_queues", {"horizon": horizon, "max": limit})
    return len(rows)


def _steer(action: str, name: str, at: datetime) -> Verb[None]:
    changed = yield Query(action, {"name": name, "now": at})
    if not changed and name != "*":
        queues: list[Row] = yield Query("queues")
        known = [row[0] for row in queues]
        if name not in known:
            raise QueueNotFound(name, known)
        # It holds jobs, but nobody has worked it yet, so it has no row to mark.
        yield Batch("announce", [{"name": name, "now": at}])
        yield Query(action, {"name": name, "now": at})
    payload = f'{{"action":"{action}","queue":{gojson.quote(name)}}}'
    yield Batch("notify", [{"now": at, "topic": "river_control", "payload": payload}])


def _info(name: str, paused_at: Any, counts: dict[State, int], oldest: list[Row]) -> QueueInfo:
    return QueueInfo(
        name=name,
        paused_at=parse_time(paused_at),
        counts=counts,
        oldest=parse_time(oldest[0][0]) if oldest else None,
    )
