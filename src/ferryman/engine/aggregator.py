"""Makes one job of a group's jobs, where the storage has groups (spec/asynq.md 4.8).

What is gathered belongs to this worker for a while.  If making one job of it fails, or
takes too long, the storage gives the jobs back to their group and they are gathered anew.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from ferryman.aggregation import Aggregation
from ferryman.clock import Clock
from ferryman.errors import InvalidJob
from ferryman.events import EventBus, GroupCombined, ServiceFailed
from ferryman.job import NewJob
from ferryman.storage._async.beside import AsyncGroups
from ferryman.storage.values import Gathered

__all__ = ["Aggregator"]

_LONGEST_INTERVAL = 7.0


@dataclass(frozen=True)
class Aggregator:
    groups: AsyncGroups
    queues: Collection[str]
    aggregation: Aggregation
    clock: Clock
    events: EventBus

    @property
    def interval(self) -> float:
        """How often to look, in seconds."""
        return min(_LONGEST_INTERVAL, self.aggregation.rules.grace.total_seconds())

    async def tick(self) -> None:
        """Make one job of each group that is due, in every queue of this worker."""
        for queue in tuple(self.queues):  # some may be added meanwhile
            for gathered in await self.groups.gather(queue, self.aggregation.rules, now=self.clock.stamp()):
                await self._combine(gathered)

    async def _combine(self, gathered: Gathered) -> None:
        try:
            async with asyncio.timeout((gathered.until - self.clock.now()).total_seconds()):
                job = await self._combined(gathered)
                inserted = await self.groups.replace(gathered, job, now=self.clock.stamp())
        except Exception as error:
            # One group's failure is no reason for the others to wait.
            self.events.publish(ServiceFailed(f"aggregator, group {gathered.group}", error))
        else:
            self.events.publish(GroupCombined(gathered.group, len(gathered.jobs), inserted.ref))

    async def _combined(self, gathered: Gathered) -> NewJob:
        combine = self.aggregation.combine
        if inspect.iscoroutinefunction(combine):
            job = await combine(gathered.group, gathered.jobs)
        else:
            job = await asyncio.to_thread(combine, gathered.group, gathered.jobs)
        if not isinstance(job, NewJob):
            name = getattr(combine, "__qualname__", combine)
            raise InvalidJob(f"{name} returned {type(job).__qualname__}. It takes a job: return some_task.job(...).")
        return msgspec.structs.replace(job, queue=gathered.queue)
