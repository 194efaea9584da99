"""Jobs as they may be shown: read within a time limit, once for all who ask at the same time, without secrets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from ferryman.admin.bulk import Preview
from ferryman.admin.series import By, Series
from ferryman.job import Job, JobRef
from ferryman.storage.filters import NEWEST_FIRST, JobFilter, JobOrder, Page
from ferryman.web.addresses import path_below
from ferryman.web.collector import Sight
from ferryman.web.refusals import Refusal
from ferryman.web.sharing import Seen, within_time
from ferryman.web.visit import Visit

__all__ = [
    "ORDERS",
    "Past",
    "counted",
    "glimpse",
    "jobs_page",
    "one_job",
    "past",
    "ref_of",
    "together",
    "whole_job",
]

T = TypeVar("T")

ORDERS = {"newest": NEWEST_FIRST, "oldest": JobOrder()}
"""What a list may begin with."""

Past = Seen[Series | None]
"""How it went, by what was counted."""

_MOMENT = 0.1
"""For how many seconds a page waits for what it can do without: the next one, a second later, has it."""


async def together(visit: Visit, what: str, read: Callable[[], Awaitable[T]]) -> T:
    """Return what is read for this address; all who ask for it at the same time wait for one read."""
    if visit.request.method != "GET":  # what is asked for stands in the body
        return await within_time(read())
    asked = (what, path_below(visit.request), visit.request.url.query)
    return await visit.place.reads.fresh(asked, read)


async def glimpse(visit: Visit) -> Sight:
    """Return the storage as it was last seen; the first time it may say that it is being read."""
    return await visit.place.collector.glimpse(_MOMENT)


async def past(visit: Visit, window: timedelta, *, by: By | None = None, queue: str | None = None) -> Past:
    """Return how it went over a window, as it was read last; the first time it may say that it is being read."""
    cuts = visit.place.admin.stats.cuts
    read = await visit.place.history.latest(
        (window, queue), lambda: cuts(window, None, "kind", "queue", queue=queue), patience=_MOMENT
    )
    return Seen(read.value[by] if read.value else None, read.why, read.at)


async def jobs_page(visit: Visit, which: JobFilter, *, limit: int) -> Page[Job]:
    """Return a page of jobs, from the address's cursor on."""
    cursor = visit.query.get("cursor") or None
    jobs = visit.place.admin.jobs
    order = _order(visit)
    page = await together(visit, f"jobs {limit}", lambda: jobs.list(which, order=order, limit=limit, cursor=cursor))
    shown = list(map(visit.place.redaction.job, page.items))
    return Page([job for job in shown if says(which, job)], page.next)


def _order(visit: Visit) -> JobOrder:
    said = visit.query.get("order", "") or "newest"
    if said not in ORDERS:
        raise Refusal(400, "bad_filter", f'order is "{said[:50]}". It takes newest or oldest.')
    return ORDERS[said]


def says(which: JobFilter, shown: Job) -> bool:
    """Whether a job says what was looked for in what is shown of it: what is hidden is not to be guessed at."""
    said = shown.error.error if shown.error else ""
    return which.error.lower() in said.lower()


async def counted(visit: Visit, which: JobFilter) -> Preview:
    """Return how many jobs a filter means, with a few of them; none where it fits only what is hidden in them."""
    found = await together(visit, "preview", lambda: visit.place.admin.bulk.preview(which))
    samples = list(map(visit.place.redaction.job, found.samples))
    if samples and not any(says(which, each) for each in samples):
        return Preview(0, False, [])
    return Preview(found.count, found.capped, samples)


async def one_job(visit: Visit) -> Job:
    """Return the job that an address names.  Raises Refusal, JobNotFound."""
    return visit.place.redaction.job(await whole_job(visit))


async def whole_job(visit: Visit) -> Job:
    """Return the job that an address names, secrets too.  Raises Refusal, JobNotFound."""
    jobs, ref = visit.place.admin.jobs, ref_of(visit)
    return await together(visit, "job", lambda: jobs.get(ref))


def ref_of(visit: Visit) -> JobRef:
    """Return which job an address means.  Raises Refusal when it names none."""
    if text := visit.query.get("ref", ""):
        return JobRef.parse(text)
    id = visit.query.get("id", "")
    if not id:
        raise Refusal(400, "bad_filter", "The address does not say which job. It takes ?id=… or ?ref=…")
    return JobRef(id, visit.query.get("queue", "") if visit.place.asynq else "")
