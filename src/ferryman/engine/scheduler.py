"""Makes due jobs available.

A job enqueued for later, or waiting for its retry, rests in the store until its time
comes.  Moving it is this service's work, so that fetching need not look for what is due.
On Redis fetching does, in the same round trip; there this service is for queues from
which nobody fetches now.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ferryman.clock import Clock
from ferryman.engine.portions import Portions
from ferryman.events import EventBus, JobsScheduled
from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["Scheduler"]

BATCH = 10_000


@dataclass(frozen=True)
class Scheduler:
    storage: AsyncStorage
    clock: Clock
    events: EventBus
    portions: Portions = field(default_factory=lambda: Portions(BATCH))

    async def tick(self) -> None:
        """Move every job that is due, a batch at a time."""
        promote = self.storage.jobs.promote
        if moved := await self.portions.all(lambda most: promote(now=self.clock.stamp(), limit=most)):
            self.events.publish(JobsScheduled(moved))
