"""What is read for everybody who looks: once for all who ask at the same time, and anew only when that costs little.

An answer is good for twenty times as long as it took to read, though for a minute at most: a list for a blink, failures
by cause over many jobs for a while.  So no number of viewers, and nobody who reloads a page, keeps a storage busy.
Where nobody should have to wait, the last answer is given, which says when it was read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from ferryman.web.refusals import refusal_for

__all__ = ["BEING_READ", "Seen", "Shared", "look", "rest_after", "within_time"]

T = TypeVar("T")

BEING_READ = "It is being read: look again in a moment."

_SHARE = 20
_LONGEST = 60.0
_OLDEST = timedelta(seconds=60)
_FRESH = 5.0
_SECONDS_OF_WAITING = 5.0
_SECONDS_OF_LOOKING = 10.0
_KEPT = 64


@dataclass(frozen=True)
class Seen(Generic[T]):
    """What was read, and when; or why it could not be read now, beside what was read before."""

    value: T
    why: str = ""
    at: datetime | None = None


async def within_time(read: Awaitable[T]) -> T:
    """Return what is read.  Raises TimeoutError after five seconds."""
    async with asyncio.timeout(_SECONDS_OF_WAITING):
        return await read


async def look(read: Callable[[], Awaitable[T]], before: Seen[T]) -> Seen[T]:
    """Return what is read within ten seconds; if that fails, what was seen before, and why."""
    at = datetime.now(UTC)
    try:
        async with asyncio.timeout(_SECONDS_OF_LOOKING):
            return Seen(await read(), at=at)
    except Exception as error:
        return Seen(before.value, refusal_for(error).detail, before.at)


def rest_after(took: float, *, at_least: float = 0.0) -> float:
    """Return for how many seconds to let a storage rest from what took so many."""
    return max(at_least, took * _SHARE)


class Shared:
    """The reads of one storage."""

    def __init__(self) -> None:
        self._reads: dict[object, asyncio.Task[Any]] = {}
        self._seen: dict[object, Seen[Any]] = {}
        self._changed = datetime.min.replace(tzinfo=UTC)

    async def fresh(self, what: object, read: Callable[[], Awaitable[T]]) -> T:
        """Return what is read within five seconds; `what` tells it from other reads.  Raises TimeoutError."""
        return await asyncio.shield(self._reading(what, lambda: within_time(read()), at_least=0.0))

    async def latest(self, what: object, read: Callable[[], Awaitable[T]], *, patience: float = 1.0) -> Seen[T | None]:
        """Return what was read last, at once, and read it anew for the next who asks.

        Where there is nothing, or only something from before a change or over a minute old, the new answer is
        waited for, `patience` seconds at most.
        """
        reading = self._reading(what, lambda: self._look(what, read), at_least=_FRESH)
        if self._is_old(self._seen.get(what)):
            await asyncio.wait([reading], timeout=patience)
        return self._seen.get(what) or Seen(None, BEING_READ)

    def last(self, what: object) -> Seen[Any]:
        """Return what was read last, without reading."""
        return self._seen.get(what, Seen(None))

    def anew(self) -> None:
        """Let nobody take what was read before something was changed for how it is now."""
        self._reads.clear()
        self._changed = datetime.now(UTC)

    async def close(self) -> None:
        """Read no more."""
        reads = list(self._reads.values())
        for each in reads:
            each.cancel()
        await asyncio.gather(*reads, return_exceptions=True)

    def _reading(self, what: object, read: Callable[[], Awaitable[T]], *, at_least: float) -> asyncio.Task[T]:
        """Return the read that is under way, or that has an answer which is still good; or begin one."""
        task = self._reads.get(what)
        if task is None:
            began = time.monotonic()
            task = self._reads[what] = asyncio.ensure_future(read())
            task.add_done_callback(lambda done: self._keep(what, done, time.monotonic() - began, at_least))
        return task

    async def _look(self, what: object, read: Callable[[], Awaitable[T]]) -> None:
        seen = await look(read, self.last(what))
        if self._reads.get(what) is not asyncio.current_task():
            return  # something was changed meanwhile
        self._seen.pop(what, None)
        self._seen[what] = seen
        if len(self._seen) > _KEPT:  # queues come and go
            del self._seen[next(iter(self._seen))]

    def _is_old(self, seen: Seen[Any] | None) -> bool:
        if seen is None or seen.at is None:
            return True
        return seen.at < self._changed or datetime.now(UTC) - seen.at > _OLDEST

    def _keep(self, what: object, done: asyncio.Task[Any], took: float, at_least: float) -> None:
        """Keep an answer for a while; a failure is asked for anew by the next."""
        if done.cancelled() or done.exception() is not None:
            self._forget(what, done)
        else:
            rest = min(rest_after(took, at_least=at_least), _LONGEST)
            asyncio.get_running_loop().call_later(rest, self._forget, what, done)

    def _forget(self, what: object, done: asyncio.Task[Any]) -> None:
        if self._reads.get(what) is done:
            del self._reads[what]
