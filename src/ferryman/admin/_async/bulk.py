"""Acting on many jobs, a few hundred at a time, so that workers beside it hardly notice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from ferryman.admin._async.counting import async_counted
from ferryman.admin.bulk import Preview, Progress, bounded
from ferryman.errors import StorageError
from ferryman.events import Acted, EventBus
from ferryman.opening import AsyncOpen
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action

__all__ = ["AsyncBulkAdmin", "longest_pause", "rest_after"]

_STEP = 200
_SAMPLES = 5
_PAUSE = 5.0
_REST = 3.0
"""How many times as long as a step took it is rested after: with less a worker beside it lost over a third."""


class AsyncBulkAdmin:
    """Actions on every job that a filter means."""

    def __init__(self, open: AsyncOpen, events: EventBus) -> None:
        self._open = open
        self._events = events

    async def preview(self, which: JobFilter, *, cap: int = 10_000, seconds: float = 3.0) -> Preview:
        """Say how many jobs would be acted on; those to be looked at are counted up to `cap`, for `seconds` at most."""
        storage = await self._open()
        counts, samples = await async_counted(storage, which, cap=cap, seconds=seconds, samples=_SAMPLES)
        return Preview(counts.total, counts.truncated, samples)

    async def run(
        self,
        action: Action,
        which: JobFilter,
        *,
        rate: float | None = None,
        cursor: str | None = None,
        now: datetime | None = None,
        actor: str = "",
        reason: str = "",
    ) -> AsyncIterator[Progress]:
        """Act on every job there is now that fits, 200 at a time, and tell after each step how far it is.

        Rests after each step for up to three times as long as it took, and longer where `rate` allows fewer
        a second.  Leave the loop to stop; `cursor` of the latest progress goes on from there.
        """
        jobs = (await self._open()).jobs
        which = bounded(which, now or datetime.now(UTC))
        progress, more = Progress(), True
        step = _STEP if rate is None else min(max(int(rate * _PAUSE), 1), _STEP)
        while more:
            began = time.monotonic()
            page = await jobs.list(which, limit=step, cursor=cursor)
            refs = [job.ref for job in page.items]
            answers = list(zip(refs, await jobs.act(action, refs), strict=True)) if refs else []
            progress = progress.after(answers, page.next)
            if refs:
                self._events.publish(Acted(action.done, f"{len(refs)} jobs by filter", actor, reason))
            yield progress
            for _, error in progress.latest:
                if isinstance(error, StorageError):
                    raise error
            cursor, more = page.next, page.next is not None
            took = time.monotonic() - began
            if more:
                await asyncio.sleep(max(rest_after(took), len(refs) / rate - took if rate else 0.0))


def rest_after(took: float) -> float:
    """Return for how many seconds to rest after a step; after a long one no longer than it took, or it seems dead."""
    return max(took, min(_REST * took, _PAUSE))


def longest_pause(rate: float | None) -> float:
    """Return for how many seconds a step at a rate is rested after, at most: it is made small enough."""
    return max(_PAUSE, 1 / rate) if rate else 0.0
