"""What others ask of this worker: that a job stop, that a queue be paused or go on.

It hears of it by notices, and looks for itself every other second: a notice can be lost,
and a worker that does not listen gets none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ferryman.engine.attempt import Attempt
from ferryman.events import EventBus, QueuePaused, QueueResumed
from ferryman.job import JobRef
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import QueueChanged

__all__ = ["Requests"]


class Requests:
    """Knows which of `queues` are paused, and asks after the jobs that run."""

    def __init__(
        self,
        storage: AsyncStorage,
        queues: Collection[str],
        running: Callable[[], Sequence[Attempt]],
        cancel: Callable[[JobRef], None],
        look: Callable[[], None],
        events: EventBus,
    ) -> None:
        self.storage = storage
        self.queues = queues
        self.running = running
        self.cancel = cancel
        self.look = look
        self.events = events
        self._paused: set[str] | None = None

    async def tick(self) -> None:
        """Look whether anybody asked for something without our hearing of it."""
        before = self._paused
        found = set(await self.storage.queues.paused(list(self.queues)))
        if self._paused is None:
            self._paused = found  # as it was when we began is no news
        elif self._paused == before:  # what was heard while we looked is newer
            for queue in sorted(self._paused ^ found):
                self._set(queue, queue in found)
        if refs := [attempt.job.ref for attempt in self.running() if attempt.stopped is None]:
            for ref in await self.storage.jobs.asked_to_stop(refs):
                self.cancel(ref)

    def hear(self, notice: QueueChanged) -> None:
        """Act on a notice about a queue."""
        for queue in self.queues if notice.queue == "*" else [notice.queue]:
            if queue in self.queues and notice.paused is not None:
                self._set(queue, notice.paused)
        if notice.queue == "*" or notice.queue in self.queues:
            self.look()

    def _set(self, queue: str, paused: bool) -> None:
        known = set(self._paused or ())
        if paused == (queue in known):
            return
        self._paused = known | {queue} if paused else known - {queue}
        self.events.publish(QueuePaused(queue) if paused else QueueResumed(queue))
        self.look()
