"""The one lifecycle.

A service is a coroutine that runs until it is cancelled, or just a tick.  It has no
start, no stop and no flag.  `background` runs services beside a block, `every` is the
only loop, and shutdown order is nesting order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from ferryman.clock import Clock
from ferryman.engine.outage import Report

__all__ = ["Nudge", "Service", "Tick", "background", "every"]

Service = Callable[[], Awaitable[None]]
Tick = Callable[[], Awaitable[object]]


class Nudge:
    """The one thing to wait for: any number of reasons to look again become one look."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        """Say that there may be something to do."""
        self._event.set()

    async def wait(self, seconds: float | None = None) -> None:
        """Wait for a nudge, or this many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()


@asynccontextmanager
async def background(*services: Service) -> AsyncIterator[None]:
    """Run services beside the block and cancel them at its end.

    A service that ends in an error cancels the block, and its error travels.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_run(service)) for service in services]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as failures:
        if len(failures.exceptions) == 1:
            raise failures.exceptions[0] from None
        raise


async def _run(service: Service) -> None:
    await service()


def every(seconds: float, tick: Tick, *, clock: Clock, report: Report) -> Service:
    """Make a service of a tick: now, and again this long after each end.  A tick that fails is reported."""

    async def loop() -> None:
        while True:
            await reported(tick, report)
            await clock.sleep(seconds)

    return loop


async def reported(tick: Tick, report: Report) -> None:
    """Run a tick once; its failure is an event, and no reason to stop."""
    try:
        await tick()
    except Exception as error:
        report.failed(error)
    else:
        report.works()
