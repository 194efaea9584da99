"""Writes what became of jobs, in batches, and keeps it through an outage.

While one batch is being written the next gathers, so batches are as large as the load
makes them and a single outcome never waits.  What cannot be written is put back in
front: `finish` only touches jobs that are still the same attempt, so writing twice is
harmless and dropping is not.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from ferryman.clock import Clock
from ferryman.engine.service import Nudge
from ferryman.errors import StorageError
from ferryman.events import EventBus, JobFinished, StorageBack, StorageLost
from ferryman.outcome import Finished
from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["Completer"]

BATCH = 2_000
_LAST_TRIES = 3
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)


class Completer:
    """Holds finished jobs until the storage has them."""

    def __init__(self, storage: AsyncStorage, clock: Clock, events: EventBus) -> None:
        self.storage = storage
        self.clock = clock
        self.events = events
        self._held: list[tuple[Finished, float]] = []
        self._nudge = Nudge()
        self._failures = 0

    @property
    def backlog(self) -> int:
        """How many outcomes are not written yet."""
        return len(self._held)

    def add(self, finished: Finished, seconds: float) -> None:
        """Take over an outcome; `seconds` is how long the attempt took."""
        self._held.append((finished, seconds))
        self._nudge()

    async def run(self) -> None:
        """Write outcomes as they come, until cancelled."""
        while True:
            await self._nudge.wait()
            while self._held:
                try:
                    await self.flush()
                except StorageError as error:
                    await self._wait_out(error)

    async def flush(self) -> None:
        """Write one batch.  Raises StorageError and keeps the batch when that does not work."""
        batch, self._held = self._held[:BATCH], self._held[BATCH:]
        try:
            states = await self.storage.jobs.finish([finished for finished, _ in batch], now=self.clock.stamp())
        except BaseException:
            # Back in front, not lost: a flush can be cut short by an outage or by shutdown.
            self._held = batch + self._held
            raise
        if self._failures:
            self._failures = 0
            self.events.publish(StorageBack(self.clock.now()))
        if self.events.wants(JobFinished):
            for (finished, seconds), state in zip(batch, states, strict=True):
                self.events.publish(JobFinished(finished.job, finished.outcome, state, seconds))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the last outcomes.  In an outage it tries a few times; what stays unwritten is rescued later."""
        for left in reversed(range(_LAST_TRIES)):
            try:
                while self._held:
                    await self.flush()
            except StorageError as failure:
                await self._wait_out(failure)
                if not left:
                    self.events.publish(StorageLost(failure))
            else:
                return

    async def _wait_out(self, error: StorageError) -> None:
        if not self._failures:
            self.events.publish(StorageLost(error))
        pause = _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1
        await self.clock.sleep(pause)
