"""An action on every job that a filter means: what it would do, and how far it is (spec/dashboard.md 2.10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.datastructures import FormData, QueryParams
from starlette.responses import RedirectResponse, Response

from ferryman.admin.operations import BulkInfo, BulkState
from ferryman.job import JobRef
from ferryman.redaction import USUAL
from ferryman.storage.values import Action
from ferryman.web import replies
from ferryman.web.entrance.access import needed, require
from ferryman.web.filters import FIELDS, Chosen, in_words, read_chosen
from ferryman.web.formats import capped
from ferryman.web.pages.acting import read_action
from ferryman.web.pages.parts import Link
from ferryman.web.pages.rows import JobRow, row
from ferryman.web.reading import counted
from ferryman.web.refusals import Refusal
from ferryman.web.visit import Visit

__all__ = ["all", "page", "preview", "resume", "start", "stop"]

_WILL = {
    Action.RETRY: "will be retried.",
    Action.CANCEL: "will be cancelled; those that run are asked to stop.",
    Action.DISCARD: "will not be tried again.",
    Action.DELETE: "will be deleted, and nothing of them stays.",
}
_TONES = {
    BulkState.RUNNING: "busy",
    BulkState.STOPPING: "warn",
    BulkState.STOPPED: "warn",
    BulkState.INTERRUPTED: "bad",
    BulkState.DONE: "ok",
}
_REASONS = {"WrongState": "in another state", "JobNotFound": "gone", "DuplicateJob": "not unique"}
_TYPED = 100
"""From how many jobs on their number has to be typed."""


@dataclass(frozen=True)
class Preview:
    """What it would do."""

    title: str
    filter_text: str
    back: Link
    count: int
    capped: bool
    will: str
    cost: str
    warning: str
    words: Sequence[tuple[str, str]]
    action: str
    typed: bool
    has_rate: bool
    yes: str
    command: str
    samples: Samples


@dataclass(frozen=True)
class Samples:
    """A few of the jobs."""

    jobs: Sequence[JobRow]


@dataclass(frozen=True)
class Skipped:
    """A job that was skipped."""

    ref: JobRef
    why: str


@dataclass(frozen=True)
class BulkRow:
    """One of them, and how far it is."""

    id: str
    title: str
    filter_text: str
    state: str
    tone: str
    seen: int
    expected: int
    capped: bool
    done: int
    skipped: int
    skipped_note: str
    errors: int
    per_second: float | None
    left: float | None
    started_at: datetime
    ended_at: datetime | None
    actor: str
    why: str
    can_continue: bool
    reasons: Sequence[Skipped]
    reasons_note: str


@dataclass(frozen=True)
class Bulks:
    """All of them."""

    bulks: Sequence[BulkRow]


async def preview(visit: Visit) -> Response:
    """Show what it would do, with a few of the jobs."""
    action = read_action(visit.query.get("action", ""))
    chosen = _chosen(visit, visit.query)
    found = await counted(visit, chosen.which)
    require(needed(action, many=True), visit.access)
    number = capped(found.count, found.capped)
    shown = Preview(
        title=f"{action.value.capitalize()} {number} job{'' if found.count == 1 else 's'}",
        filter_text=in_words(chosen.which),
        back=Link("Jobs", visit.url("jobs", **_query(chosen.words))),
        count=found.count,
        capped=found.capped,
        will=_WILL[action],
        cost="",
        warning="",
        words=chosen.words,
        action=action.value,
        typed=found.count > _TYPED,
        has_rate=True,
        yes=f"{action.value.capitalize()} {'it' if found.count == 1 else 'them'}",
        command="",
        samples=Samples([row(each, visit.place) for each in found.samples]),
    )
    return await replies.page(visit, "bulk_preview.html", shown)


async def start(visit: Visit) -> Response:
    """Begin it, and show how far it is."""
    form = await visit.form()
    action, chosen = read_action(str(form.get("action", ""))), _chosen(visit, form)
    expected = str(form.get("expected", "0"))
    number = int(expected) if expected.isdecimal() and len(expected) < 12 else 0
    if number > _TYPED and str(form.get("typed", "")).strip().replace(",", "") != str(number):
        back = visit.url("bulk_preview", action=action.value, **_query(chosen.words))
        return replies.back(visit, "The number that was typed is another: nothing was changed.", back, tone="warn")
    bulk = await visit.changes.start_bulk(action, chosen.which, number, _rate(str(form.get("rate", ""))))
    return RedirectResponse(visit.url("bulk", id=bulk.id), 303)


async def stop(visit: Visit) -> Response:
    """Stop one after its present step."""
    form = await visit.form()
    bulk = await visit.changes.stop_bulk(str(form.get("id", "")))
    return replies.back(visit, "It stops after its present step.", visit.url("bulk", id=bulk.id))


async def resume(visit: Visit) -> Response:
    """Go on with one."""
    form = await visit.form()
    bulk = await visit.changes.resume_bulk(str(form.get("id", "")))
    return replies.back(visit, "It goes on where it was.", visit.url("bulk", id=bulk.id))


async def page(visit: Visit) -> Response:
    """Show one of them."""
    return await replies.page(
        visit, "bulk.html", _row(await visit.place.admin.bulk.get(visit.query.get("id", "")), visit.now)
    )


async def all(visit: Visit) -> Response:
    """Show all of them."""
    return await replies.page(
        visit, "bulks.html", Bulks([_row(each, visit.now) for each in await visit.place.admin.bulk.list()])
    )


def _row(bulk: BulkInfo, now: datetime) -> BulkRow:
    seen, took = bulk.done + bulk.skipped, ((bulk.ended_at or now) - bulk.started_at).total_seconds()
    per_second = seen / took if seen and took > 0 else None
    expected = max(bulk.expected or 0, seen)
    return BulkRow(
        id=bulk.id,
        title=f"{bulk.action.value.capitalize()} jobs",
        filter_text=in_words(bulk.which),
        state=bulk.state.value,
        tone=_TONES[bulk.state],
        seen=seen,
        expected=expected,
        capped=False,
        done=bulk.done,
        skipped=bulk.skipped,
        skipped_note=", ".join(f"{_REASONS.get(name, name)} {number:,}" for name, number in bulk.reasons.items()),
        errors=1 if bulk.error else 0,
        per_second=per_second,
        left=(expected - seen) / per_second if per_second and bulk.is_live else None,
        started_at=bulk.started_at,
        ended_at=bulk.ended_at,
        actor=bulk.actor or "somebody on this machine",
        why=USUAL.text(bulk.error),
        can_continue=bulk.state in (BulkState.STOPPED, BulkState.INTERRUPTED),
        reasons=[Skipped(JobRef.parse(each.ref), USUAL.text(each.detail)) for each in bulk.latest],
        reasons_note="those of the latest step",
    )


def _rate(text: str) -> float | None:
    """Read how many a second at most; nothing is as fast as it goes.  Raises Refusal."""
    if not text.strip():
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < 1e6:
        raise Refusal(400, "bad_rate", f'The rate is "{text[:50]}". It takes a number of jobs a second, such as 10.')
    return rate


def _chosen(visit: Visit, words: QueryParams | FormData) -> Chosen:
    """Return what a form or an address chooses.  Raises Refusal when that is every job."""
    given = [(name, str(value)) for name, value in words.multi_items() if name in FIELDS]
    chosen = read_chosen(QueryParams(given), hides=visit.hides, now=visit.now)
    if not chosen.words:
        raise Refusal(400, "bad_filter", "A bulk operation needs a filter: without one it would mean every job.")
    return chosen


def _query(words: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    query: dict[str, list[str]] = {}
    for name, value in words:
        query.setdefault(name, []).append(value)
    return query
