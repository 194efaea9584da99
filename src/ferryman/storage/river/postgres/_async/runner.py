"""Runs verbs on Postgres, over a few connections that everybody shares."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from ferryman.errors import ConfigError, StorageError, StorageUnavailable
from ferryman.storage.river.postgres._async.callers import AsyncCallers
from ferryman.storage.river.postgres.abilities import ASK, abilities, remember
from ferryman.storage.river.postgres.alive import async_check, async_home
from ferryman.storage.river.postgres.failures import translated
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.postgres.spelling import answer, spell
from ferryman.storage.river.steps import Batch, Marks, Script, Search, Step, Stream, Verb

__all__ = ["AsyncPostgresRunner", "async_is_direct", "async_run"]

T = TypeVar("T")

_PATIENCE = 5.0
"""Seconds to wait for a connection, be it that all are taken or that the server does not answer."""

_PREPARED = 5
"""How often a statement runs before the server keeps its plan; psycopg's own number."""

_RETRIES = 2.0
"""Seconds for which the pool tries again by itself.  Then whoever asks next makes it try anew, at once."""


class AsyncPostgresRunner:
    """Runs verbs, each on a connection of its own for as long as it takes.  Connects at first use."""

    dialect = "postgres"

    def __init__(self, location: Location, *, connections: int) -> None:
        self._location = location
        self._connections = connections
        self._pool: AsyncConnectionPool[AsyncConnection] | None = None
        self._home: object = None
        self._in_doubt = True
        self._direct = True
        self._callers = AsyncCallers(self.read, location)

    async def read(self, verb: Verb[T]) -> T:
        """Run a verb that changes nothing."""
        return await self.each(verb)

    async def each(self, verb: Verb[T]) -> T:
        """Run a verb of which every statement may stand alone: that saves two round trips."""
        with translated(self._location):
            async with self._lent() as connection:
                return await async_run(connection, verb, self._location)

    async def write(self, verb: Verb[T]) -> T:
        """Run a verb in a transaction of its own."""
        with translated(self._location):
            async with self._lent() as connection, connection.transaction():
                return await async_run(connection, verb, self._location)

    async def marks(self) -> Marks:
        """Say which new rows River's own clients look for a mark in."""
        if self._in_doubt:
            with translated(self._location):
                await self._ask_the_server()
        return "none" if abilities(self._location).knows_updated_rows else "unique"

    async def within(self, tx: Any, verb: Verb[T]) -> T:
        """Run a verb in the caller's own transaction, on their connection."""
        return await self._callers.run(tx, verb)

    async def close(self) -> None:
        """Close the connections, unless the event loop that they belong to has ended."""
        if self._pool is not None and self._home is async_home():
            await self._pool.close()
        self._pool = None

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection.  After a failure the server itself is asked first: it says why, and the pool would not."""
        if self._in_doubt:
            await self._ask_the_server()
        pool = await self._open()
        try:
            connection = await pool.getconn()
        except PoolTimeout:
            self._in_doubt = True
            await self._ask_the_server()
            raise StorageUnavailable(
                f"All {self._connections} connections to {self._location} were taken for {_PATIENCE:g} s."
            ) from None
        try:
            yield connection
        except (StorageUnavailable, psycopg.OperationalError):
            # Perhaps to a server that will never write again: the next connection may lead to another.
            self._in_doubt = True
            await connection.close()
            raise
        finally:
            await pool.putconn(connection)

    async def _ask_the_server(self) -> None:
        try:
            async with await AsyncConnection.connect(self._location.url, autocommit=True) as connection:
                self._direct = await async_is_direct(connection)
                remember(self._location, await (await connection.execute(ASK)).fetchone())
        except psycopg.ProgrammingError as error:
            raise ConfigError(f"{self._location} is no URL for Postgres: {str(error).strip()}.") from error
        self._in_doubt = False

    async def _open(self) -> AsyncConnectionPool[AsyncConnection]:
        if self._pool is None or self._home is not async_home():
            self._home = async_home()
            self._pool = AsyncConnectionPool(
                self._location.url,
                # A proxy may give each statement another connection, which knows nothing of what was prepared.
                kwargs={"autocommit": True, "prepare_threshold": _PREPARED if self._direct else None},
                min_size=1,
                max_size=self._connections,
                open=False,
                check=async_check,
                timeout=_PATIENCE,
                reconnect_timeout=_RETRIES,
                name="ferryman",
            )
            await self._pool.open()
        return self._pool


async def async_is_direct(connection: AsyncConnection) -> bool:
    """Say whether nobody stands between us and the server: a proxy tells a process number of its own."""
    ((process,),) = await (await connection.execute("select pg_backend_pid()")).fetchall()
    return bool(process == connection.info.backend_pid)


async def async_run(connection: AsyncConnection, verb: Verb[T], location: Location) -> T:
    """Run a verb's steps on a connection, in whatever transaction it is in."""
    reply: Any = None
    failed: StorageError | None = None
    cursor = AsyncRawCursor(connection)
    while True:
        try:
            step = verb.throw(failed) if failed else verb.send(reply)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        reply, failed = None, None
        try:
            with translated(location):
                reply = await _execute(cursor, step, location)
        except StorageError as error:
            failed = error  # the verb may know what it means


async def _execute(cursor: AsyncRawCursor[Any], step: Step, location: Location) -> list[Any]:
    if isinstance(step, Script):
        for text in step.texts:
            await cursor.execute(text.encode())
        return []
    if isinstance(step, Stream):
        return await _stream(cursor.connection, step, location)
    if isinstance(step, Batch) and not step.values:
        return []
    if step.name == "notify" and not abilities(location).notifies:
        return [None] * len(step.values)
    text, values = spell(step, location)
    await cursor.execute(text.encode(), values, prepare=False if isinstance(step, Search) else None)
    return answer(step, await cursor.fetchall())


async def _stream(connection: AsyncConnection, step: Stream, location: Location) -> list[Any]:
    cursors: list[AsyncRawCursor[Any]] = []
    async with connection.pipeline():
        for query in step.queries():
            text, values = spell(query, location)
            cursors.append(AsyncRawCursor(connection))
            await cursors[-1].execute(text.encode(), values)
        return [row for cursor in cursors for row in await cursor.fetchall()]
