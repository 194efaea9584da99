"""What failed, gathered by what went wrong."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC, datetime

import msgspec

from ferryman.admin.failures import FailedGroups, Gathering
from ferryman.job import FINAL, State
from ferryman.opening import AsyncOpen
from ferryman.storage.filters import NEWEST_FIRST, JobFilter, JobOrder
from ferryman.storage.values import Feature

__all__ = ["AsyncFailedAdmin"]

_AT_ONCE = 250
"""How many are judged before others have their turn in the event loop."""


class AsyncFailedAdmin:
    """Failed jobs."""

    def __init__(self, open: AsyncOpen) -> None:
        self._open = open

    async def groups(
        self,
        which: JobFilter | None = None,
        *,
        sample: int = 10_000,
        seconds: float = 1.0,
        now: datetime | None = None,
    ) -> FailedGroups:
        """Gather jobs that gave up, or those in the filter's states, by what went wrong.

        Looks at the latest `sample` jobs and for `seconds` at most, and says when there are more.
        """
        which = which or JobFilter()
        if not which.states:
            which = msgspec.structs.replace(which, states=(State.DISCARDED,))
        storage = await self._open()
        jobs, order = storage.jobs, _order(which, storage.features)
        # Counted without looking inside: how many there are altogether, quickly.
        there = sum((await jobs.count(JobFilter(states=which.states, queues=which.queues))).values())
        gathering = Gathering(now or datetime.now(UTC))
        ends = time.monotonic() + seconds
        scanned, cursor, more = 0, None, True
        while more and scanned < sample and time.monotonic() < ends:
            page = await jobs.list(which, order=order, limit=min(_AT_ONCE, sample - scanned), cursor=cursor)
            for job in page.items:
                gathering.add(job)
            scanned += len(page.items)
            cursor, more = page.next, page.next is not None
        return FailedGroups(groups=gathering.groups(), scanned=scanned, of=there, truncated=more)


def _order(which: JobFilter, features: Collection[Feature]) -> JobOrder:
    """Return the order in which the latest failures come first, where the format can be asked for it."""
    if Feature.ORDERS in features and set(which.states) <= FINAL:
        return JobOrder(by="finalized_at", descending=True)
    return NEWEST_FIRST
