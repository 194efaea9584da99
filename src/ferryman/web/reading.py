"""Jobs as they may be shown: read within a time limit, once for all who ask at the same time, without secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from ferryman.job import Job, JobRef
from ferryman.redaction import job_without_secrets
from ferryman.storage.values import JobFilter, Page
from ferryman.web.refusals import Refusal
from ferryman.web.visit import Visit

__all__ = ["jobs_page", "one_job", "ref_of", "within_time"]

T = TypeVar("T")

_LIMIT = 5.0


async def within_time(read: Awaitable[T]) -> T:
    """Return what is read.  Raises TimeoutError after five seconds."""
    async with asyncio.timeout(_LIMIT):
        return await read


async def jobs_page(visit: Visit, which: JobFilter, *, limit: int) -> Page[Job]:
    """Return a page of jobs, from the address's cursor on."""
    cursor = visit.query.get("cursor") or None
    page = await within_time(visit.place.admin.jobs.list(which, limit=limit, cursor=cursor))
    return Page(list(map(job_without_secrets, page.items)), page.next)


async def one_job(visit: Visit) -> Job:
    """Return the job that an address names.  Raises Refusal, JobNotFound."""
    return job_without_secrets(await within_time(visit.place.admin.jobs.get(ref_of(visit))))


def ref_of(visit: Visit) -> JobRef:
    """Return which job an address means.  Raises Refusal when it names none."""
    id = visit.query.get("id", "")
    if not id:
        raise Refusal(400, "bad_filter", "The address does not say which job. It takes ?id=…")
    return JobRef(id, visit.query.get("queue", "") if visit.place.asynq else "")
