"""How fast a storage and a worker on this machine are: `ferryman bench`.

The jobs do nothing and have a queue of their own, so nobody else takes them and none of
anybody else's is touched; whatever is left of them at the end is deleted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from statistics import quantiles
from typing import Any
from uuid import uuid4

import msgspec

from ferryman.app import Ferryman
from ferryman.errors import QueueNotFound
from ferryman.events import JobFinished
from ferryman.job import JobRef
from ferryman.storage.values import Action
from ferryman.task import Task
from ferryman.worker import Worker

__all__ = ["Figure", "measure"]

_KIND = "ferryman:bench"
_AT_ONCE = 1_000
_SINGLE = 200


class Figure(msgspec.Struct, frozen=True):
    """Something that was measured."""

    name: str
    value: float
    unit: str


async def measure(jobs: Ferryman, *, number: int, slots: int) -> list[Figure]:
    """Store `number` jobs, run them here in so many slots, then a few one by one."""
    bench = _Bench(jobs, f"ferryman-bench-{uuid4().hex[:8]}")
    try:
        stored = await bench.store(number)
        async with bench.working(slots) as began:
            worked = await bench.finished(number, began)
            waits = await bench.pick_up(_SINGLE)
    finally:
        await bench.clear()
    hundredths = quantiles(waits, n=100)
    return [
        Figure("stored in bulk", stored, "jobs/s"),
        Figure(f"worked in {slots} slots", worked, "jobs/s"),
        Figure("from enqueue to its first line, half within", hundredths[49] * 1000, "ms"),
        Figure("from enqueue to its first line, 99 % within", hundredths[98] * 1000, "ms"),
    ]


class _Bench:
    """The jobs of one run."""

    def __init__(self, jobs: Ferryman, queue: str) -> None:
        self._jobs = jobs
        self._queue = queue
        self._refs: list[JobRef] = []
        self._done = 0
        self._changed = asyncio.Event()
        self._began: asyncio.Queue[float] = asyncio.Queue()
        self._task = self._declared()

    def _declared(self) -> Task[..., Any]:
        @self._jobs.task(_KIND, queue=self._queue, retries=0)
        async def bench(told: bool) -> None:
            if told:
                self._began.put_nowait(time.perf_counter())

        return bench

    async def store(self, number: int) -> float:
        """Store so many jobs at once; returns how many a second."""
        began = time.perf_counter()
        inserted = await self._jobs.enqueue_many([self._task.job(False) for _ in range(number)])
        took = time.perf_counter() - began
        self._refs += [each.ref for each in inserted]
        return number / took

    @asynccontextmanager
    async def working(self, slots: int) -> AsyncIterator[float]:
        """Work them during the block; gives when that began."""
        stop = self._jobs.events.subscribe(JobFinished, self._count)
        began = time.perf_counter()
        try:
            async with self._worker(slots):
                yield began
        finally:
            stop()

    def _worker(self, slots: int) -> Worker:
        return self._jobs.worker(
            queues={self._queue: 1}, concurrency=slots, lead=False, periodic=False, side_data=False, health_addr=""
        )

    def _count(self, event: JobFinished) -> None:
        self._done += 1
        self._changed.set()

    async def finished(self, number: int, began: float) -> float:
        """Wait until so many have ended; returns how many a second."""
        while self._done < number:
            self._changed.clear()
            await self._changed.wait()
        return number / (time.perf_counter() - began)

    async def pick_up(self, number: int) -> list[float]:
        """Store one after another; returns how many seconds each took to its function's first line."""
        waits = []
        for _ in range(number):
            asked = time.perf_counter()
            self._refs.append((await self._task.enqueue(True)).ref)
            waits.append(await self._began.get() - asked)
        return waits

    async def clear(self) -> None:
        """Delete what is left of the jobs, and their queue."""
        storage = await self._jobs.connections.storage()
        for at in range(0, len(self._refs), _AT_ONCE):
            await storage.jobs.act(Action.DELETE, self._refs[at : at + _AT_ONCE])
        with suppress(QueueNotFound):  # nobody has worked it yet
            await storage.queues.delete(self._queue)
