"""The worker: starts the engine's services, runs them until told to stop, and stops them in order."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from ferryman.engine.outage import Report
from ferryman.engine.service import Service, background, every
from ferryman.engine.tally import Tally
from ferryman.errors import ConfigError, QueueNotFound
from ferryman.events import WorkerStarted, WorkerStopped, WorkerStopping
from ferryman.health.memory import resident
from ferryman.health.showing import showing
from ferryman.health.vitals import Vitals
from ferryman.machinery import Machinery, Orders
from ferryman.metrics.page import SHARED, WorkerNumbers
from ferryman.sizes import mebibytes
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.terms import refuse_what_cannot_work, refuse_what_is_lacking

__all__ = ["Lifespan", "Worker"]

Lifespan = Callable[[], AbstractAsyncContextManager[Mapping[type, Any]]]
"""Opens what tasks need, for as long as the worker runs; gives it by type."""

_WEIGHED_EVERY = 5.0


@asynccontextmanager
async def _nothing() -> AsyncIterator[Mapping[type, Any]]:
    yield {}


@dataclass(eq=False)
class Worker(Orders):
    """Runs jobs until told to stop.

    `async with worker:` runs it beside the block, `await worker.serve()` until `stop()`.
    `open` gives the storage; who gives it also closes it.
    """

    open: Callable[[], Awaitable[AsyncStorage]] = field(kw_only=True)
    lifespan: Lifespan = _nothing
    origin: str = ""
    """Where the storage's URL was written, for the line that says that the worker is ready."""
    systemd: str = ""
    """Where systemd wants to hear how it is; only a worker that is a process of its own tells."""
    max_rss: int | None = None
    """How many bytes its process may grow to: then it stops, for another to be started that holds less."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.outgrown = False
        """Whether it stopped because of `max_rss`."""
        self.vitals = Vitals()
        self._numbers = WorkerNumbers()
        self._why = ""
        self._stopping = False
        self._quiet = False
        self._hurry = asyncio.Event()
        self._machinery: Machinery | None = None
        self._serving: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Work until told to stop, and show how it goes where the settings say so."""
        refuse_what_cannot_work(self.tasks, self.settings)
        s, more = self.settings, {"/metrics": self._numbers.page}
        async with showing(self.vitals, address=s.health_addr, file=s.heartbeat_file, systemd=self.systemd, more=more):
            await self._serve()

    async def _serve(self) -> None:
        """Work until told to stop.  Shutdown order is nesting order: the innermost block ends first."""
        storage = await self.open()
        refuse_what_is_lacking(self.tasks, self.settings, storage.features)
        async with self.lifespan() as state, self._tallying(storage) as tally:
            m = self._machinery = Machinery(self, storage, state, tally)
            # A signal may come before there is anything to stop.
            m.fetcher.stopping, m.fetcher.quiet = self._stopping, self._quiet
            self.vitals.watch(m.fetcher, m.completer.outage)
            await m.arrive()
            with self._counting(m), self._telling_how_it_ends(m):
                async with m.completer:  # 4. write the last outcomes
                    async with background(*m.services(), *self._weighing(m)):  # 3. stop the chores
                        async with m.heartbeater().beating():  # 2. alive until here
                            try:
                                self._started(storage)
                                await m.can_hear()
                                await m.fetcher.run()  # 1. take no more jobs
                            finally:
                                self.events.publish(WorkerStopping(len(m.executor.running), self._why))
                                await m.executor.drain(self.settings.shutdown_timeout, self._hurry)
                                await m.completer.written()

    def stop(self, why: str = "") -> None:
        """Take no more jobs, let the running ones end within the shutdown timeout, then end."""
        self._why = self._why or why
        self._stopping = True
        if self._machinery is not None:
            self._machinery.fetcher.stop()

    def stop_now(self, why: str = "") -> None:
        """Stop, and do not wait for running jobs: they are cancelled and go back."""
        self._hurry.set()
        self.stop(why)

    def quiet(self, why: str = "") -> None:
        """Take no more jobs, but stay until told to stop: the running ones go on, and so does the rest."""
        if self._quiet or self._stopping:
            return
        self._quiet = True
        if self._machinery is not None:
            fetcher = self._machinery.fetcher
            fetcher.quiet, fetcher.why_quiet = True, why
            fetcher.nudge()

    async def add_queue(self, name: str, weight: int = 1) -> None:
        """Take jobs from this queue too from now on, or give it another weight.  Raises ConfigError, StorageError."""
        if weight < 1:
            raise ConfigError(f'The weight of "{name}" is {weight}. It takes a whole number, 1 or more.')
        await (await self.open()).queues.announce([name], now=self.clock.stamp())
        self.queues[name] = weight
        if self._machinery is not None:
            self._machinery.fetcher.nudge()

    def remove_queue(self, name: str) -> None:
        """Take no more jobs from this queue; those that run go on.  Raises QueueNotFound, ConfigError for the last."""
        if name not in self.queues:
            raise QueueNotFound(name, sorted(self.queues))
        if len(self.queues) == 1:
            raise ConfigError(f'"{name}" is the only queue of this worker. Stop the worker, or call its quiet().')
        del self.queues[name]

    async def __aenter__(self) -> Self:
        """Start, and return when the worker is ready to take jobs."""
        ready = asyncio.Event()

        def started(event: WorkerStarted) -> None:
            if event.id == self.name:  # the bus may be shared
                ready.set()

        unsubscribe = self.events.subscribe(WorkerStarted, started)
        self._serving = asyncio.create_task(self.serve())
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait({self._serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:  # then nobody comes to __aexit__
            self._serving.cancel()
            await asyncio.wait([self._serving])
            raise
        finally:
            waiting.cancel()
            unsubscribe()
        if self._serving.done():
            await self._serving  # it failed before it was ready, and says why
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._serving is not None:
            await self._serving

    def _weighing(self, machinery: Machinery) -> list[Service]:
        """Look at how large the process has grown, if that is limited."""
        if self.max_rss is None:
            return []
        if resident() is None:
            raise ConfigError(f"On {sys.platform} a process cannot tell how much memory it holds. Leave out --max-rss.")
        return [
            every(_WEIGHED_EVERY, self._weigh, clock=self.clock, report=Report("memory", machinery.completer.outage))
        ]

    async def _weigh(self) -> None:
        held = resident()
        if held and self.max_rss and held > self.max_rss and not self._stopping:
            self.outgrown = True
            self.stop(f"it has grown to {mebibytes(held)}, and --max-rss is {mebibytes(self.max_rss)}")

    def _counting(self, machinery: Machinery) -> AbstractContextManager[None]:
        """Count what happens, where somebody can see the numbers."""
        if not (self.settings.health_addr or os.environ.get(SHARED)):
            return nullcontext()
        return self._numbers.counting(
            self.events,
            kinds={kind: task.options.get("queue", "") for kind, task in self.tasks.items()},
            queues=self.settings.queues,
            rescued=machinery.storage.wording.rescued,
            running=lambda: [attempt.job for attempt in machinery.executor.running],
            slots=machinery.executor.slots,
            look=self.vitals.look,
            storage=machinery.storage.location,
        )

    @contextmanager
    def _telling_how_it_ends(self, machinery: Machinery) -> Iterator[None]:
        error = None
        try:
            yield
        except Exception as failure:
            error = failure
            raise
        finally:
            self.events.publish(WorkerStopped(machinery.executor.released, machinery.completer.backlog, error))

    def _tallying(self, storage: AsyncStorage) -> AbstractAsyncContextManager[Tally | None]:
        """Count attempts by the minute, unless nothing is to stand beside the jobs."""
        return Tally(storage, self.name, self.clock) if self.settings.side_data else nullcontext()

    def _started(self, storage: AsyncStorage) -> None:
        s = self.settings
        kinds = tuple(sorted(self.tasks))
        self.vitals.started = True
        where = (storage.location, self.origin, s.storage)
        self.events.publish(WorkerStarted(self.name, tuple(self.queues), kinds, s.concurrency, *where))
