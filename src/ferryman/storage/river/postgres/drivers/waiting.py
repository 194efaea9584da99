"""Connections that async code waits for: psycopg 3, asyncpg, SQLAlchemy; and those that block all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
from psycopg.rows import tuple_row

from ferryman.storage.river.postgres.drivers.blocking import Caller, SqlalchemyCaller
from ferryman.storage.river.steps import Row

__all__ = ["AsyncCaller", "AsyncPsycopgCaller", "AsyncSqlalchemyCaller", "AsyncpgCaller", "BlockingCaller"]

_IDLE = psycopg.pq.TransactionStatus.IDLE


class AsyncCaller(Protocol):
    """A caller's connection, whatever driver it is of; see Caller."""

    async def has_transaction(self) -> bool: ...
    async def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Row]: ...


class AsyncPsycopgCaller:
    """An async connection of psycopg 3; the rows and cursors that its owner chose are left aside."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self._cursor = psycopg.AsyncRawCursor(connection, row_factory=tuple_row)

    async def has_transaction(self) -> bool:
        return not self._connection.autocommit or self._connection.info.transaction_status != _IDLE

    async def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Row]:
        return await (await self._cursor.execute(text.encode(), values)).fetchall()


class AsyncpgCaller:
    """A connection of asyncpg, or what its pool gives for one."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def has_transaction(self) -> bool:
        return bool(self._connection.is_in_transaction())

    async def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Row]:
        return [tuple(record) for record in await self._connection.fetch(text, *values)]


class AsyncSqlalchemyCaller:
    """An AsyncSession or AsyncConnection of SQLAlchemy, over any driver."""

    def __init__(self, tx: Any) -> None:
        self._tx = tx if hasattr(tx, "run_sync") else tx()  # an async_scoped_session gives its AsyncSession

    async def has_transaction(self) -> bool:
        found: bool = await self._tx.run_sync(lambda tx: SqlalchemyCaller(tx).has_transaction())
        return found

    async def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Row]:
        rows: Sequence[Row] = await self._tx.run_sync(lambda tx: SqlalchemyCaller(tx).fetch(text, values))
        return rows


class BlockingCaller:
    """A connection that blocks, in async code: the event loop stands still for as long as a statement takes."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def has_transaction(self) -> bool:
        return self._caller.has_transaction()

    async def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Row]:
        return self._caller.fetch(text, values)
