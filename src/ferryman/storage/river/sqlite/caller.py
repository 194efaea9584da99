"""The caller's own transaction: finds the connection in what they gave, and runs a verb on it.

It must be a connection of the very library that we use, since two SQLite libraries in
one process drop each other's locks (design.md 5.1), and to the very file that jobs are in.
"""

from __future__ import annotations

import os
from typing import Any, TypeVar

from ferryman.errors import InvalidJob, Unsupported
from ferryman.storage.river.sqlite.library import Connection, library
from ferryman.storage.river.sqlite.running import run
from ferryman.storage.river.steps import Verb

__all__ = ["run_in_transaction"]

T = TypeVar("T")

_WAYS_OUT = (
    "Give a connection of that module (ferryman.sqlite.library() returns it), or SQLAlchemy's or Django's over it; or "
    "keep the queue in a file of its own and enqueue after your commit; or use Postgres."
)


def run_in_transaction(tx: Any, verb: Verb[T], place: str) -> T:
    """Run a verb in the caller's transaction.  Raises Unsupported for what is none of ours, InvalidJob outside one."""
    connection = _connection(tx)
    file = _file(connection)
    if file != place:
        raise Unsupported(
            f"tx is a transaction on {_shown(file)} and jobs are kept in {_shown(place)}: one cannot span both. "
            "Keep jobs in your own file (FERRYMAN_URL=sqlite:///…), or enqueue after your commit."
        )
    if _commits_by_itself(connection) and not connection.in_transaction:
        raise InvalidJob("tx is a connection without an open transaction. Begin one first, or leave tx out.")
    return run(connection, verb)


def _connection(tx: Any) -> Connection:
    sqlite = library()
    found = tx
    if hasattr(found, "get_bind") and hasattr(found, "connection") and not hasattr(found, "sync_session"):
        found = found.connection()  # a SQLAlchemy Session gives its Connection
    if getattr(found, "vendor", "") == "sqlite":
        found.ensure_connection()
        found = found.connection  # Django's gives the driver's own
    if hasattr(found, "exec_driver_sql"):
        if not found.in_transaction():
            found.begin()  # else it would not know that there is something to commit
        found = found.connection.driver_connection  # … which gives the driver's own
    if isinstance(found, sqlite.Connection):
        return found
    raise Unsupported(
        f"tx is a {type(found).__module__}.{type(found).__qualname__}, and ferryman works through "
        f"{sqlite.__name__} (SQLite {sqlite.sqlite_version}). {_WAYS_OUT}"
    )


def _commits_by_itself(connection: Connection) -> bool:
    # `autocommit` is Python 3.12's word for it.
    return connection.isolation_level is None or getattr(connection, "autocommit", False) is True


def _shown(place: str) -> str:
    return place if os.path.isabs(place) else "memory"


def _file(connection: Connection) -> str:
    cursor = connection.cursor()
    cursor.row_factory = None
    rows = cursor.execute("pragma database_list").fetchall()
    path = next((row[2] for row in rows if row[1] == "main"), "")
    return os.path.realpath(path) if path else ""
