"""The database on Postgres, through psycopg, which ferryman uses too.

One transaction writes at a time, as on SQLite, so that the statements are the same: an
advisory lock says whose turn it is.  Postgres is called in the event loop as well: near
by, a statement takes less than a millisecond.  Waiting for one's turn is done by asking
again, never by blocking.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from briefings.database import MIGRATIONS, PATIENCE, QUERIES, DatabaseAway, kept, statements
from ferryman.storage.river.postgres.location import Location

TURN = 1_651_663_983
"""The number of the lock, which means something to Briefings only."""
MOST_IDLE = 10

_QUERIES = {name: re.sub(r":(\w+)", r"%(\1)s", text) for name, text in QUERIES.items()}


class PostgresConnection(psycopg.Connection[Any]):
    def run(self, query: str, **values: Any) -> Any:
        return self.execute(_QUERIES[query].encode(), kept(values))


class PostgresDatabase:
    """Gives connections, and keeps some of those that come back: to open one takes milliseconds."""

    def __init__(self, url: str) -> None:
        self.location = Location.parse(url)
        self._idle: list[PostgresConnection] = []

    @contextmanager
    def reading(self) -> Iterator[PostgresConnection]:
        """Look, and change nothing.  Raises DatabaseAway."""
        try:
            connection = self._idle.pop() if self._idle else self._connect()
            try:
                yield connection
            finally:
                self._take_back(connection)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            while self._idle:  # they went to the same server
                self._idle.pop().close()
            raise DatabaseAway(f"{self.location}: {str(error).partition(chr(10))[0]}") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresConnection]:
        """Do all of the block or nothing.  Raises DatabaseAway."""
        with self.reading() as connection, connection.transaction():
            await _wait_for_turn(connection)
            yield connection

    def pending(self) -> list[str]:
        """Return the names of the migrations that are not applied yet."""
        with self.reading() as connection:
            return [file.name for file in _pending(connection)]

    async def migrate(self) -> list[str]:
        """Apply what is pending, and name it.  Processes that start together do it once."""
        async with self.transaction() as tx:
            pending = _pending(tx)
            tx.execute("create table if not exists briefings_migration (version integer primary key)")
            for file in pending:
                for statement in statements(file, "postgres"):
                    tx.execute(_numbered(statement).encode())
                tx.execute("insert into briefings_migration values (%s)", [int(file.name[:4])])
        return [file.name for file in pending]

    def _connect(self) -> PostgresConnection:
        return PostgresConnection.connect(self.location.url, autocommit=True, row_factory=dict_row)

    def _take_back(self, connection: PostgresConnection) -> None:
        rests = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if rests and len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()


async def _wait_for_turn(connection: PostgresConnection) -> None:
    ends = time.monotonic() + PATIENCE
    while not connection.execute("select pg_try_advisory_xact_lock(%s) as ours", [TURN]).fetchone()["ours"]:
        if time.monotonic() > ends:
            raise DatabaseAway(f"somebody has been writing for {PATIENCE:g} s")
        await asyncio.sleep(0.002)


def _pending(connection: PostgresConnection) -> list[Path]:
    if connection.execute("select to_regclass('briefings_migration') as found").fetchone()["found"] is None:
        return MIGRATIONS
    row = connection.execute("select count(*) as applied from briefings_migration").fetchone()
    return MIGRATIONS[row["applied"] :]


def _numbered(statement: str) -> str:
    """Have rows numbered, as SQLite does by itself."""
    return statement.replace("id integer primary key", "id integer primary key generated always as identity")
