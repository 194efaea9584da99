"""How it went over a window, read once for all who look, and again only when that costs little."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from ferryman.admin._async.stats import AsyncStatsAdmin
from ferryman.admin.series import By, Series
from ferryman.web.refusals import refusal_for

__all__ = ["Read", "Watched"]

_FRESH = 5.0
_SHARE = 20
_FIRST = 1.0
_LIMIT = 10.0
_KEPT = 64


@dataclass(frozen=True)
class Read:
    """A series, or why there is none yet."""

    series: Series | None
    why: str = ""
    number: int = 0


class Watched:
    """Series of one storage.  A read in flight is shared, and an old one is given while a new one is under way."""

    def __init__(self, stats: AsyncStatsAdmin) -> None:
        self._stats = stats
        self._read: dict[Hashable, Read] = {}
        self._due: dict[Hashable, float] = {}
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    async def get(self, window: timedelta, *, by: By | None = None, queue: str | None = None) -> Read:
        """Return a series; the first time it may say that it is being read."""
        key = (window, by, queue)
        if time.monotonic() >= self._due.get(key, 0.0) and key not in self._tasks:
            self._forget()
            self._tasks[key] = asyncio.create_task(self._look(key, window, by, queue))
        if key not in self._read:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FIRST):
                    await asyncio.shield(self._tasks[key])
        return self._read.get(key, Read(None, "It is being read: look again in a moment."))

    async def close(self) -> None:
        """Read no more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, key: Hashable, window: timedelta, by: By | None, queue: str | None) -> None:
        began, before = time.monotonic(), self._read.get(key, Read(None))
        try:
            async with asyncio.timeout(_LIMIT):
                series = await self._stats.series(window, by=by, queue=queue)
            self._read[key] = Read(series, number=before.number + 1)
        except Exception as error:
            self._read[key] = Read(before.series, refusal_for(error).detail, before.number + 1)
        finally:
            took = time.monotonic() - began
            self._due[key] = time.monotonic() + max(_FRESH, took * _SHARE)
            self._tasks.pop(key, None)

    def _forget(self) -> None:
        """Keep only what was read of late: queues come and go."""
        if len(self._read) > _KEPT:
            latest = sorted(self._due, key=lambda key: self._due[key])[-_KEPT // 2 :]
            self._read = {key: read for key, read in self._read.items() if key in latest}
            self._due = {key: due for key, due in self._due.items() if key in latest}
