"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

__all__ = ["FakeClock"]

_STEPS = 20


class FakeClock:
    """Time in hand: the storage is told it with every statement, and sleepers wake when it is moved.

    What runs in a thread, such as a SQLite statement, does not wait for it: after moving
    the clock wait for an event (`Recorder.wait_for`).
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        """Return the time to which the clock was moved."""
        return self._now

    def stamp(self) -> datetime | None:
        """Return the same: tests never leave the time to the database."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved this far."""
        awake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), next(self._order), awake))
        await awake

    async def advance(self, seconds: float) -> None:
        """Move the clock; who sleeps is woken in order, each at its own time, and may sleep again on the way."""
        end = self._now + timedelta(seconds=seconds)
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now, _, awake = heapq.heappop(self._sleepers)
            if not awake.done():
                awake.set_result(None)
                await _settle()
        self._now = end


async def _settle() -> None:
    """Let everything run that can run without waiting for a thread."""
    for _ in range(_STEPS):
        await asyncio.sleep(0)
