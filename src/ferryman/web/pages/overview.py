"""The overview: is work flowing, is anything stuck, is anything failing, is anybody working (spec/dashboard.md 2.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from ferryman.findings import Level
from ferryman.job import State
from ferryman.web.collector import Sight
from ferryman.web.formats import UNKNOWN, count, duration, share
from ferryman.web.pages.charts import Chart, depth_chart, oldest_chart, running_chart
from ferryman.web.pages.parts import Empty, Link
from ferryman.web.pages.queues import QueueRow, queue_row
from ferryman.web.visit import Visit

__all__ = ["page"]

_WINDOWS = {"15m": timedelta(minutes=15), "1h": timedelta(hours=1), "6h": timedelta(hours=6)}
_LINES = 5
_BARS = 40
_TOO_LONG = 600.0
_SEVERITY = ("bad", "warn", "info")


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


@dataclass(frozen=True)
class Attention:
    """Something that somebody should look at."""

    tone: str
    text: str
    url: str
    link: str
    note: str = ""


@dataclass(frozen=True)
class KindRow:
    """How often jobs of a kind failed."""

    kind: str
    url: str
    failed: int
    share: float | None
    error: str


@dataclass(frozen=True)
class Overview:
    """The page."""

    windows: Sequence[Link]
    empty: Empty | None
    tiles: Sequence[Tile]
    attention: Sequence[Attention]
    charts: Sequence[Chart]
    kinds: Sequence[KindRow]
    kinds_note: str
    queues: Sequence[QueueRow]
    queues_note: str


async def page(visit: Visit) -> Response:
    """Show how everything is."""
    sight = await visit.place.collector.sight()
    window = visit.query.get("window", "15m")
    window = window if window in _WINDOWS else "15m"
    if visit.unchanged(sight.number):
        return visit.same()
    length, zone = _WINDOWS[window], visit.likes.times
    shown = Overview(
        windows=[Link(name, visit.url("overview", window=name), name == window) for name in _WINDOWS],
        empty=_empty(sight),
        tiles=list(_tiles(visit, sight)),
        attention=_attention(visit, sight),
        charts=[draw(sight.points, length, visit.now, zone) for draw in (depth_chart, oldest_chart, running_chart)],
        kinds=(),
        kinds_note="",
        queues=[queue_row(each, sight, visit.now) for each in sight.queues.value],
        queues_note=f"counted every {_interval(sight):.0f} s" if _interval(sight) > 6 else "",
    )
    return await visit.page("overview.html", shown, sight.number)


def _interval(sight: Sight) -> float:
    return max(5.0, sight.took * 20)


def _empty(sight: Sight) -> Empty | None:
    if sight.queues.why or sight.queues.value:
        return None
    text = "Queues appear with their first job. Store one, and start a worker: ferryman worker app.main:jobs"
    return Empty("Nothing has been enqueued yet", text, "ferryman enqueue KIND '{}'")


def _tiles(visit: Visit, sight: Sight) -> Iterator[Tile]:
    yield _available(visit, sight)
    yield _oldest(visit, sight)
    yield _running(visit, sight)
    retryable, failed = sight.total(State.RETRYABLE), sight.total(State.DISCARDED)
    yield Tile(
        "Retryable",
        count(retryable),
        visit.url("jobs", state="retryable"),
        note="failed, and will be tried again",
        tone="warn" if retryable else "",
    )
    yield Tile(
        "Failed", count(failed), visit.url("failed"), note="gave up; somebody has to look", tone="bad" if failed else ""
    )
    yield _workers(visit, sight)


def _available(visit: Visit, sight: Sight) -> Tile:
    rows = [queue for queue in sight.queues.value if queue.counts.get(State.AVAILABLE)]
    where = "in no queue" if not rows else rows[0].name if len(rows) == 1 else f"in {len(rows)} queues"
    return Tile(
        "Available",
        count(sight.total(State.AVAILABLE)),
        visit.url("jobs", state="available"),
        note=where,
        spark=[sum(point.waiting.values()) for point in sight.points[-_BARS:]],
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
        note=first.name if first else "nothing waits",
        tone="bad" if (waits or 0.0) > _TOO_LONG else "",
        spark=[point.oldest or 0.0 for point in sight.points[-_BARS:]],
        spark_label="how long the oldest has waited of late",
    )


def _running(visit: Visit, sight: Sight) -> Tile:
    slots = sum(worker.concurrency for worker in sight.workers.value)
    busy = min(sum(len(worker.running) for worker in sight.workers.value) / slots, 1.0) if slots else None
    return Tile(
        "Running",
        count(sight.total(State.RUNNING)),
        visit.url("jobs", state="running"),
        suffix=f"of {count(slots)} slots" if slots else "",
        note=f"{share(busy)} of the slots are busy" if busy is not None else "no slots",
        meter=busy,
        meter_label="busy slots",
    )


def _workers(visit: Visit, sight: Sight) -> Tile:
    if sight.workers.why and not sight.workers.value:
        return Tile("Workers", UNKNOWN, visit.url("workers"), note=sight.workers.why)
    live = len(sight.workers.value)
    draining = sum(worker.status != "active" for worker in sight.workers.value)
    note = f"{draining} draining" if draining else "alive" if live else "start one to work jobs"
    return Tile("Workers", count(live), visit.url("workers"), note=note, tone="" if live else "warn")


def _attention(visit: Visit, sight: Sight) -> list[Attention]:
    """Return what somebody should look at, the worst first: the same findings as doctor's and the alerts'."""
    found = [
        Attention(
            "bad" if each.level is Level.ERROR else "warn", each.text, visit.url(*_page_of(each.id)), "Look", each.fix
        )
        for each in sight.findings.value
        if each.level is not Level.OK
    ]
    return sorted(found, key=lambda each: _SEVERITY.index(each.tone))[:_LINES]


def _page_of(id: str) -> tuple[str]:
    pages = {"A-QUEUE": "queues", "A-KIND": "workers", "A-WORKER": "workers", "A-STUCK": "queues"}
    return (pages.get(id, "storage"),)
