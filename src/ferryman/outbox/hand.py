"""Runs a statement on a connection that is the application's, of whatever library, in Postgres or SQLite.

Postgres' connections are those that `using(tx=…)` takes.  SQLite's may be of any library
here, since it is used through nothing but that connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ferryman.errors import InvalidJob, Unsupported
from ferryman.storage.river.postgres.drivers.placeholders import percent

__all__ = ["AsyncHand", "Hand", "async_hand_of", "hand_of"]

Rows = Sequence[tuple[Any, ...]]


class Hand(Protocol):
    """A caller's connection: which database it is of, and how a statement runs on it."""

    dialect: str

    def has_transaction(self) -> bool: ...
    def fetch(self, text: str, values: Sequence[Any]) -> Rows: ...


class AsyncHand(Protocol):
    """The same for a connection that is waited for."""

    async def dialect(self) -> str: ...
    async def has_transaction(self) -> bool: ...
    async def fetch(self, text: str, values: Sequence[Any]) -> Rows: ...


def hand_of(tx: Any) -> Hand:
    """Adapt a connection that blocks.  Raises Unsupported for anything else."""
    if getattr(tx, "vendor", "") == "sqlite":
        return _Django(tx)
    if hasattr(tx, "exec_driver_sql") or (hasattr(tx, "get_bind") and hasattr(tx, "connection")):
        connection = tx if hasattr(tx, "exec_driver_sql") else tx.connection()
        if connection.dialect.name == "sqlite":
            return _Sqlalchemy(connection)
    if any(each.__module__.startswith(("sqlite3", "pysqlite3")) for each in type(tx).__mro__):
        return _Sqlite(tx)
    from ferryman.storage.river.postgres.drivers.finding import caller_of

    return _Postgres(caller_of(tx))


def async_hand_of(tx: Any) -> AsyncHand:
    """Adapt a connection of any kind for async code.  Raises Unsupported for anything else."""
    if hasattr(tx, "run_sync"):
        return _AsyncSqlalchemy(tx)
    try:
        return _Blocking(hand_of(tx))
    except Unsupported:
        from ferryman.storage.river.postgres.drivers.finding import async_caller_of

        return _AsyncPostgres(async_caller_of(tx))


def refuse_without_transaction(has_one: bool) -> None:
    """Raise InvalidJob where a row would be there whatever becomes of the caller's work."""
    if not has_one:
        raise InvalidJob("tx is a connection without an open transaction. Begin one first, or leave tx out.")


def _numbered(text: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    # Python takes ?1 for a parameter that is called "1", and from 3.14 on no sequence for such.
    return text.replace("$", "?"), {str(number): value for number, value in enumerate(values, 1)}


class _Sqlite:
    """A connection of Python's sqlite3, or of another library with its face."""

    dialect = "sqlite"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def has_transaction(self) -> bool:
        return self._connection.isolation_level is not None or bool(self._connection.in_transaction)

    def fetch(self, text: str, values: Sequence[Any]) -> Rows:
        cursor = self._connection.cursor()
        cursor.row_factory = None  # its owner may make rows into something else
        return list(cursor.execute(*_numbered(text, values)).fetchall())


class _Sqlalchemy:
    """A Connection of SQLAlchemy on SQLite."""

    dialect = "sqlite"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def has_transaction(self) -> bool:
        if not self._connection.in_transaction():
            self._connection.begin()  # else it would not know that there is something to commit
        return True

    def fetch(self, text: str, values: Sequence[Any]) -> Rows:
        return [tuple(row) for row in self._connection.exec_driver_sql(*_numbered(text, values))]


class _Django:
    """Django's connection on SQLite."""

    dialect = "sqlite"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def has_transaction(self) -> bool:
        return bool(self._connection.in_atomic_block or not self._connection.get_autocommit())

    def fetch(self, text: str, values: Sequence[Any]) -> Rows:
        with self._connection.cursor() as cursor:
            cursor.execute(*percent(text, values))
            return list(cursor.fetchall())


class _Postgres:
    """Any connection to Postgres that blocks."""

    dialect = "postgres"

    def __init__(self, caller: Any) -> None:
        self.has_transaction = caller.has_transaction
        self.fetch = caller.fetch


class _Blocking:
    """A connection that blocks, in async code."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    async def dialect(self) -> str:
        return self._hand.dialect

    async def has_transaction(self) -> bool:
        return self._hand.has_transaction()

    async def fetch(self, text: str, values: Sequence[Any]) -> Rows:
        return self._hand.fetch(text, values)


class _AsyncSqlalchemy:
    """An AsyncSession or AsyncConnection of SQLAlchemy, over any driver and database."""

    def __init__(self, tx: Any) -> None:
        self._tx = tx

    async def dialect(self) -> str:
        return str(await self._tx.run_sync(lambda tx: hand_of(tx).dialect))

    async def has_transaction(self) -> bool:
        return bool(await self._tx.run_sync(lambda tx: hand_of(tx).has_transaction()))

    async def fetch(self, text: str, values: Sequence[Any]) -> Rows:
        rows: Rows = await self._tx.run_sync(lambda tx: hand_of(tx).fetch(text, values))
        return rows


class _AsyncPostgres:
    """Any connection to Postgres that is waited for."""

    def __init__(self, caller: Any) -> None:
        self.has_transaction = caller.has_transaction
        self.fetch = caller.fetch

    async def dialect(self) -> str:
        return "postgres"
