"""Rebuilds indexes at night: an index of jobs that come and go only ever grows (spec/river.md 6.7).

The leader looks every minute whether it is time.  A night that nobody led is left out.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from ferryman.clock import Clock
from ferryman.cron import Schedule
from ferryman.engine.leader import Leader
from ferryman.errors import StorageError, StorageUnavailable
from ferryman.events import EventBus, IndexRebuilt, IndexSkipped
from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["LOOK_EVERY", "Reindexer"]

LOOK_EVERY = 60.0
_TOO_LATE = timedelta(hours=1)
_TIME_TO_CLEAR = 15.0


class Reindexer:
    """Rebuilds `names`, one after another, each for at most `timeout` seconds.

    `expected` are names whose absence is worth a warning: not every database has all of River's own.
    """

    def __init__(
        self,
        storage: AsyncStorage,
        leader: Leader,
        names: Sequence[str],
        *,
        expected: bool,
        schedule: Schedule,
        timeout: float | None,
        clock: Clock,
        events: EventBus,
    ) -> None:
        self.storage = storage
        self.leader = leader
        self.names = names
        self.expected = expected
        self.schedule = schedule
        self.timeout = timeout
        self.clock = clock
        self.events = events
        self._next: datetime | None = schedule.next(clock.now())

    async def tick(self) -> None:
        """Rebuild all, if it is time, for as long as this worker leads."""
        now, due = self.clock.now(), self._next
        if due is None or now < due:
            return
        self._next = self.schedule.next(now)
        if now - due > _TOO_LATE:
            return
        there = await self.storage.schema.indexes()
        for name in self.names:
            if not self.leader.leading:
                return
            await self._rebuild(name, there)

    async def _rebuild(self, name: str, there: Sequence[str]) -> None:
        if name not in there:
            if self.expected:
                self.events.publish(IndexSkipped(name, "there is no such index"))
        elif left := _leftovers(name, there):
            why = f"{left[0]} is left over from a rebuild that was cut short. Drop it if none is under way"
            self.events.publish(IndexSkipped(name, why))
        else:
            await self._within_its_time(name)

    async def _within_its_time(self, name: str) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout):
                await self.storage.schema.reindex(name)
        except TimeoutError:
            await self._clear(name)
            self.events.publish(IndexSkipped(name, f"rebuilding it took longer than {self.timeout:g} s"))
        except StorageError as error:
            if isinstance(error, StorageUnavailable):
                raise
            self.events.publish(IndexSkipped(name, str(error)))  # others may have another owner
        except BaseException:
            await self._clear(name)
            raise
        else:
            self.events.publish(IndexRebuilt(name, time.monotonic() - began))

    async def _clear(self, name: str) -> None:
        """Drop what a rebuild left that was cut short; before it began there was nothing of the kind."""
        async with asyncio.timeout(_TIME_TO_CLEAR):
            for left in _leftovers(name, await self.storage.schema.indexes()):
                await self.storage.schema.drop_index(left)


def _leftovers(name: str, there: Sequence[str]) -> list[str]:
    half_built = re.compile(re.escape(name) + r"_cc(new|old)\d*")
    return [each for each in there if half_built.fullmatch(each)]
