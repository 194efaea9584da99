"""The caller's own transaction: finds the connection in what they gave, and runs a verb on it."""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg

from ferryman.errors import InvalidJob, Unsupported
from ferryman.storage.river.postgres._async.runner import async_run
from ferryman.storage.river.postgres._sync.runner import run
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.steps import Verb

__all__ = ["async_run_in_transaction", "run_in_transaction"]

T = TypeVar("T")


async def async_run_in_transaction(tx: Any, verb: Verb[T], location: Location) -> T:
    """Run a verb in the caller's transaction.  Raises Unsupported for what is none of ours, InvalidJob outside one."""
    connection = _connection(tx)
    if isinstance(connection, psycopg.AsyncConnection):
        _refuse_without_transaction(connection)
        return await async_run(connection, verb, location)
    return run_in_transaction(connection, verb, location)


def run_in_transaction(tx: Any, verb: Verb[T], location: Location) -> T:
    """The same for code that blocks."""
    connection = _connection(tx)
    if not isinstance(connection, psycopg.Connection):
        raise Unsupported(
            f"tx is a {type(tx).__module__}.{type(tx).__qualname__}. On Postgres it takes a connection of psycopg 3, "
            "or a SQLAlchemy session over one."
        )
    _refuse_without_transaction(connection)
    return run(connection, verb, location)


def _connection(tx: Any) -> Any:
    found = tx
    if hasattr(found, "sync_session"):
        found = found.sync_session
    if hasattr(found, "get_bind") and hasattr(found, "connection"):
        found = found.connection()  # a SQLAlchemy Session gives its Connection
    if hasattr(found, "exec_driver_sql"):
        found = found.connection.driver_connection  # … which gives the driver's own
    return found


def _refuse_without_transaction(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    if connection.autocommit and connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        raise InvalidJob("tx is a connection without an open transaction. Begin one first, or leave tx out.")
