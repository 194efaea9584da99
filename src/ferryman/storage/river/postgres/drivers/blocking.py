"""Connections that block: psycopg 3 and 2, SQLAlchemy, Django.

None of these libraries is imported before an object of theirs is given.  SQLAlchemy and
Django run our statements themselves, so that they know that a transaction is under way,
log what it does and name its errors as their users expect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
from psycopg.rows import tuple_row

from ferryman.errors import Unsupported
from ferryman.storage.river.postgres.drivers.placeholders import percent
from ferryman.storage.river.steps import Row

__all__ = ["Caller", "DjangoCaller", "Psycopg2Caller", "PsycopgCaller", "SqlalchemyCaller"]

_IDLE = 0
"""libpq's number for a connection that is in no transaction; every driver over libpq uses it."""


class Caller(Protocol):
    """A caller's connection, whatever driver it is of."""

    def has_transaction(self) -> bool:
        """Whether what runs next is part of a transaction that the caller ends."""
        ...

    def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Row]:
        """Run one statement, whose placeholders are $1, $2 …, and return its rows.  Raises the driver's errors."""
        ...


class PsycopgCaller:
    """A connection of psycopg 3; the rows and cursors that its owner chose are left aside."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._cursor = psycopg.RawCursor(connection, row_factory=tuple_row)

    def has_transaction(self) -> bool:
        return not self._connection.autocommit or self._connection.info.transaction_status != _IDLE

    def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Row]:
        return self._cursor.execute(text.encode(), values).fetchall()


class Psycopg2Caller:
    """A connection of psycopg2."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def has_transaction(self) -> bool:
        return not self._connection.autocommit or self._connection.info.transaction_status != _IDLE

    def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Row]:
        from psycopg2.extensions import cursor as plain

        with self._connection.cursor(cursor_factory=plain) as cursor:
            cursor.execute(*percent(text, values))
            return list(cursor.fetchall())


class SqlalchemyCaller:
    """A Session or Connection of SQLAlchemy, over any driver.  Raises Unsupported for another database."""

    def __init__(self, tx: Any) -> None:
        # A Session gives the Connection that it works on, as does a scoped_session.
        self._connection = tx if hasattr(tx, "exec_driver_sql") else tx.connection()
        _refuse_unless_postgres(tx, self._connection.dialect.name)

    def has_transaction(self) -> bool:
        return not self._connection.connection.dbapi_connection.autocommit

    def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Row]:
        if not self._connection.dialect.paramstyle.startswith("numeric"):
            text, values = percent(text, values)
        # A cursor on the server, which an engine may ask for, takes nothing that writes.
        rows = self._connection.exec_driver_sql(text, tuple(values), execution_options={"stream_results": False})
        return [tuple(row) for row in rows]


class DjangoCaller:
    """What `django.db.connection` or `connections["x"]` gives.  Raises Unsupported for another database."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        _refuse_unless_postgres(connection, connection.vendor)

    def has_transaction(self) -> bool:
        return self._connection.in_atomic_block or not self._connection.get_autocommit()

    def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(*percent(text, values))
            return list(cursor.fetchall())


def _refuse_unless_postgres(tx: Any, database: str) -> None:
    if database != "postgresql":
        raise Unsupported(
            f"tx is a {type(tx).__qualname__} on {database} and jobs are kept on Postgres: one transaction cannot span "
            "both. Keep jobs in your own database, or enqueue after your commit."
        )
