"""What a pool of connections has to know: whose it is, and whether a connection still is one."""

from __future__ import annotations

import asyncio
import select
from typing import Any

import psycopg

__all__ = ["async_check", "async_home", "check", "home"]


def async_home() -> object:
    """Return the event loop, which is the only one that may use what is opened in it."""
    return asyncio.get_running_loop()


def home() -> object:
    """Return nothing: code that blocks may use its connections from any thread."""
    return None


async def async_check(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raise OperationalError if the server has hung up."""
    _look(connection)


def check(connection: psycopg.Connection[Any]) -> None:
    """Raise OperationalError if the server has hung up."""
    _look(connection)


def _look(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    # Nothing comes unasked on a connection that rests, but its end, or why it is about to end: looking costs no round
    # trip.
    if select.select([connection.fileno()], [], [], 0)[0]:
        connection.pgconn.consume_input()
        connection.pgconn.finish()
        raise psycopg.OperationalError("the server closed the connection")
