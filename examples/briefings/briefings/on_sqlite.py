"""The database as one SQLite file.

It is opened through the library that ferryman uses, since two SQLite libraries in one
process drop each other's locks, and since a job can then be enqueued in the very
transaction that stores its briefing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from briefings.database import MIGRATIONS, PATIENCE, QUERIES, DatabaseAway, kept, statements
from ferryman.sqlite import library

sqlite = library()


class SqliteConnection(sqlite.Connection):  # type: ignore[misc, name-defined]
    def run(self, query: str, **values: Any) -> Any:
        return self.execute(QUERIES[query], kept(values))


class SqliteDatabase:
    """Gives connections, each for one purpose: to open one takes 0.2 ms, and needs no pool.

    SQLite is called in the event loop.  A statement takes microseconds and a commit about
    a third of a millisecond, so a thread would cost more than it saves.  What can take
    long is waiting for the write lock: that is done by asking again, never by blocking.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # mode=rw: a file that is gone is an outage, and not a reason to begin an empty one.
        self._uri = f"{path.absolute().as_uri()}?mode=rw"

    @contextmanager
    def reading(self, wait: float = 0.2) -> Iterator[SqliteConnection]:
        """Look, and change nothing.  Raises DatabaseAway."""
        try:
            with closing(sqlite.connect(self._uri, wait, uri=True, factory=SqliteConnection)) as connection:
                connection.isolation_level = None
                connection.row_factory = sqlite.Row
                connection.execute("pragma foreign_keys = on")
                yield connection
        except sqlite.OperationalError as error:
            if error.sqlite_errorname == "SQLITE_ERROR":
                raise  # the statement is wrong, the database is well
            raise DatabaseAway(f"{self.path}: {error}") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqliteConnection]:
        """Do all of the block or nothing.  Raises DatabaseAway.

        Nobody else can write meanwhile, so await nothing in it but `enqueue` with this transaction.
        """
        with self.reading(wait=0) as connection:
            await _begin(connection)
            try:
                yield connection
                connection.execute("commit")
            finally:
                if connection.in_transaction:
                    connection.execute("rollback")

    def pending(self) -> list[str]:
        """Return the names of the migrations that are not applied yet."""
        if not self.path.exists():
            return [file.name for file in MIGRATIONS]
        with self.reading() as connection:
            return [file.name for file in _pending(connection)]

    async def migrate(self) -> list[str]:
        """Apply what is pending, and name it.  Processes that start together do it once."""
        self.path.touch()
        with self.reading() as connection:
            connection.execute("pragma journal_mode = wal")  # whoever reads keeps nobody from writing
        async with self.transaction() as tx:
            pending = _pending(tx)
            for file in pending:
                for statement in statements(file, "sqlite"):
                    tx.execute(statement)
                tx.execute(f"pragma user_version = {int(file.name[:4])}")
        return [file.name for file in pending]


async def _begin(connection: SqliteConnection) -> None:
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("begin immediate")
        except sqlite.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > ends:
                raise
            await asyncio.sleep(0.002)
        else:
            return


def _pending(connection: SqliteConnection) -> list[Path]:
    return MIGRATIONS[connection.execute("pragma user_version").fetchone()[0] :]
