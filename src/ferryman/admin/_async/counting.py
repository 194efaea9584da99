"""How many jobs a filter means: known at once, or counted one by one within bounds."""

from __future__ import annotations

import time
from collections import Counter

from ferryman.admin.counts import Counts
from ferryman.job import Job, State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.filters import JobFilter
from ferryman.storage.matching import looks_inside
from ferryman.storage.values import Feature

__all__ = ["async_counted"]

_AT_ONCE = 1_000


async def async_counted(
    storage: AsyncStorage, which: JobFilter, *, cap: int, seconds: float, samples: int = 0
) -> tuple[Counts, list[Job]]:
    """Return how many jobs there are by state, with a few of them.

    Where the storage has to look at each job, it ends at `cap` jobs that fit, or after `seconds`.
    """
    jobs = storage.jobs
    if not looks_inside(which) and (Feature.COUNTS in storage.features or _is_kept(which)):
        page = await jobs.list(which, limit=samples) if samples else None
        return Counts(await jobs.count(which)), list(page.items) if page else []
    ends = time.monotonic() + seconds
    counts: Counter[State] = Counter()
    first: list[Job] = []
    cursor, more = None, True
    while more and counts.total() < cap and time.monotonic() < ends:
        page = await jobs.list(which, limit=min(_AT_ONCE, cap - counts.total()), cursor=cursor)
        counts.update(job.state for job in page.items)
        first += page.items[: samples - len(first)]
        cursor, more = page.next, page.next is not None
    return Counts(counts, truncated=more), first


def _is_kept(which: JobFilter) -> bool:
    """Whether every format knows how many these are: it keeps a number for each queue and state."""
    return not (which.kinds or which.since or which.before)
