"""What the engine's tests stand on: an executor, a completer and a fetcher over one storage, wired as a worker does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ferryman.engine.attempt import Attempt
from ferryman.engine.completer import Completer
from ferryman.engine.executor import Executor
from ferryman.engine.fetcher import Fetcher
from ferryman.errors import StorageUnavailable
from ferryman.events import JobFinished, JobStarted
from ferryman.job import Job, JobRef, NewJob
from ferryman.middleware import Middleware
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.task import Tasks
from ferryman.testing import FakeClock, Recorder

__all__ = ["Flaky", "Stage"]


class Flaky:
    """A storage that can fail: while `broken` is an error, every verb that changes jobs or leaders raises it.

    `before` is awaited at the start of each such verb, with its name: to hold one in flight, or to break one only.
    """

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self.broken: BaseException | None = None
        self.before: Callable[[str], Any] = _nothing
        self.calls: list[str] = []
        self._called = asyncio.Event()
        self.jobs: Any = _Part(self, storage.jobs)
        self.leaders: Any = _Part(self, storage.leaders)

    def break_down(self) -> None:
        """Answer no more."""
        self.broken = StorageUnavailable("The storage is away.")

    def recover(self) -> None:
        """Answer again."""
        self.broken = None

    async def asked(self, name: str, times: int) -> None:
        """Wait until a verb was called this many times."""
        async with asyncio.timeout(60):
            while self.calls.count(name) < times:
                self._called.clear()
                await self._called.wait()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


class _Part:
    def __init__(self, flaky: Flaky, part: Any) -> None:
        self._flaky = flaky
        self._part = part

    def __getattr__(self, name: str) -> Any:
        async def verb(*args: Any, **kwargs: Any) -> Any:
            self._flaky.calls.append(name)
            self._flaky._called.set()
            await self._flaky.before(name)
            if self._flaky.broken is not None:
                raise self._flaky.broken
            return await getattr(self._part, name)(*args, **kwargs)

        return verb


async def _nothing(name: str) -> None: ...


class Stage:
    """Everything that a job passes through, on one storage."""

    def __init__(self, storage: AsyncStorage | Flaky, tasks: Tasks, clock: FakeClock, seen: Recorder) -> None:
        self.storage: Any = storage
        self.tasks = tasks
        self.clock = clock
        self.seen = seen
        self.middleware: Sequence[Middleware] = ()
        self.completer = Completer(self.storage, clock, seen.bus)
        self.executor = self.make_executor()

    def make_executor(self, *, slots: int = 10, timeout: float | None = None) -> Executor:
        """Make the executor anew, with other settings."""
        self.executor = Executor(
            self.tasks,
            self.completer,
            slots=slots,
            timeout=timeout,
            unknown_kind=self.storage.wording.unknown_kind,
            clock=self.clock,
            events=self.seen.bus,
            middleware=self.middleware,
        )
        return self.executor

    def fetcher(self, **said: Any) -> Fetcher:
        """Make a fetcher that keeps the executor busy."""
        usual: dict[str, Any] = {
            "queues": {"default": 1},
            "strict": False,
            "kinds": None,
            "worker": "ada",
            "poll": 60.0,
            "burst": False,
            "max_jobs": None,
        }
        fetcher = Fetcher(
            self.storage,
            self.executor,
            self.completer,
            **{**usual, **said},
            clock=self.clock,
            events=self.seen.bus,
        )
        self.executor.freed = fetcher.nudge
        return fetcher

    async def store(self, *jobs: NewJob) -> list[str]:
        """Store jobs; return their ids."""
        return [each.ref.id for each in await self.storage.jobs.insert(jobs, now=self.clock.stamp())]

    async def take(self, limit: int = 10, worker: str = "ada") -> list[Job]:
        """Take jobs."""
        wanted = [("default", limit)]
        now = self.clock.stamp()
        taken: list[Job] = await self.storage.jobs.fetch(wanted, limit=limit, kinds=None, worker=worker, now=now)
        return taken

    async def begin(self, job: NewJob) -> Attempt:
        """Store a job, take it, and start it; return its attempt once the function is about to be called."""
        (id,) = await self.store(job)
        (taken,) = await self.take(1)
        self.executor.start([taken])
        await self.seen.wait_for(JobStarted, lambda event: event.job.id == id)
        return next(attempt for attempt in self.executor.running if attempt.job.id == id)

    async def run(self, job: NewJob) -> JobFinished:
        """Store a job, run it to its end, and return what became of it."""
        await self.store(job)
        (taken,) = await self.take()
        self.executor.start([taken])
        return await self.finished(taken)

    async def finished(self, job: Job) -> JobFinished:
        """Wait until what became of a job is written, and return it."""
        async with self.writing():
            return await self.seen.wait_for(JobFinished, lambda event: event.job.ref == job.ref)

    async def get(self, id: str) -> Job:
        """Return a job as it is stored."""
        found: Job = await self.storage.jobs.get(JobRef(id))
        return found

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Write outcomes as they come, beside the block."""
        running = asyncio.create_task(self.completer.run())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
