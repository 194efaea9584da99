"""Turns what others say into nudges and cancellations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from ferryman.clock import Clock
from ferryman.engine.outage import Report
from ferryman.events import EventBus, Listening
from ferryman.job import JobRef
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import (
    CancelRequested,
    HowWoken,
    JobsAvailable,
    LeaderResigned,
    Notice,
    QueueChanged,
    ResignRequested,
)

__all__ = ["Listener"]

_PAUSE = 1.0


@dataclass(frozen=True)
class Listener:
    """Hears notices for as long as the worker runs, jobs draining included."""

    storage: AsyncStorage
    queues: Collection[str]
    jobs_available: Callable[[], None]
    cancel: Callable[[JobRef], None]
    queue_changed: Callable[[QueueChanged], None]
    leader_resigned: Callable[[str], None]
    resign: Callable[[], None]
    clock: Clock
    events: EventBus
    report: Report
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once notices are heard, or it is known that they are not."""

    async def run(self) -> None:
        """Listen, and listen again after a failure; meanwhile polling does the work."""
        known: Notice | None = None
        while True:
            try:
                heard: Any = self.storage.notices.listen()
                async with aclosing(heard):
                    async for notice in heard:
                        self.report.works()
                        if isinstance(notice, HowWoken) and notice != known:
                            known = notice
                            self.events.publish(Listening(notice.by, notice.lacking))
                        self.hear(notice)
                        self.settled.set()
            except Exception as error:
                self.settled.set()
                self.report.failed(error)
            await self.clock.sleep(_PAUSE)

    def hear(self, notice: Notice) -> None:
        """Act on one notice."""
        match notice:
            case JobsAvailable(queue=queue):
                if not queue or queue in self.queues:
                    self.jobs_available()
            case QueueChanged():
                self.queue_changed(notice)
            case CancelRequested(ref=ref):
                self.cancel(ref)
            case LeaderResigned(leader=leader):
                self.leader_resigned(leader)
            case ResignRequested():
                self.resign()
