"""The database: our own tables, and the jobs beside them unless they are kept elsewhere.

It is a SQLite file or a Postgres database.  Both are used in the same way, through the
same statements: one transaction writes at a time, and a job can be enqueued in the very
transaction that stores its briefing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from ferryman import StorageUnavailable
from ferryman.outbox import ddl

__all__ = [
    "MIGRATIONS",
    "PATIENCE",
    "QUERIES",
    "Connection",
    "Database",
    "DatabaseAway",
    "kept",
    "open_database",
    "statements",
]

HERE = Path(__file__).parent
MIGRATIONS = sorted((HERE / "migrations").glob("*.sql"))
QUERIES = dict(re.findall(r"-- name: (\w+)\n(.+?;)\n", (HERE / "queries.sql").read_text("utf-8"), re.DOTALL))
PATIENCE = 2.0
"""How many seconds to wait for somebody else's transaction to end."""


class DatabaseAway(StorageUnavailable):
    """The database does not answer; nothing was stored."""


class Connection(Protocol):
    """A connection that knows the statements by name."""

    def run(self, query: str, **values: Any) -> Any:
        """Run a statement of queries.sql, with times and addresses as the tables keep them; `:now` is known."""
        ...


class Database(Protocol):
    """Gives connections, each for one purpose."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Look, and change nothing.  Raises DatabaseAway."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Do all of the block or nothing.  Raises DatabaseAway.

        Nobody else can write meanwhile, so await nothing in it but `enqueue` with this transaction.
        """
        ...

    def pending(self) -> list[str]:
        """Return the names of the migrations that are not applied yet."""
        ...

    async def migrate(self) -> list[str]:
        """Apply what is pending, and name it.  Processes that start together do it once."""
        ...


def open_database(url: str) -> Database:
    """Return the database that a URL names.  It connects at first use."""
    if url.startswith("sqlite:"):
        from briefings.on_sqlite import SqliteDatabase

        return SqliteDatabase(Path(url.removeprefix("sqlite:///").partition("?")[0]))
    from briefings.on_postgres import PostgresDatabase

    return PostgresDatabase(url)


def kept(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as both databases keep them, the time among them."""
    return {name: _kept(value) for name, value in {**values, "now": datetime.now(UTC)}.items()}


def statements(file: Path, dialect: str) -> Iterator[str]:
    """Return what a migration does, one by one."""
    yield from file.read_text("utf-8").split(";\n")
    if file.stem.endswith("outbox"):
        yield from ddl(dialect, "outbox")


def _kept(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    return value if isinstance(value, str | int | None) else str(value)
