"""Reads under way: who asks for what somebody is waiting for already waits for the same answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

__all__ = ["Shared"]

T = TypeVar("T")

_LIMIT = 5.0


class Shared:
    """The reads of one storage, each within five seconds."""

    def __init__(self) -> None:
        self._reads: dict[object, asyncio.Task[Any]] = {}

    async def read(self, what: object, read: Callable[[], Awaitable[T]]) -> T:
        """Return what is read; `what` tells it from other reads.  Raises TimeoutError."""
        task = self._reads.get(what)
        if task is None:
            task = self._reads[what] = asyncio.create_task(_within_time(read))
            task.add_done_callback(lambda done: self._forget(what, done))
        return await asyncio.shield(task)

    def anew(self) -> None:
        """Let nobody join a read that began before something was changed."""
        self._reads.clear()

    def _forget(self, what: object, done: asyncio.Task[Any]) -> None:
        if self._reads.get(what) is done:
            del self._reads[what]
        if not done.cancelled():
            done.exception()  # whoever waited has it; where nobody waits any more nobody needs it


async def _within_time(read: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(_LIMIT):
        return await read()
