"""Where a SQLite connection lives: behind a lock, and for async code in a thread of its own.

`SqliteRunner` runs verbs under the lock.  `AsyncSqliteRunner` hands the same calls to a thread, so
that the event loop never waits for the disk.  Everything above is written once against
both: its twins are generated.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from ferryman.storage.river.sqlite.caller import run_in_transaction
from ferryman.storage.river.sqlite.library import Connection
from ferryman.storage.river.sqlite.location import Location
from ferryman.storage.river.sqlite.running import run, transaction
from ferryman.storage.river.steps import Marks, Verb

__all__ = ["AsyncSqliteRunner", "Held", "SqliteRunner"]

T = TypeVar("T")


class Held:
    """One connection and its lock; opened at first use."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self.lock = threading.RLock()
        self._connection: Connection | None = None
        # What is in memory exists once, wherever else there is something in memory.
        self.place = os.path.realpath(location.path) if location.path else f"memory-{id(self)}"

    @property
    def connection(self) -> Connection:
        """The connection.  Take the lock first."""
        if self._connection is None:
            self._connection = self.location.open()
        return self._connection

    def close(self) -> None:
        """Close the connection, if it was opened."""
        with self.lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


class SqliteRunner:
    """Runs verbs on a connection, one at a time.  `owned` says whose it is to close."""

    dialect = "sqlite"

    def __init__(self, held: Held, *, owned: bool = True) -> None:
        self.held = held
        self._owned = owned

    def read(self, verb: Verb[T]) -> T:
        """Run a verb that changes nothing."""
        with self.held.lock:
            return run(self.held.connection, verb)

    def write(self, verb: Verb[T]) -> T:
        """Run a verb in a transaction of its own."""
        with self.held.lock, transaction(self.held.connection):
            return run(self.held.connection, verb)

    def each(self, verb: Verb[T]) -> T:
        """Do the same: one commit is cheaper than several."""
        return self.write(verb)

    def marks(self) -> Marks:
        """Say that every row has a mark: River's own clients look for it."""
        return "all"

    def within(self, tx: Any, verb: Verb[T]) -> T:
        """Run a verb in the caller's own transaction, on their connection."""
        return run_in_transaction(tx, verb, self.held.place)

    def close(self) -> None:
        """Close the connection, if it is this runner's own."""
        if self._owned:
            self.held.close()


class AsyncSqliteRunner:
    """The same calls, made in a thread."""

    dialect = "sqlite"

    def __init__(self, held: Held, *, owned: bool = True) -> None:
        self.held = held
        self._runner = SqliteRunner(held, owned=owned)
        self._inbox: SimpleQueue[Any] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def read(self, verb: Verb[T]) -> T:
        """Run a verb that changes nothing."""
        return await self._in_thread(self._runner.read, verb)

    async def write(self, verb: Verb[T]) -> T:
        """Run a verb in a transaction of its own."""
        return await self._in_thread(self._runner.write, verb)

    async def each(self, verb: Verb[T]) -> T:
        """Do the same: one commit is cheaper than several."""
        return await self.write(verb)

    async def marks(self) -> Marks:
        """Say that every row has a mark: River's own clients look for it."""
        return "all"

    async def within(self, tx: Any, verb: Verb[T]) -> T:
        """Run a verb in the caller's own transaction, here: their connection may belong to this thread."""
        return self._runner.within(tx, verb)

    async def close(self) -> None:
        """Let the thread end after what it has to do, then close as `SqliteRunner` does."""
        if self._thread is not None:
            self._inbox.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        self._runner.close()

    async def _in_thread(self, function: Callable[[Any], T], argument: Any) -> T:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ferryman-sqlite", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._inbox.put((function, argument, loop, answer))
        return await answer

    def _work(self) -> None:
        while (request := self._inbox.get()) is not None:
            function, argument, loop, answer = request
            result, failed = None, None
            try:
                result = function(argument)
            except BaseException as error:
                failed = error
            try:
                loop.call_soon_threadsafe(_answer, answer, result, failed)
            except RuntimeError:
                # The loop is closed: nobody waits any more.
                continue


def _answer(future: asyncio.Future[Any], result: Any, failed: BaseException | None) -> None:
    if future.cancelled():
        return
    if failed is None:
        future.set_result(result)
    else:
        future.set_exception(failed)
