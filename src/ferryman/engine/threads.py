"""Threads for plain functions.

A thread cannot be stopped.  When a job runs out of time its outcome is written all the
same, but its thread keeps the slot until it returns: so there are never more of them
than slots, and what hangs is seen.  They are daemons, lest one keep the process alive.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from functools import wraps
from queue import SimpleQueue
from typing import Any

from ferryman.middleware import InThread

__all__ = ["Threads", "within"]


class Threads:
    """As many threads as are needed at once, kept for the next job."""

    def __init__(self, freed: Callable[[], None]) -> None:
        self._freed = freed
        self._inbox: SimpleQueue[Any] = SimpleQueue()
        self._idle = 0
        self._count = 0
        self.orphans = 0
        """Threads whose job is over and whose function still runs."""

    async def run(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function in a thread, with this task's context variables."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._inbox.put((contextvars.copy_context(), function, args, kwargs, loop, answer))
        self._ensure_one()
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.cancelled():  # else the function had just returned, or raised this itself
                self.orphans += 1
            raise

    def close(self) -> None:
        """Let idle threads end."""
        for _ in range(self._count):
            self._inbox.put(None)

    def _ensure_one(self) -> None:
        if self._idle:
            self._idle -= 1
            return
        self._count += 1
        threading.Thread(target=self._work, name=f"ferryman-task-{self._count}", daemon=True).start()

    def _work(self) -> None:
        while (request := self._inbox.get()) is not None:
            context, function, args, kwargs, loop, answer = request
            result, failed = None, None
            try:
                result = context.run(function, *args, **kwargs)
            except BaseException as error:
                failed = error
            try:
                loop.call_soon_threadsafe(self._done, answer, result, failed)
            except RuntimeError:
                return  # the loop is closed: the worker is gone
            del context, function, args, kwargs, answer, result, failed, request

    def _done(self, answer: asyncio.Future[Any], result: Any, failed: BaseException | None) -> None:
        self._idle += 1
        if answer.cancelled():
            self.orphans -= 1
            self._freed()
        elif failed is None:
            answer.set_result(result)
        elif isinstance(failed, StopIteration):
            answer.set_exception(RuntimeError(f"the task raised StopIteration({failed})"))
        else:
            answer.set_exception(failed)


def within(scope: InThread, function: Callable[..., Any]) -> Callable[..., Any]:
    """Have a function run in a scope of its own at each call."""

    @wraps(function)
    def scoped(*args: Any, **kwargs: Any) -> Any:
        with scope():
            return function(*args, **kwargs)

    return scoped
