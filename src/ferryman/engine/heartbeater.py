"""Says that this worker and its jobs are alive, from a thread of its own.

A task that blocks the event loop must not look like a dead worker, or its jobs would be
run twice.  So this is the engine's one sync service: a thread over the sync twin of the
storage.  It also notices that the loop is blocked, and says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta

import msgspec

from ferryman.engine.asking import timed
from ferryman.engine.outage import Outage, Report
from ferryman.events import LoopBlocked
from ferryman.job import JobRef
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.infos import WorkerInfo

__all__ = ["Heartbeater"]

_ANNOUNCE_EVERY = 600.0
# A worker that misses one is alive, one that misses two is not: so asynq shows it too (spec/asynq.md 3.15).
_MISSED_BEATS = 2
_BLOCKED_AFTER = 2.0
_LOOK = 0.5


class Heartbeater:
    """Beats every `interval` seconds while the block runs."""

    def __init__(
        self,
        storage: Storage,
        describe: Callable[[], WorkerInfo],
        running: Callable[[], list[JobRef]],
        *,
        interval: float,
        outage: Outage,
    ) -> None:
        self.storage = storage
        self.describe = describe
        self.running = running
        self.interval = interval
        self.events = outage.events
        self._report = Report("heartbeater", outage)
        self._stop = threading.Event()
        self._loop_seen = time.monotonic()
        self._blocked = False

    @contextlib.asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat beside the block; the worker leaves the list at its end."""
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._run, args=(loop,), name="ferryman-heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            await asyncio.to_thread(thread.join, 5.0)

    def beat(self, announce: bool) -> None:
        """Write one heartbeat."""
        info = msgspec.structs.replace(self.describe(), blocked=self._silence() if self._blocked else 0.0)
        if refs := self.running():  # first: whatever else cannot be written, jobs that run stay ours
            self.storage.jobs.extend(refs, worker=info.id)
        if announce:
            self.storage.queues.announce(list(info.queues))
        self.storage.workers.beat(info, expires_in=timedelta(seconds=self.interval * _MISSED_BEATS))

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stop.is_set():
            with self._reported(), self.storage:
                self._beat_until_stopped(loop)
            self._stop.wait(self.interval)  # it could not be opened: try again

    def _beat_until_stopped(self, loop: asyncio.AbstractEventLoop) -> None:
        next_beat, next_announce = 0.0, 0.0
        while not self._stop.is_set():
            now = time.monotonic()
            self._watch_loop(loop)
            if now >= next_beat:
                with self._reported(), timed(self.events, "beat"):
                    self.beat(announce=now >= next_announce)
                    next_announce = now + _ANNOUNCE_EVERY if now >= next_announce else next_announce
                    self._report.works()
                next_beat = now + self.interval
            self._stop.wait(min(_LOOK, self.interval))
        self.storage.workers.leave(self.describe().id)

    def _watch_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        silent = self._silence()
        if silent > _BLOCKED_AFTER and not self._blocked:
            self._blocked = True
            self.events.publish(LoopBlocked(silent, tuple(job.kind for job in self.describe().running)))
        with contextlib.suppress(RuntimeError):  # the loop may be closing
            loop.call_soon_threadsafe(self._seen)

    def _silence(self) -> float:
        return time.monotonic() - self._loop_seen

    def _seen(self) -> None:
        self._loop_seen = time.monotonic()
        self._blocked = False

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._report.failed(error)
