"""The six numbers at the top of the overview."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ferryman.admin.series import Point
from ferryman.job import State
from ferryman.web.collector import Sight
from ferryman.web.formats import UNKNOWN, capped, count, duration, rate, share
from ferryman.web.reading import Past
from ferryman.web.sharing import BEING_READ, Seen
from ferryman.web.visit import Visit

__all__ = ["Tile", "tiles"]

_BARS = 40
_FEW = 8
_TOO_LONG = 600.0
_TOO_MANY = 0.05


@dataclass(frozen=True)
class Tile:
    """One number, large."""

    label: str
    value: str
    url: str
    suffix: str = ""
    note: str = ""
    tone: str = ""
    meter: float | None = None
    meter_label: str = ""
    spark: Sequence[float | None] = ()
    spark_label: str = ""
    spark_bad: Sequence[float | None] = ()


def tiles(visit: Visit, sight: Sight, read: Past) -> Iterator[Tile]:
    """Return what waits, since when, what runs, how much is worked, how much of it fails, and by whom."""
    yield _available(visit, sight)
    yield _oldest(visit, sight)
    yield _running(visit, sight)
    yield _throughput(visit, read)
    yield _failing(visit, sight, read)
    yield _workers(visit, sight)


def _available(visit: Visit, sight: Sight) -> Tile:
    rows = [queue for queue in sight.queues.value if queue.counts.get(State.AVAILABLE)]
    where = "in no queue" if not rows else rows[0].name if len(rows) == 1 else f"in {len(rows)} queues"
    return Tile(
        "Available",
        count(sight.total(State.AVAILABLE)),
        visit.url("jobs", state="available"),
        note=_unknown(sight.queues) or where,
        spark=_bars([sum(point.waiting.values()) for point in sight.points]),
        spark_label="waiting jobs of late",
    )


def _oldest(visit: Visit, sight: Sight) -> Tile:
    waiting = [queue for queue in sight.queues.value if queue.oldest and not queue.paused_at]
    first = min(waiting, key=lambda queue: queue.oldest or visit.now, default=None)
    waits = (visit.now - first.oldest).total_seconds() if first and first.oldest else None
    return Tile(
        "Oldest available",
        duration(max(waits, 0.0)) if waits is not None else UNKNOWN,
        visit.url("queues", sort="oldest", direction="descending"),
        note=first.name if first else _unknown(sight.queues) or "nothing waits",
        tone="bad" if (waits or 0.0) > _TOO_LONG else "",
        spark=_bars([point.oldest or 0.0 for point in sight.points]),
        spark_label="how long the oldest has waited of late",
    )


def _running(visit: Visit, sight: Sight) -> Tile:
    slots = sum(worker.concurrency for worker in sight.workers.value)
    busy = min((sight.total(State.RUNNING) or 0) / slots, 1.0) if slots else None
    return Tile(
        "Running",
        count(sight.total(State.RUNNING)),
        visit.url("jobs", state="running"),
        suffix=f"of {count(slots)} slots" if slots else "",
        note=f"{share(busy)} busy" if busy is not None else _unknown(sight.workers) or "no slots",
        meter=busy,
        meter_label="busy slots",
    )


def _throughput(visit: Visit, read: Past) -> Tile:
    points = _points(read)
    latest = [point for point in points[-_BARS:] if point is not None]
    if not latest or read.value is None:
        return Tile(
            "Throughput", UNKNOWN, visit.url("jobs", state="completed"), note=_unknown(read) or "nothing was counted"
        )
    per_second = sum(point.attempts for point in latest) / (len(latest) * read.value.step.total_seconds())
    return Tile(
        "Throughput",
        rate(per_second),
        visit.url("jobs", state="completed"),
        note="attempts of late",
        spark=[point.attempts if point else None for point in points[-_BARS:]],
        spark_label="attempts of late",
        spark_bad=[point.error + point.gave_up if point else None for point in points[-_BARS:]],
    )


def _failing(visit: Visit, sight: Sight, read: Past) -> Tile:
    failed = sight.total(State.DISCARDED)
    kept = _unknown(sight.queues) or f"{capped(failed, sight.capped(State.DISCARDED))} gave up and are kept"
    points = [point for point in _points(read) if point is not None]
    ended = sum(point.attempts for point in points)
    if not ended:
        return Tile("Failing", UNKNOWN, visit.url("failed"), note=kept)
    part = sum(point.error + point.gave_up for point in points) / ended
    return Tile("Failing", share(part), visit.url("failed"), note=kept, tone="bad" if part > _TOO_MANY else "")


def _workers(visit: Visit, sight: Sight) -> Tile:
    if sight.workers.why and not sight.workers.value:
        return Tile("Workers", UNKNOWN, visit.url("workers"), note=sight.workers.why)
    live = len(sight.workers.value)
    draining = sum(worker.status != "active" for worker in sight.workers.value)
    note = f"{draining} draining" if draining else "alive" if live else "start one to work jobs"
    return Tile("Workers", count(live), visit.url("workers"), note=note, tone="" if live else "warn")


def _unknown(read: Seen[Any]) -> str:
    """Say in a word why a number is not known; why in full stands elsewhere on the page."""
    if read.value or not read.why:
        return ""
    return "being read" if read.why == BEING_READ else "not known"


def _bars(values: Sequence[float]) -> Sequence[float]:
    """Return the latest values, when there are enough to be worth a picture."""
    return values[-_BARS:] if len(values) >= _FEW else ()


def _points(read: Past) -> Sequence[Point | None]:
    return read.value.lines[0].points if read.value and read.value.lines else ()
