"""The overview: is work flowing, is anything stuck, is anything failing, is anybody working (spec/dashboard.md 2.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from ferryman.admin.series import Line
from ferryman.findings import Level
from ferryman.web import replies
from ferryman.web.collector import Sight
from ferryman.web.pages.charts import Chart, depth_chart, latency_chart, oldest_chart, throughput_chart
from ferryman.web.pages.parts import Empty, Link
from ferryman.web.pages.queues import QueueRow, queue_row, with_rates
from ferryman.web.pages.tiles import Tile, tiles
from ferryman.web.reading import Past, glimpse, past
from ferryman.web.sharing import BEING_READ
from ferryman.web.visit import Visit

__all__ = ["WINDOWS", "page"]

WINDOWS = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
_SAID = {"15m": "15 minutes", "1h": "hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days"}
_LINES = 5
_PAGES = {
    "A-KIND": "workers",
    "A-PERIODIC": "periodic",
    "A-QUEUE": "queues",
    "A-STUCK": "queues",
    "A-WORKER": "workers",
}
"""Where to see more of what a check found, if not among the checks."""
_SEVERITY = ("bad", "warn", "info")


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
    error: str = ""


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
    unsure: str
    """Why it is not known that nothing else needs attention."""
    being_read: bool


async def page(visit: Visit) -> Response:
    """Show how everything is."""
    sight = await glimpse(visit)
    window = visit.query.get("window", "15m")
    window = window if window in WINDOWS else "15m"
    length = WINDOWS[window]
    whole, by_kind, by_queue = await asyncio.gather(
        past(visit, length), past(visit, length, by="kind"), past(visit, WINDOWS["15m"], by="queue")
    )
    facts = (sight.number, *((read.at, read.why) for read in (whole, by_kind, by_queue)))
    if replies.unchanged(visit, *facts):
        return replies.same(visit)
    shown = Overview(
        windows=[
            Link(name, visit.url("overview", window=name, kiosk=visit.query.get("kiosk")), name == window)
            for name in WINDOWS
        ],
        empty=_empty(sight),
        tiles=list(tiles(visit, sight, whole)),
        attention=_attention(visit, sight, whole, window),
        charts=_charts(visit, sight, whole, length),
        kinds=_kinds(visit, by_kind),
        kinds_note=f"in the last {_SAID[window]}",
        queues=[with_rates(queue_row(each, sight, visit.now), by_queue) for each in sight.queues.value],
        queues_note=sight.queues.why or (f"counted every {_interval(sight):.0f} s" if _interval(sight) > 6 else ""),
        unsure=sight.findings.why or whole.why,
        being_read=sight.being_read or BEING_READ in (whole.why, by_kind.why, by_queue.why),
    )
    return await replies.page(visit, "overview.html", shown, *facts)


def _charts(visit: Visit, sight: Sight, whole: Past, length: timedelta) -> list[Chart]:
    zone = visit.likes.times
    return [
        throughput_chart(whole, zone),
        latency_chart(whole, zone),
        depth_chart(sight.points, length, visit.now, zone),
        oldest_chart(sight.points, length, visit.now, zone),
    ]


def _kinds(visit: Visit, read: Past) -> list[KindRow]:
    """Return the kinds that failed most often."""
    lines = read.value.lines if read.value else ()
    bad = sorted((line for line in lines if _failures(line)), key=_failures, reverse=True)
    return [
        KindRow(
            line.name,
            visit.url("jobs", kind=line.name, state="discarded"),
            _failures(line),
            _failures(line) / line.total.attempts,
        )
        for line in bad[:_LINES]
    ]


def _failures(line: Line) -> int:
    return line.total.error + line.total.gave_up


def _interval(sight: Sight) -> float:
    return max(5.0, sight.took * 20)


def _empty(sight: Sight) -> Empty | None:
    if sight.queues.why or sight.queues.value:
        return None
    text = "Queues appear with their first job. Store one, and start a worker: ferryman worker app.main:jobs"
    return Empty("Nothing has been enqueued yet", text, "ferryman enqueue KIND '{}'")


def _attention(visit: Visit, sight: Sight, whole: Past, window: str) -> list[Attention]:
    """Return what somebody should look at, the worst first: what gave up, and the findings of doctor and the alerts."""
    found = [*_given_up(visit, whole, window)]
    for each in sight.findings.value:
        if each.level is not Level.OK:
            tone = "bad" if each.level is Level.ERROR else "warn"
            found.append(Attention(tone, each.text, visit.url(_PAGES.get(each.id, "storage")), "Look", each.fix))
    return sorted(found, key=lambda each: _SEVERITY.index(each.tone))[:_LINES]


def _given_up(visit: Visit, whole: Past, window: str) -> Iterator[Attention]:
    number = whole.value.lines[0].total.gave_up if whole.value and whole.value.lines else 0
    if number:
        text = "1 job gave up" if number == 1 else f"{number:,} jobs gave up"
        yield Attention("bad", f"{text} in the last {_SAID[window]}.", visit.url("failed"), "See failed")
