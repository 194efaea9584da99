"""The worker: puts the engine's services together, runs them, and stops them in order."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import ferryman
from ferryman.chores import Chores
from ferryman.clock import Clock, SystemClock
from ferryman.engine.completer import Completer
from ferryman.engine.executor import Executor
from ferryman.engine.fetcher import Fetcher
from ferryman.engine.heartbeater import Heartbeater
from ferryman.engine.periodic import Periodic
from ferryman.engine.requests import Requests
from ferryman.engine.service import Service, background
from ferryman.engine.tally import Tally
from ferryman.errors import ConfigError, QueueNotFound
from ferryman.events import EventBus, WorkerStarted, WorkerStopped, WorkerStopping
from ferryman.health.showing import showing
from ferryman.health.vitals import Vitals
from ferryman.metrics.page import SHARED, WorkerNumbers
from ferryman.middleware import EnqueueMiddleware, InThread, Middleware, OnError
from ferryman.settings import Settings
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import WorkerInfo
from ferryman.task import Tasks
from ferryman.terms import refuse_what_cannot_work, refuse_what_is_lacking

__all__ = ["Lifespan", "Worker", "worker_name"]

Lifespan = Callable[[], AbstractAsyncContextManager[Mapping[type, Any]]]
"""Opens what tasks need, for as long as the worker runs; gives it by type."""

_LONGEST_SILENCE = 1.0


@asynccontextmanager
async def _nothing() -> AsyncIterator[Mapping[type, Any]]:
    yield {}


@dataclass(eq=False)
class Worker:
    """Runs jobs until told to stop.

    `async with worker:` runs it beside the block, `await worker.serve()` until `stop()`.
    `open` gives the storage; who gives it also closes it.
    """

    open: Callable[[], Awaitable[AsyncStorage]]
    tasks: Tasks
    settings: Settings = field(default_factory=Settings)
    events: EventBus = field(default_factory=EventBus)
    clock: Clock = field(default_factory=SystemClock)
    middleware: Sequence[Middleware] = ()
    on_enqueue: Sequence[EnqueueMiddleware] = ()
    lifespan: Lifespan = _nothing
    on_error: OnError | None = None
    in_thread: InThread | None = None
    burst: bool = False
    max_jobs: int | None = None
    origin: str = ""
    """Where the storage's URL was written, for the line that says that the worker is ready."""
    systemd: str = ""
    """Where systemd wants to hear how it is; only a worker that is a process of its own tells."""
    name: str = field(default_factory=lambda: worker_name(datetime.now(UTC)))

    def __post_init__(self) -> None:
        self.started_at = self.clock.now()
        self.queues = dict(self.settings.queues)
        """What it takes jobs from, by weight; whoever asks holds this very dict, for it may change."""
        self.vitals = Vitals()
        self._numbers = WorkerNumbers()
        self._why = ""
        self._stopping = False
        self._quiet = False
        self._hurry = asyncio.Event()
        self._fetcher: Fetcher | None = None
        self._periodic: Periodic | None = None
        self._listening = asyncio.Event()
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
            completer = Completer(storage, self.clock, self.events)
            if tally is not None:
                completer.count = tally.count
            executor = self._executor(completer, storage, state)
            fetcher = self._fetcher = self._make_fetcher(storage, executor, completer)
            executor.freed = fetcher.nudge
            requests = Requests(
                storage, self.queues, lambda: executor.running, fetcher.cancel, fetcher.nudge, self.events
            )
            self.vitals.watch(fetcher, completer.outage)
            await self._arrive(storage, requests)
            with self._counting(storage, executor), self._telling_how_it_ends(executor, completer):
                async with completer:  # 4. write the last outcomes
                    services = self._services(storage, executor, completer, fetcher, requests, tally)
                    async with background(*services):  # 3. stop the chores
                        async with self._heartbeater(storage, executor, completer).beating():  # 2. alive until here
                            try:
                                self._started(storage)
                                await self._can_hear()
                                await fetcher.run()  # 1. take no more jobs
                            finally:
                                self.events.publish(WorkerStopping(len(executor.running), self._why))
                                await executor.drain(self.settings.shutdown_timeout, self._hurry)
                                await completer.written()

    async def _arrive(self, storage: AsyncStorage, requests: Requests) -> None:
        """Let the queues be known, and know how they are, before anybody is told that we are ready."""
        await storage.queues.announce(list(self.queues), now=self.clock.stamp())
        await requests.tick()

    def stop(self, why: str = "") -> None:
        """Take no more jobs, let the running ones end within the shutdown timeout, then end."""
        self._why = self._why or why
        self._stopping = True
        if self._fetcher is not None:
            self._fetcher.stop()

    def stop_now(self, why: str = "") -> None:
        """Stop, and do not wait for running jobs: they are cancelled and go back."""
        self._hurry.set()
        self.stop(why)

    def quiet(self, why: str = "") -> None:
        """Take no more jobs, but stay until told to stop: the running ones go on, and so does the rest."""
        if self._quiet or self._stopping:
            return
        self._quiet = True
        if self._fetcher is not None:
            self._fetcher.quiet, self._fetcher.why_quiet = True, why
            self._fetcher.nudge()

    async def add_queue(self, name: str, weight: int = 1) -> None:
        """Take jobs from this queue too from now on, or give it another weight.  Raises ConfigError, StorageError."""
        if weight < 1:
            raise ConfigError(f'The weight of "{name}" is {weight}. It takes a whole number, 1 or more.')
        await (await self.open()).queues.announce([name], now=self.clock.stamp())
        self.queues[name] = weight
        if self._fetcher is not None:
            self._fetcher.nudge()

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

    async def _can_hear(self) -> None:
        """Wait until somebody listens, before any job is taken: a cancellation that nobody hears is gone."""
        with suppress(TimeoutError):  # jobs are worked all the same
            async with asyncio.timeout(_LONGEST_SILENCE):
                await self._listening.wait()

    def _counting(self, storage: AsyncStorage, executor: Executor) -> AbstractContextManager[None]:
        """Count what happens, where somebody can see the numbers."""
        if not (self.settings.health_addr or os.environ.get(SHARED)):
            return nullcontext()
        return self._numbers.counting(
            self.events,
            kinds={kind: task.options.get("queue", "") for kind, task in self.tasks.items()},
            queues=self.settings.queues,
            rescued=storage.wording.rescued,
            running=lambda: [attempt.job for attempt in executor.running],
            slots=executor.slots,
            look=self.vitals.look,
            storage=storage.location,
        )

    @contextmanager
    def _telling_how_it_ends(self, executor: Executor, completer: Completer) -> Iterator[None]:
        error = None
        try:
            yield
        except Exception as failure:
            error = failure
            raise
        finally:
            self.events.publish(WorkerStopped(executor.released, completer.backlog, error))

    def _tallying(self, storage: AsyncStorage) -> AbstractAsyncContextManager[Tally | None]:
        """Count attempts by the minute, unless nothing is to stand beside the jobs."""
        return Tally(storage, self.name, self.clock) if self.settings.side_data else nullcontext()

    def _services(
        self,
        storage: AsyncStorage,
        executor: Executor,
        completer: Completer,
        fetcher: Fetcher,
        requests: Requests,
        tally: Tally | None,
    ) -> list[Service]:
        """What runs beside the jobs."""
        outage, clock, events = completer.outage, self.clock, self.events
        chores = Chores(storage, self.name, self.tasks, self.settings, self.queues, outage, clock, events)
        self._periodic = chores.periodic(self.on_enqueue)
        return [
            completer.run,
            *chores.of_each_worker(executor, requests, tally),
            *chores.of_the_leader(),
            *chores.hearing(fetcher, requests, self._listening),
            *([self._periodic.run] if self._periodic else []),
        ]

    def _executor(self, completer: Completer, storage: AsyncStorage, state: Mapping[type, Any]) -> Executor:
        executor = Executor(
            self.tasks,
            completer,
            slots=self.settings.concurrency,
            timeout=self.settings.timeout or None,
            unknown_kind=storage.wording.unknown_kind,
            clock=self.clock,
            events=self.events,
            middleware=self.middleware,
            on_error=self.on_error,
            stuck_after=self.settings.stuck_after,
            in_thread=self.in_thread,
        )
        executor.state = state
        return executor

    def _make_fetcher(self, storage: AsyncStorage, executor: Executor, completer: Completer) -> Fetcher:
        s = self.settings
        fetcher = Fetcher(
            storage,
            executor,
            completer,
            queues=self.queues,
            strict=s.strict,
            kinds=None if s.take_unknown_kinds else frozenset(self.tasks),
            worker=self.name,
            poll=s.poll_interval,
            burst=self.burst,
            max_jobs=self.max_jobs,
            clock=self.clock,
            events=self.events,
        )
        fetcher.stopping = self._stopping  # a signal may come before there is anything to stop
        fetcher.quiet = self._quiet
        return fetcher

    def _heartbeater(self, storage: AsyncStorage, executor: Executor, completer: Completer) -> Heartbeater:
        return Heartbeater(
            storage.twin(),
            lambda: self._describe(executor),
            lambda: [attempt.job.ref for attempt in executor.running],
            interval=self.settings.heartbeat_interval,
            outage=completer.outage,
        )

    def _describe(self, executor: Executor) -> WorkerInfo:
        return WorkerInfo(
            id=self.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=self.started_at,
            queues=dict(self.queues),  # another thread asks
            kinds=tuple(sorted(self.tasks)),
            prefixes=self.tasks.prefixes,
            concurrency=self.settings.concurrency,
            status=self._status(),
            strict=self.settings.strict,
            running=tuple(attempt.described() for attempt in executor.running),
            schedules=() if self._periodic is None else self._periodic.outlook(),
            version=ferryman.__version__,
        )

    def _status(self) -> str:
        if self._stopping:
            return "stopping"
        return "quiet" if self._quiet else "active"

    def _started(self, storage: AsyncStorage) -> None:
        s = self.settings
        kinds = tuple(sorted(self.tasks))
        self.vitals.started = True
        self.events.publish(
            WorkerStarted(self.name, tuple(self.queues), kinds, s.concurrency, storage.location, self.origin)
        )


def worker_name(now: datetime) -> str:
    """Return a name of River's form: host, and when it started to the microsecond (spec/river.md 7.1)."""
    host = (socket.gethostname() or "unknown_host").replace(".", "_")[:60]
    return f"{host}_{now.astimezone(UTC):%Y_%m_%dT%H_%M_%S_%f}"
