"""What failed, gathered by what went wrong (spec/dashboard.md 2.6)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.datastructures import QueryParams
from starlette.responses import Response

from ferryman.admin.failures import FailedGroup, FailedGroups
from ferryman.duration import parse_duration
from ferryman.errors import FerrymanError
from ferryman.job import JobRef, State
from ferryman.storage.filters import JobFilter
from ferryman.web import replies
from ferryman.web.filters import read_chosen
from ferryman.web.pages.listing import job_list
from ferryman.web.pages.parts import Choice, Empty, Field, Form, Link
from ferryman.web.pages.rows import JobList
from ferryman.web.reading import together
from ferryman.web.refusals import Refusal
from ferryman.web.sharing import Seen
from ferryman.web.visit import Visit

__all__ = ["group", "page"]

_WINDOWS = {"1h": "1 hour", "24h": "24 hours", "7d": "7 days", "all": "all time"}
_FIXED = ("fp", "state")
_PATIENCE = 2.0
"""As long as it takes to gather them, and a little."""
_RECENT = timedelta(seconds=10)
"""What was gathered before is said to be of then."""


@dataclass(frozen=True)
class GroupRow:
    """Jobs that failed in the same way."""

    fingerprint: str
    state: str
    kind: str
    error: str
    count: int
    last_hour: int
    last_day: int
    capped: bool
    first_at: datetime
    last_at: datetime
    queues: Sequence[str]
    retry_url: str
    next_at: datetime | None = None


@dataclass(frozen=True)
class Failed:
    """The page."""

    text: str
    form: Form
    tabs: Sequence[Link]
    limits: str
    error: str
    groups: Sequence[GroupRow]
    grouped: str
    grouped_at: datetime | None
    list: JobList | None
    empty: Empty
    retrying: Sequence[GroupRow]


@dataclass(frozen=True)
class Tile:
    """One number of a group."""

    label: str
    value: str = ""
    at: datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class Bulk:
    """Something to do with all jobs of a group."""

    label: str
    url: str
    danger: bool = False


@dataclass(frozen=True)
class Sample:
    """The latest error of a group, whole."""

    ref: JobRef
    text: str


@dataclass(frozen=True)
class Group:
    """The page of one group."""

    fingerprint: str
    kind: str
    error: str
    command: str
    bulk: Sequence[Bulk]
    tiles: Sequence[Tile]
    sample: Sample | None
    list: JobList


async def page(visit: Visit) -> Response:
    """Show what failed, by cause, or one by one."""
    window = visit.query.get("window", "24h")
    window = window if window in _WINDOWS else "24h"
    queue, as_list = visit.query.get("queue", ""), visit.query.get("view") == "list"
    since = None if window == "all" else visit.now - parse_duration(window)
    queues = (queue,) if queue else ()
    seen, retrying = await asyncio.gather(
        _latest(visit, JobFilter(ended_since=since, queues=queues), window),
        _latest(visit, JobFilter(states=(State.RETRYABLE,), queues=queues)),
    )
    found, again = seen.value, retrying.value
    shown = Failed(
        text=_summary(found) if found else "",
        form=await _form(visit, window, queue, as_list),
        tabs=_tabs(visit, window, queue, as_list),
        limits=_limits(visit),
        error="" if as_list else seen.why,
        groups=[_row(each, found.truncated, visit) for each in found.groups] if found and not as_list else (),
        grouped=_partial(found) if found else "",
        grouped_at=seen.at if seen.at and visit.now - seen.at > _RECENT else None,
        list=await _list(visit, window, queue) if as_list else None,
        empty=_empty(visit, window, queue),
        retrying=[_row(each, again.truncated, visit, State.RETRYABLE) for each in again.groups] if again else (),
    )
    return await replies.page(visit, "failed.html", shown)


async def group(visit: Visit) -> Response:
    """Show the jobs of one group."""
    fp, state = visit.query.get("fp", ""), visit.query.get("state", State.DISCARDED.value)
    words = [("fp", fp), ("state", state), *(each for each in visit.query.multi_items() if each[0] not in _FIXED)]
    chosen = read_chosen(QueryParams(words), hides=visit.hides, now=visit.now)
    found = await _gathered(visit, chosen.which)
    rows = [each for each in found.groups if each.fingerprint == fp]
    if not rows:
        raise Refusal(
            404, "group_not_found", "No job failed in this way any more.", hint="Its jobs were retried or deleted."
        )
    row, jobs = rows[0], await job_list(visit, chosen, "group", _FIXED)
    shown = Group(
        fingerprint=fp,
        kind=row.kind,
        error=visit.place.redaction.text(row.error),
        command=f"ferryman job list --state {state} --fp {fp}",
        bulk=_bulk(visit, row, State(chosen.which.states[0])),
        tiles=_tiles(row),
        sample=await _sample(visit, row.latest[0]),
        list=jobs,
    )
    return await replies.page(visit, "group.html", shown)


async def _latest(visit: Visit, which: JobFilter, window: str = "") -> Seen[FailedGroups | None]:
    """Return groups as they were gathered last, or why there are none: the list must be there all the same."""
    failed = visit.place.admin.failed
    what = ("groups", which.states, which.queues, window)
    return await visit.place.reads.latest(what, lambda: failed.groups(which), patience=_PATIENCE)


async def _gathered(visit: Visit, which: JobFilter) -> FailedGroups:
    failed = visit.place.admin.failed
    return await together(visit, "groups", lambda: failed.groups(which))


async def _form(visit: Visit, window: str, queue: str, as_list: bool) -> Form:
    sight = await visit.place.collector.sight()
    names = sorted(each.name for each in sight.queues.value)
    fields = [
        Field("window", "Window", window, choices=[Choice(each, _WINDOWS[each]) for each in _WINDOWS]),
        Field("queue", "Queue", queue, choices=[Choice("", "any"), *(Choice(name, name) for name in names)]),
    ]
    return Form(fields, hidden={"view": "list"} if as_list else {})


def _tabs(visit: Visit, window: str, queue: str, as_list: bool) -> list[Link]:
    return [
        Link("Groups", visit.url("failed", window=window, queue=queue), not as_list),
        Link("List", visit.url("failed", window=window, queue=queue, view="list"), as_list),
    ]


async def _list(visit: Visit, window: str, queue: str) -> JobList:
    words = [("state", State.DISCARDED.value), *([("queue", queue)] if queue else [])]
    if window != "all":
        words.append(("ended_since", window))
    return await job_list(visit, read_chosen(QueryParams(words), hides=visit.hides, now=visit.now), "jobs")


def _row(group: FailedGroup, capped: bool, visit: Visit, state: State = State.DISCARDED) -> GroupRow:
    return GroupRow(
        fingerprint=group.fingerprint,
        state=state.value,
        kind=group.kind,
        error=visit.place.redaction.text(group.error),
        count=group.count,
        last_hour=group.last_hour,
        last_day=group.last_day,
        capped=capped,
        first_at=group.first_at,
        last_at=group.last_at,
        queues=group.queues,
        retry_url=_preview(visit, "retry", group, state),
    )


def _preview(visit: Visit, action: str, group: FailedGroup, state: State) -> str:
    return visit.url("bulk_preview", action=action, fp=group.fingerprint, kind=group.kind, state=state.value)


def _bulk(visit: Visit, group: FailedGroup, state: State) -> list[Bulk]:
    give_up = "discard" if visit.place.asynq else "cancel"
    second = Bulk("Give up on all", _preview(visit, give_up, group, state), danger=True)
    if state is not State.RETRYABLE:
        second = Bulk("Delete all", _preview(visit, "delete", group, state), danger=True)
    return [Bulk(f"Retry all {group.count:,}", _preview(visit, "retry", group, state)), second]


def _tiles(group: FailedGroup) -> list[Tile]:
    return [
        Tile("Jobs", f"{group.count:,}"),
        Tile("Last hour", f"{group.last_hour:,}"),
        Tile("Last 24 hours", f"{group.last_day:,}"),
        Tile("First", at=group.first_at),
        Tile("Latest", at=group.last_at),
        Tile("Queues", str(len(group.queues)), note=", ".join(group.queues)),
    ]


async def _sample(visit: Visit, ref: JobRef) -> Sample | None:
    try:
        job = visit.place.redaction.job(await visit.place.admin.jobs.get(ref))
    except FerrymanError:
        return None
    return Sample(job.ref, f"{job.error.error}\n{job.error.trace}".rstrip()) if job.error else None


def _summary(found: FailedGroups) -> str:
    jobs, groups = sum(each.count for each in found.groups), len(found.groups)
    gave_up = "1 job gave up" if jobs == 1 else f"{jobs:,} jobs gave up"
    return f"{gave_up}, for {'one reason' if groups == 1 else f'{groups} different reasons'}" if jobs else ""


def _partial(found: FailedGroups) -> str:
    return f"Grouped the latest {found.scanned:,} of {found.of:,}." if found.truncated else ""


def _limits(visit: Visit) -> str:
    if visit.place.asynq:
        return "asynq keeps 10,000 of them in a queue and drops the oldest without a word, after 90 days at the latest."
    length = timedelta(seconds=visit.place.jobs.settings.keep_discarded or 0)
    return f"Kept for {length.days} days." if length else "Kept for good."


def _empty(visit: Visit, window: str, queue: str) -> Empty:
    links = [] if window == "all" else [Link("Look at all time", visit.url("failed", window="all", queue=queue))]
    return Empty(
        "Nothing has failed for good" + ("" if window == "all" else f" in the last {_WINDOWS[window]}"), links=links
    )
