"""Runs a verb on a connection: each step is a statement, and its rows go back into the verb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from ferryman.errors import StorageError
from ferryman.storage.river.sql import Statement, statements
from ferryman.storage.river.sqlite.failures import translated
from ferryman.storage.river.sqlite.library import Connection
from ferryman.storage.river.steps import NOW, Batch, Query, Row, Script, Step, Stream, Values, Verb
from ferryman.storage.river.times import text_time

__all__ = ["run", "transaction"]

T = TypeVar("T")

_STATEMENTS = statements("sqlite")


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
                answer = _answered(connection, step)
        except StorageError as error:
            failed = error  # the verb may know what it means


def _answered(connection: Connection, step: Step) -> list[Any]:
    if isinstance(step, Stream):
        return [row for query in step.queries() for row in _answered(connection, query)]
    rows = _execute(connection, step)
    if not isinstance(step, Script) and step.tells:
        _execute(connection, Batch("notify", step.tells))
    return rows


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
