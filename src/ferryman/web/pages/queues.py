"""All queues (spec/dashboard.md 2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from starlette.responses import Response

from ferryman.job import State
from ferryman.storage.infos import QueueInfo
from ferryman.web import replies
from ferryman.web.collector import Sight
from ferryman.web.pages.parts import Condition, Empty, Pager
from ferryman.web.reading import Past, past
from ferryman.web.visit import Visit

__all__ = ["QueueRow", "condition", "page", "paused_note", "queue_row", "with_rates"]

_MOST = 200
_BARS = 40
_COLUMNS = ("name", "available", "oldest", "running", "scheduled", "retryable", "discarded")
_NONE = Empty(
    "Nothing has been enqueued yet", "A queue appears with its first job or worker.", "ferryman enqueue KIND '{}'"
)


@dataclass(frozen=True)
class QueueRow:
    """A queue in a list.  What is None is not known, for the reason beside it."""

    name: str
    condition: Condition
    paused: bool
    available: int | None
    running: int | None
    retryable: int | None
    scheduled: int | None
    discarded: int | None
    oldest: float | None
    oldest_reason: str = "nothing waits"
    rate: float | None = None
    errors: float | None = None
    rate_reason: str = "no worker of ours has counted"
    today_ok: int | None = None
    today_errors: int | None = None
    today_reason: str = "shown on the queue's own page"
    spark: Sequence[float | None] = ()
    spark_label: str = ""
    spark_bad: Sequence[float | None] = ()
    error: str = ""


@dataclass(frozen=True)
class Sort:
    """A heading that sorts."""

    url: str
    direction: str = ""


@dataclass(frozen=True)
class Queues:
    """The page."""

    text: str
    empty: Empty | None
    search: str
    hide_empty: bool
    sorts: Mapping[str, Sort]
    queues: Sequence[QueueRow]
    pager: Pager


async def page(visit: Visit) -> Response:
    """Show every queue."""
    sight = await visit.place.collector.sight()
    read = await past(visit, timedelta(minutes=15), by="queue")
    facts = (sight.number, read.at, read.why)
    if replies.unchanged(visit, *facts):
        return replies.same(visit)
    search, hide = visit.query.get("q", "").strip(), visit.query.get("hide_empty") == "on"
    rows = [with_rates(queue_row(queue, sight, visit.now), read) for queue in sight.queues.value]
    fit = [each for each in rows if search.lower() in each.name.lower() and not (hide and _holds_nothing(each))]
    column, direction = visit.query.get("sort", "name"), visit.query.get("direction", "ascending")
    found = Queues(
        text=_text(rows, fit, sight.queues.why),
        empty=None if rows or sight.queues.why else _NONE,
        search=search,
        hide_empty=hide,
        sorts=_sorts(visit, column, direction),
        queues=_sorted(fit, column, direction)[:_MOST],
        pager=Pager(text=f"The first {_MOST} of {len(fit)}: narrow them by name." if len(fit) > _MOST else ""),
    )
    return await replies.page(visit, "queues.html", found, *facts)


def queue_row(queue: QueueInfo, sight: Sight, now: datetime) -> QueueRow:
    """Return a queue as a list shows it."""
    counts = {state: queue.counts.get(state, 0) for state in State}
    points = sight.points[-_BARS:]
    return QueueRow(
        name=queue.name,
        condition=condition(queue, sight),
        paused=queue.paused_at is not None,
        available=counts[State.AVAILABLE],
        running=counts[State.RUNNING],
        retryable=counts[State.RETRYABLE],
        scheduled=counts[State.SCHEDULED],
        discarded=counts[State.DISCARDED],
        oldest=max((now - queue.oldest).total_seconds(), 0.0) if queue.oldest else None,
        today_ok=queue.today.processed - queue.today.failed if queue.today else None,
        today_errors=queue.today.failed if queue.today else None,
        error=queue.unreadable,
        spark=[point.waiting.get(queue.name, 0) for point in points] if len(points) > 1 else (),
        spark_label="waiting jobs of late",
    )


def with_rates(queue: QueueRow, read: Past) -> QueueRow:
    """Return a queue with how much was worked in it, and how much of that failed."""
    if read.value is None:
        return replace(queue, rate_reason=read.why or queue.rate_reason)
    line = next((each for each in read.value.lines if each.name == queue.name), None)
    if line is None:  # what waits in it is not drawn beside what was worked in the others
        return replace(queue, spark=())
    known = sum(point is not None for point in line.points)
    seconds = max(known, 1) * read.value.step.total_seconds()
    bad = line.total.error + line.total.gave_up
    return replace(
        queue,
        rate=line.total.attempts / seconds,
        errors=bad / line.total.attempts if line.total.attempts else None,
        spark=[point.attempts if point else None for point in line.points[-_BARS:]],
        spark_label="attempts of late",
        spark_bad=[point.error + point.gave_up if point else None for point in line.points[-_BARS:]],
    )


def condition(queue: QueueInfo, sight: Sight) -> Condition:
    """Return how a queue is: that nobody works it matters only when there is something to work."""
    if queue.paused_at is not None:
        return Condition("paused", "neutral", paused_note(queue))
    at_it = any(worker.takes_from(queue.name) for worker in sight.workers.value)
    if not at_it and not sight.workers.why:
        if queue.counts.get(State.AVAILABLE):
            return Condition("no worker", "bad", "Jobs are available, and no live worker takes them.")
        return Condition("no worker", "neutral", "No live worker takes jobs from it; none waits.")
    return Condition("running", "ok")


def paused_note(queue: QueueInfo) -> str:
    """Say since when a queue rests, by whom and why, as far as it is known."""
    by = f" by {queue.paused_by}" if queue.paused_by else ""
    why = f": {queue.pause_reason}" if queue.pause_reason else ""
    return f"since {queue.paused_at:%Y-%m-%d %H:%M} UTC{by}{why}"


def _holds_nothing(queue: QueueRow) -> bool:
    return not any((queue.available, queue.running, queue.retryable, queue.scheduled, queue.discarded))


def _text(rows: Sequence[QueueRow], fit: Sequence[QueueRow], why: str) -> str:
    if why:
        return f"Not all of it is known: {why}"
    paused = sum(each.paused for each in rows)
    text = f"{len(rows)} queue{'' if len(rows) == 1 else 's'}" + (f", {paused} paused" if paused else "")
    return text if len(fit) == len(rows) else f"{len(fit)} of {text}"


def _sorted(rows: list[QueueRow], column: str, direction: str) -> list[QueueRow]:
    if column not in _COLUMNS:
        return rows
    if column == "name":
        return sorted(rows, key=lambda each: each.name, reverse=direction == "descending")
    return sorted(rows, key=lambda each: getattr(each, column) or 0, reverse=direction == "descending")


def _sorts(visit: Visit, column: str, direction: str) -> dict[str, Sort]:
    sorts = {}
    for name in _COLUMNS:
        now = direction if name == column else ""
        # Numbers begin with the largest, names with the first.
        first, other = ("ascending", "descending") if name == "name" else ("descending", "ascending")
        query = {**dict(visit.query), "sort": name, "direction": other if now == first else first}
        sorts[name] = Sort(visit.url("queues", **query), now)
    return sorts
