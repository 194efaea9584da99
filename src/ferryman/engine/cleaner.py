"""Deletes finished jobs past their time, and what else has become old."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from ferryman.clock import Clock
from ferryman.engine.portions import Portions
from ferryman.events import EventBus, JobsCleaned
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Retention

__all__ = ["Cleaner"]

BATCH = 10_000
_FORGET_QUEUES_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class Cleaner:
    storage: AsyncStorage
    keep: Retention
    clock: Clock
    events: EventBus
    portions: Portions = field(default_factory=lambda: Portions(BATCH))

    async def tick(self) -> None:
        """Delete jobs past the time of their state, and notices that all have read."""
        await self._all(lambda most: self.storage.jobs.prune(self.keep, limit=most, now=self.clock.stamp()))
        await self.storage.notices.prune(now=self.clock.stamp())

    async def rare_tick(self) -> None:
        """Delete jobs past a time of their own, queues that nobody works any more, and old notes."""
        await self._all(lambda most: self.storage.jobs.prune_own(self.keep, limit=most, now=self.clock.stamp()))
        await self.storage.queues.prune(older_than=_FORGET_QUEUES_AFTER, limit=BATCH, now=self.clock.stamp())
        await self.storage.notebook.prune(now=self.clock.stamp())

    async def _all(self, prune: Callable[[int], Awaitable[int]]) -> None:
        if deleted := await self.portions.all(prune):
            self.events.publish(JobsCleaned(deleted))
