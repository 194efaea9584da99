"""What psycopg's errors mean to us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout

from ferryman.errors import Forbidden, SchemaOutOfDate, StorageError, StorageUnavailable
from ferryman.storage.river.steps import Conflict, OutOfTime

__all__ = ["meaning", "translated"]

_MISSING = (
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.UndefinedObject,
    errors.InvalidSchemaName,
)
_PASSING = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,
    errors.CannotConnectNow,
    errors.InFailedSqlTransaction,
    PoolTimeout,
    OSError,
)
"""What may be over when it is tried again: a server that restarts, a standby before it takes over, a deadlock."""

_PREFACE = re.compile(r"^connection failed: connection to server at .*? failed: (?:FATAL:\s+)?")
_LOGIN = re.compile(
    r"does not exist|authentication failed|no password supplied|no pg_hba\.conf entry|permission denied"
)


@contextmanager
def translated(where: object) -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except (psycopg.Error, PoolTimeout, OSError) as error:
        raise meaning(error, where) from error


def meaning(error: Exception, where: object) -> StorageError:
    """Return an error of the driver as ours."""
    text = _text(error)
    match error:
        case errors.UniqueViolation():
            return Conflict(f"Postgres refused a second row of the same key: {text}.")
        case _ if isinstance(error, _MISSING):
            return SchemaOutOfDate(
                f"The database has not the tables that ferryman needs ({text}). Run: ferryman migrate up"
            )
        case errors.InsufficientPrivilege():
            return Forbidden(
                f"Postgres does not allow it on {where}: {text}. Nothing was changed. Grant the user of the URL "
                "select, insert, update and delete on River's tables, and usage on the schema and its sequences."
            )
        case errors.DataError() | errors.IntegrityError():
            return StorageError(f"Postgres refused a value: {text}. Nothing was stored.")
        case errors.QueryCanceled():
            return OutOfTime(f"Postgres failed on {where}: {text}.")
        case _ if isinstance(error, _PASSING):
            return StorageUnavailable(f"Postgres failed on {where}: {text}.{_advice(error)}")
    return StorageError(f"Postgres failed on {where}: {text}.")


def _advice(error: Exception) -> str:
    """Return what to do when there is no connection, as far as the reason tells."""
    text = str(error)
    if _LOGIN.search(text):
        return " Look at the user, the password and the database in the URL."
    return " Is it running there?" if "refused" in text else ""


def _text(error: BaseException) -> str:
    """Return the first line: what follows it repeats the statement.  The address is known, it is part of ours."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return _PREFACE.sub("", lines[0]).removesuffix(".")
