"""How much was worked, read from the jobs that are still there."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Literal

from ferryman.admin.throughput import ENDED, Throughputs, Weighing
from ferryman.opening import AsyncOpen
from ferryman.storage.values import JobFilter

__all__ = ["AsyncStatsAdmin"]

_AT_ONCE = 1_000


class AsyncStatsAdmin:
    """Throughput, run times and failures."""

    def __init__(self, open: AsyncOpen) -> None:
        self._open = open

    async def throughput(
        self,
        window: timedelta,
        *,
        by: Literal["kind", "queue"] = "kind",
        sample: int = 10_000,
        seconds: float = 2.0,
        now: datetime | None = None,
    ) -> Throughputs:
        """Weigh jobs whose latest attempt ended within the window.

        Looks at the latest `sample` jobs and for `seconds` at most, and says when there are
        more.  A job that was deleted, or whose retention is over, is not seen.
        """
        now = now or datetime.now(UTC)
        weighing = Weighing(by, now - window, now)
        which = JobFilter(states=ENDED, ended_since=now - window)
        jobs, ends = (await self._open()).jobs, time.monotonic() + seconds
        scanned, cursor, more = 0, None, True
        while more and scanned < sample and time.monotonic() < ends:
            page = await jobs.list(which, limit=min(_AT_ONCE, sample - scanned), cursor=cursor)
            for job in page.items:
                weighing.add(job)
            scanned += len(page.items)
            cursor, more = page.next, page.next is not None
        return weighing.result(truncated=more)
