"""Notices jobs that wait for a task which nobody has written, or imported, here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ferryman.events import EventBus, UnknownKinds
from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["Strangers"]


@dataclass(frozen=True)
class Strangers:
    storage: AsyncStorage
    queues: Collection[str]
    kinds: Collection[str]
    events: EventBus

    async def tick(self) -> None:
        """Say which kinds wait in our queues that this worker does not know."""
        waiting = await self.storage.jobs.waiting_kinds(list(self.queues))
        if strange := tuple(kind for kind in waiting if kind not in self.kinds):
            self.events.publish(UnknownKinds(strange))
