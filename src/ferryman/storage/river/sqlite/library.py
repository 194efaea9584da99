"""Finds a SQLite that is new enough.

River's schema needs SQLite 3.45.  The standard library's is used where it is that new,
else `pysqlite3`, which brings its own.  Never both: two SQLite libraries in one process
drop each other's locks on a file (design.md 5.1).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ferryman.errors import MissingExtra

__all__ = ["BUSY_SECONDS", "Connection", "library"]

Connection = Any

BUSY_SECONDS = 10.0
"""How long a connection waits while another writes."""

_NEEDED = (3, 45)


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
