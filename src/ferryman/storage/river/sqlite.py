"""SQLite: finds a library that is new enough, opens connections, runs verbs on them.

River's schema needs SQLite 3.45.  The standard library's is used where it is that new,
else `pysqlite3`, which brings its own.  Never both: two SQLite libraries in one process
drop each other's locks on a file (design.md 5.1).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from ferryman.errors import (
    ConfigError,
    MissingExtra,
    SchemaOutOfDate,
    StorageError,
    StorageUnavailable,
)
from ferryman.storage.river.rows import text_time
from ferryman.storage.river.sql import Statement, statements
from ferryman.storage.river.steps import NOW, Batch, Conflict, Query, Row, Script, Values, Verb

__all__ = ["Connection", "Location", "library", "run", "transaction", "translated"]

T = TypeVar("T")
Connection = Any

_NEEDED = (3, 45)
_BUSY_SECONDS = 10.0
_SYNCHRONOUS = ("full", "normal")


class Location(msgspec.Struct, frozen=True):
    """Where the database is; an empty path is in memory."""

    path: str
    synchronous: str = "full"

    @classmethod
    def parse(cls, url: str) -> Location:
        """Read `sqlite:///relative.db`, `sqlite:////absolute.db` or `sqlite://`.  Raises ConfigError."""
        parts = urlsplit(url)
        if parts.netloc:
            raise ConfigError(
                f'"{url}" has two slashes before the file. SQLite\'s URLs have three: sqlite:///{parts.netloc}{parts.path}'
            )
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        synchronous = options.pop("synchronous", "full").lower()
        if synchronous not in _SYNCHRONOUS:
            raise ConfigError(f'"{url}" has synchronous={synchronous}. It takes full (the default) or normal.')
        if options:
            raise ConfigError(f'"{url}" has the unknown option {", ".join(options)}. There is: synchronous.')
        return cls(unquote(parts.path.removeprefix("/")), synchronous)

    def __str__(self) -> str:
        return f"sqlite:///{self.path}" if self.path else "sqlite:// (in memory)"

    def open(self) -> Connection:
        """Open a connection.  Raises MissingExtra without a library, StorageUnavailable when the file cannot be had."""
        sqlite = library()
        with translated(self):
            connection = sqlite.connect(
                self.path or ":memory:", timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                if self.path:
                    _write_ahead(connection)
                connection.execute(f"pragma synchronous = {self.synchronous}")
            except BaseException:
                connection.close()
                raise
        return connection


def library() -> ModuleType:
    """Return the DB-API module that we use.  Raises MissingExtra when none is new enough."""
    import sqlite3

    if sqlite3.sqlite_version_info >= _NEEDED:
        return sqlite3
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        raise MissingExtra(
            f"SQLite 3.45 or newer is needed, Python's own is {sqlite3.sqlite_version} and pysqlite3 is not installed. "
            "Install pysqlite3 or a newer Python, or use Redis or Postgres.",
            extra="all",
        ) from None
    return dbapi2  # type: ignore[no-any-return]


def _write_ahead(connection: Connection) -> None:
    """Switch the file to WAL.  While another does just that SQLite gives up at once, so the waiting is ours."""
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal").fetchone()
        except library().OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Run a block in a write transaction: all of it or nothing."""
    with translated():
        connection.execute("begin immediate")
    try:
        yield
        with translated():
            connection.execute("commit")
    except BaseException:
        # After some errors SQLite has rolled back by itself.
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def run(connection: Connection, verb: Verb[T]) -> T:
    """Run a verb's steps on a connection, in whatever transaction it is in."""
    answer: Any = None
    failed: StorageError | None = None
    while True:
        try:
            step = verb.throw(failed) if failed else verb.send(answer)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        answer, failed = None, None
        try:
            with translated():
                answer = _execute(connection, step)
                if not isinstance(step, Script) and step.tells:
                    _execute(connection, Batch("notify", step.tells))
        except StorageError as error:
            failed = error  # the verb may know what it means


def _execute(connection: Connection, step: Query | Batch | Script) -> list[Any]:
    cursor = connection.cursor()
    cursor.row_factory = None  # the caller's own connection may make rows into something else
    if isinstance(step, Query):
        statement = _STATEMENTS[step.name]
        return cursor.execute(statement.text, _bound(statement, step.values)).fetchall()  # type: ignore[no-any-return]
    if isinstance(step, Batch):
        return _each(cursor, step)
    rows: list[Row] = []
    for text in step.texts:
        rows = cursor.execute(text).fetchall()
    return rows


def _each(cursor: Any, step: Batch) -> list[Row | None]:
    # A prepared statement per row inside one transaction: joining an update to json_each is
    # twenty times slower (measured; design.md 3).
    statement = _STATEMENTS[step.name]
    answers: list[Row | None] = []
    for values in step.values:
        rows = cursor.execute(statement.text, _bound(statement, values)).fetchall()
        answers.append(rows[0] if rows else None)
    return answers


def _bound(statement: Statement, values: Values) -> list[Any]:
    return [_written(value) for value in statement.bind(values)]


def _written(value: Any) -> Any:
    """Return a value as SQLite takes it: times are text, what is nested is JSON."""
    kind = type(value)
    if kind is datetime:
        return _time(value)
    if kind is list:
        return msgspec.json.encode([_row(each) if type(each) is tuple else each for each in value]).decode()
    if kind is dict or kind is tuple:
        return msgspec.json.encode(value).decode()
    return text_time(datetime.now(UTC)) if value is NOW else value


def _row(values: tuple[Any, ...]) -> list[Any]:
    return [_time(value) if type(value) is datetime else value for value in values]


# A batch has one time of creation, and it is written with every row.
_time = lru_cache(maxsize=16)(text_time)


@contextmanager
def translated(where: object = "the database") -> Iterator[None]:
    """Turn the driver's errors into ours."""
    sqlite = library()
    try:
        yield
    except sqlite.IntegrityError as error:
        if "UNIQUE" in str(error):
            raise Conflict(f"SQLite refused a second row of the same key: {error}.") from error
        raise StorageError(f"SQLite refused the row: {error}. Nothing was stored.") from error
    except sqlite.OperationalError as error:
        raise _operational(error, where) from error
    except (sqlite.Error, sqlite.Warning) as error:
        raise StorageError(f"SQLite failed on {where}: {error}.") from error


def _operational(error: Exception, where: object) -> StorageError:
    text = str(error)
    if "no such table" in text or "no such column" in text:
        return SchemaOutOfDate(
            f"The database has not the tables that ferryman needs ({text}). Run: ferryman migrate up"
        )
    if "malformed JSON" in text:
        return StorageError(f"SQLite met a value that is not JSON ({text}). Nothing was changed.")
    if "unable to open" in text:
        return StorageUnavailable(f"{where} cannot be opened: {text}. Is there such a folder, and may we write to it?")
    if "locked" in text or "busy" in text:
        return StorageUnavailable(f"{where} is locked by another program for over {_BUSY_SECONDS:.0f} s: {text}.")
    return StorageUnavailable(f"SQLite failed on {where}: {text}.")


_STATEMENTS = statements("sqlite")
