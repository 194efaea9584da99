"""What is read for several people at a time is read once, and what took long is not read again at once.

Who asks for what somebody is waiting for already waits for the same answer.  An answer is good for twenty times as long
as it took: a list for a blink, failures by cause over many jobs for a while.  So nobody who reloads a page keeps the
storage busy for more than a twentieth of the time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

__all__ = ["Shared"]

T = TypeVar("T")

_LIMIT = 5.0
_SHARE = 20
_LONGEST = 60.0


class Shared:
    """The reads of one storage, each within five seconds."""

    def __init__(self) -> None:
        self._reads: dict[object, asyncio.Task[Any]] = {}

    async def read(self, what: object, read: Callable[[], Awaitable[T]]) -> T:
        """Return what is read; `what` tells it from other reads.  Raises TimeoutError."""
        task = self._reads.get(what)
        if task is None:
            task = self._reads[what] = asyncio.create_task(_within_time(read))
            began = time.monotonic()
            task.add_done_callback(lambda done: self._keep(what, done, time.monotonic() - began))
        return await asyncio.shield(task)

    def anew(self) -> None:
        """Let nobody have what was read before something was changed."""
        self._reads.clear()

    def _keep(self, what: object, done: asyncio.Task[Any], took: float) -> None:
        """Keep an answer for a while; a failure is asked for anew by the next."""
        if done.cancelled() or done.exception() is not None:
            self._forget(what, done)
        else:
            asyncio.get_running_loop().call_later(min(took * _SHARE, _LONGEST), self._forget, what, done)

    def _forget(self, what: object, done: asyncio.Task[Any]) -> None:
        if self._reads.get(what) is done:
            del self._reads[what]


async def _within_time(read: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(_LIMIT):
        return await read()
