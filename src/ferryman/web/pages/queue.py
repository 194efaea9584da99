"""One queue (spec/dashboard.md 2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from shlex import quote

from starlette.datastructures import QueryParams
from starlette.responses import Response

from ferryman.errors import FerrymanError, QueueNotFound
from ferryman.facts import NOT_PERMITTED
from ferryman.job import State
from ferryman.storage.infos import QueueDetails, QueueInfo
from ferryman.web import replies
from ferryman.web.collector import Sight
from ferryman.web.filters import read_chosen
from ferryman.web.pages.charts import Chart, latency_chart, throughput_chart
from ferryman.web.pages.jobs import ORDER, TONES
from ferryman.web.pages.listing import Chip, chips, filter_form, job_list
from ferryman.web.pages.parts import Condition, Form, Tab
from ferryman.web.pages.queues import condition, paused_note
from ferryman.web.pages.rows import JobList
from ferryman.web.reading import past
from ferryman.web.sharing import Seen, within_time
from ferryman.web.visit import Visit

__all__ = ["page"]

_FIXED = ("queue",)
_DAYS = 14
_PATIENCE = 5.0


@dataclass(frozen=True)
class Day:
    """What the queue did on a day."""

    day: date
    processed: int
    failed: int


@dataclass(frozen=True)
class Memory:
    """About how much memory it takes, as it was measured last; `url` measures it now, where that can be done."""

    bytes: int | None
    at: datetime | None
    reason: str
    url: str


@dataclass(frozen=True)
class Queue:
    """The page."""

    name: str
    condition: Condition
    paused: bool
    text: str
    command: str
    held: int
    """How many jobs it holds: they are to be deleted before it can be."""
    states: Sequence[Tab]
    form: Form
    chips: Sequence[Chip]
    list: JobList
    charts: Sequence[Chart]
    kinds: Sequence[object]
    kinds_note: str
    days: Sequence[Day]
    days_note: str
    memory: Memory


async def page(visit: Visit) -> Response:
    """Show one queue with its jobs."""
    # Its own filters call the queue by the word that every list has for it.
    name = visit.query.get("name") or visit.query.get("queue", "")
    info = await within_time(visit.place.admin.queues.get(name)) if name else _unknown(name)
    words = [("queue", name), *(each for each in visit.query.multi_items() if each[0] not in ("name", "queue"))]
    if not any(word == "state" for word, _ in words):
        words.append(("state", _first(info)))
    chosen = read_chosen(QueryParams(words), hides=visit.hides, now=visit.now)
    sight = await visit.place.collector.sight()
    read = await past(visit, timedelta(hours=1), queue=name)
    days, note = await _history(visit, name)
    held = sum(info.counts.values())
    shown = Queue(
        name=name,
        condition=condition(info, sight),
        paused=info.paused_at is not None,
        text=_text(info, sight),
        command=f"ferryman job list -Q {quote(name)}",
        held=held,
        states=[_tab(visit, info, state, chosen.which.states) for state in ORDER],
        form=filter_form(visit, sight, chosen, fixed=_FIXED, name="queue"),
        chips=chips(visit, chosen, "queue", _FIXED),
        list=await job_list(visit, chosen, "queue", _FIXED),
        charts=[throughput_chart(read, visit.likes.times), latency_chart(read, visit.likes.times)],
        kinds=(),
        kinds_note="",
        days=days,
        days_note=note,
        memory=await _memory(visit, name),
    )
    return await replies.page(visit, "queue.html", shown)


def _text(info: QueueInfo, sight: Sight) -> str:
    if info.paused_at is not None:
        return f"Paused {paused_note(info)}."
    at_it = [worker for worker in sight.workers.value if worker.takes_from(info.name)]
    slots = sum(worker.concurrency for worker in at_it)
    workers = "1 worker" if len(at_it) == 1 else f"{len(at_it)} workers"
    return (
        f"{info.counts.get(State.RUNNING, 0)} of {slots} slots, {workers}"
        if at_it
        else "No live worker takes its jobs."
    )


def _unknown(name: str) -> QueueInfo:
    raise QueueNotFound(name, ())


def _first(info: QueueInfo) -> str:
    """Return the most urgent state of which there are jobs."""
    return next((state.value for state in ORDER if info.counts.get(state)), State.AVAILABLE.value)


def _tab(visit: Visit, info: QueueInfo, state: State, current: Sequence[State]) -> Tab:
    url = visit.url("queue", name=info.name, state=state.value)
    return Tab(
        state.value.capitalize(), url, tuple(current) == (state,), info.counts.get(state, 0), TONES.get(state, "")
    )


async def _history(visit: Visit, name: str) -> tuple[list[Day], str]:
    try:
        days = await within_time(visit.place.admin.queues.history(name, days=_DAYS))
    except (FerrymanError, TimeoutError) as error:
        return [], f"The history cannot be read: {error}"
    note = "attempts by UTC day" if visit.place.asynq else "ended jobs that are still kept, by UTC day"
    return [Day(each.day, each.processed, each.failed) for each in reversed(days)], note


async def _memory(visit: Visit, name: str) -> Memory:
    """Measure where the button was pressed, which a page that keeps itself up to date does not do again."""
    if not visit.place.asynq:
        return Memory(None, None, "the jobs of all queues share one table", "")
    history, what = visit.place.history, ("memory", name)
    if visit.query.get("memory") and "hx-request" not in visit.request.headers:
        await history.latest(what, lambda: visit.place.admin.queues.details(name), patience=_PATIENCE)
    seen: Seen[QueueDetails | None] = history.last(what)
    words = {**{key: visit.query.getlist(key) for key in visit.query}, "memory": "measure"}
    taken = seen.value.memory if seen.value else None
    why = seen.why or (NOT_PERMITTED if seen.value else "not measured yet")
    return Memory(taken, seen.at, why, f"{visit.url('queue', **words)}#memory")
