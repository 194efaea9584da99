"""Watches a SQLite file for what other processes do.

SQLite tells nobody anything, but `pragma data_version` changes when another connection
has committed, and asking costs some ten microseconds.  Only a change makes us read
River's notification table.  A change is itself a hint that there may be jobs: River's
clients write at most one notice per queue in 100 ms.  What storages of this process do is
heard at once; in memory there is nobody else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from queue import Empty, SimpleQueue

from ferryman.storage.river.sqlite import neighbours
from ferryman.storage.river.sqlite.failures import translated
from ferryman.storage.river.sqlite.thread import AsyncSqliteRunner, Held, SqliteRunner
from ferryman.storage.river.verbs.notices import last_notice, new_notices
from ferryman.storage.values import JobsAvailable, Notice

__all__ = ["AsyncWatch", "Watch"]

_EVERY = 0.03


class Watch:
    """Notices for code that blocks."""

    def __init__(self, reader: SqliteRunner) -> None:
        self._reader = reader

    def notices(self) -> Iterator[Notice]:
        """Give notices as they come, sleeping between looks."""
        inbox: SimpleQueue[Notice] = SimpleQueue()
        with contextlib.ExitStack() as ending:
            ending.callback(neighbours.listen(self._reader.held.place, inbox.put))
            probe = ending.enter_context(contextlib.closing(_Probe(self._reader.held)))
            last = self._reader.read(last_notice())
            yield JobsAvailable()
            while True:
                with contextlib.suppress(Empty):
                    yield inbox.get(timeout=_EVERY)
                if probe.changed():
                    last, found = self._reader.read(new_notices(last))
                    yield from (*found, JobsAvailable())


class AsyncWatch:
    """Notices for an event loop."""

    def __init__(self, reader: AsyncSqliteRunner) -> None:
        self._reader = reader

    async def notices(self) -> AsyncIterator[Notice]:
        """Give notices as they come: from this process at once, from others within some 30 ms."""
        loop = asyncio.get_running_loop()
        inbox: asyncio.Queue[Notice | BaseException] = asyncio.Queue()

        def hear(notice: Notice) -> None:
            # A loop that is closed listens no more; whoever enqueued must not suffer from it.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(inbox.put_nowait, notice)

        stop = neighbours.listen(self._reader.held.place, hear)
        poller = asyncio.create_task(self._poll(inbox))
        try:
            while True:
                said = await inbox.get()
                if isinstance(said, BaseException):
                    raise said
                yield said
        finally:
            stop()
            poller.cancel()
            await asyncio.gather(poller, return_exceptions=True)

    async def _poll(self, inbox: asyncio.Queue[Notice | BaseException]) -> None:
        try:
            with contextlib.closing(_Probe(self._reader.held)) as probe:
                last = await self._reader.read(last_notice())
                inbox.put_nowait(JobsAvailable())
                while True:
                    await asyncio.sleep(_EVERY)
                    if probe.changed():
                        last, found = await self._reader.read(new_notices(last))
                        for notice in (*found, JobsAvailable()):
                            inbox.put_nowait(notice)
        except Exception as error:
            inbox.put_nowait(error)


class _Probe:
    """A connection that only looks whether others have written; in memory nobody can."""

    def __init__(self, held: Held) -> None:
        self._connection = held.location.open() if held.location.path else None
        self._version = self._look()

    def changed(self) -> bool:
        """Whether anybody has committed since the last look."""
        before, self._version = self._version, self._look()
        return before != self._version

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _look(self) -> int:
        if self._connection is None:
            return 0
        with translated():
            return int(self._connection.execute("pragma data_version").fetchone()[0])
