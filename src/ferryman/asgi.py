"""Starlette and FastAPI: jobs are connected while the program runs, on request with a worker beside it.

app = FastAPI(lifespan=lifespan(jobs, worker={"concurrency": 2}))
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from ferryman.app import Ferryman

__all__ = ["lifespan"]

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


def lifespan(jobs: Ferryman, *, worker: Mapping[str, Any] | None = None, within: Lifespan | None = None) -> Lifespan:
    """Return a lifespan that connects at the start, so that what is wrong is said there, and closes at the end.

    With `worker`, the settings of one, a worker runs in the same event loop, and drains when the program stops.
    `within` is the program's own lifespan, if it has one; its state is passed on.
    """

    @asynccontextmanager
    async def opened(app: Any) -> AsyncIterator[Any]:
        async with AsyncExitStack() as stack:
            state = await stack.enter_async_context(within(app)) if within else None
            await stack.enter_async_context(jobs)
            if worker is not None:
                await stack.enter_async_context(jobs.worker(**worker))
            yield state

    return opened
