"""What is enqueued by the clock (spec/dashboard.md 2.7)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.responses import Response

from ferryman.job import JobRef, State
from ferryman.storage.infos import PeriodicInfo, PeriodicRun
from ferryman.web import replies
from ferryman.web.formats import duration
from ferryman.web.pages.cron_words import in_words, times_after
from ferryman.web.pages.parts import Note
from ferryman.web.sharing import Seen
from ferryman.web.visit import Visit

__all__ = ["EntryRow", "entry_row", "page", "ran_for"]

_WITH_RUNS = 50
_RUNS = 30
_BAD = (State.DISCARDED, State.RETRYABLE)
_LATE, _VERY_LATE = timedelta(seconds=20), timedelta(seconds=120)


@dataclass(frozen=True)
class EntryRow:
    """One schedule."""

    key: str
    kind: str
    queue: str
    spec: str
    next_at: datetime | None
    last_at: datetime | None
    late: str
    late_tone: str
    owner: str
    paused: bool
    pause_note: str
    next_reason: str = "no live scheduler has said"
    last_reason: str = "it has not run, or nobody has recorded it"
    meaning: str = ""
    then: str = ""
    due: bool = False
    last_ref: JobRef | None = None
    last_state: str = ""
    last_took: float | None = None
    runs: Sequence[float | None] = ()
    runs_label: str = ""
    runs_bad: Sequence[float | None] = ()


@dataclass(frozen=True)
class Nothing:
    """Why there is none, and what to write."""

    title: str
    text: str
    code: str


@dataclass(frozen=True)
class Periodic:
    """The page."""

    text: str
    warnings: Sequence[Note]
    entries: Sequence[EntryRow]
    has_history: bool
    note: str
    empty: Nothing


_NONE = Nothing(
    "No periodic jobs are registered",
    "Declare one on a task: it appears here within seconds of its worker's start, as Go's schedulers do.",
    '@jobs.every("1m")\n@jobs.task("heartbeat")\nasync def heartbeat() -> None: ...',
)


async def page(visit: Visit) -> Response:
    """Show what is enqueued by the clock."""
    sight = await visit.place.collector.sight()
    runs = await asyncio.gather(*(_runs(visit, each) for each in sight.schedules.value[:_WITH_RUNS]))
    facts = (sight.number, *((each.at, each.why) for each in runs))
    if replies.unchanged(visit, *facts):
        return replies.same(visit)
    known = {each.id: found.value or () for each, found in zip(sight.schedules.value, runs, strict=False)}
    entries = [entry_row(each, known.get(each.id, ()), visit) for each in sight.schedules.value]
    shown = Periodic(
        text=_text(entries, sight.schedules.why),
        warnings=[Note("warn", text) for text in _twice(sight.schedules.value)],
        entries=entries,
        has_history=any(each.runs for each in entries),
        note="",
        empty=_NONE,
    )
    return await replies.page(visit, "periodic.html", shown, *facts)


async def _runs(visit: Visit, entry: PeriodicInfo) -> Seen[Sequence[PeriodicRun] | None]:
    admin = visit.place.admin.periodic
    return await visit.place.history.latest(("runs", entry.id), lambda: admin.history(entry.id, limit=_RUNS))


def _text(entries: Sequence[EntryRow], why: str) -> str:
    if why:
        return f"Not all of it is known: {why}"
    if not entries:
        return ""
    paused = sum(each.paused for each in entries)
    text = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    return f"{text}, {paused} paused" if paused else text


def entry_row(entry: PeriodicInfo, runs: Sequence[PeriodicRun], visit: Visit) -> EntryRow:
    """Return a schedule as a list shows it, with its latest runs, the latest first."""
    last, now = runs[0] if runs else None, visit.now
    bad = sum(_went_wrong(run) for run in runs)
    late = now - entry.next_at if entry.next_at and not entry.paused_at else -_LATE
    return EntryRow(
        key=entry.id,
        kind=entry.kind,
        queue=entry.queue,
        spec=entry.spec,
        meaning=in_words(entry.spec),
        then=times_after(entry.spec, entry.next_at, visit.likes.times) if entry.next_at else "",
        due=entry.next_at is not None and timedelta() <= late <= _LATE,
        next_at=None if entry.paused_at else entry.next_at,
        next_reason="paused" if entry.paused_at else "no live scheduler has said",
        last_at=last.at if last else entry.last_at,
        last_ref=last.ref if last else None,
        last_state=last.job.state.value if last and last.job else "",
        last_took=ran_for(last) if last else None,
        runs=[1.0 if run.job else None for run in reversed(runs)],
        runs_bad=[1.0 if _went_wrong(run) else None for run in reversed(runs)],
        runs_label=f"the latest {len(runs)} runs, {bad} of which failed",
        late=f"{duration(late)} late" if late > _LATE else "",
        late_tone="bad" if late > _VERY_LATE else "warn" if late > _LATE else "",
        owner="" if entry.ours else entry.owner,
        paused=entry.paused_at is not None,
        pause_note=_paused(entry),
    )


def ran_for(run: PeriodicRun) -> float | None:
    """Return for how many seconds the latest attempt of a run worked, when it has ended."""
    job = run.job
    if job is None or job.finalized_at is None or job.attempted_at is None:
        return None
    return (job.finalized_at - job.attempted_at).total_seconds()


def _went_wrong(run: PeriodicRun) -> bool:
    return run.job is not None and run.job.state in _BAD


def _paused(entry: PeriodicInfo) -> str:
    if entry.paused_at is None:
        return ""
    by = f" by {entry.paused_by}" if entry.paused_by else ""
    why = f": {entry.pause_reason}" if entry.pause_reason else ""
    return f"paused since {entry.paused_at:%Y-%m-%d %H:%M} UTC{by}{why}"


def _twice(entries: Sequence[PeriodicInfo]) -> list[str]:
    """Return what two of Go's schedulers enqueue both: they have no leader."""
    seen = Counter((each.spec, each.kind, each.queue) for each in entries if each.owner != "ferryman")
    return [
        f'"{kind}" ({spec}) is registered by {number} schedulers at once: each tick is enqueued {number} times.'
        for (spec, kind, _), number in seen.items()
        if number > 1
    ]
