"""What psycopg's errors mean to us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout

from ferryman.errors import SchemaOutOfDate, StorageError, StorageUnavailable
from ferryman.storage.river.steps import Conflict

__all__ = ["translated"]

_MISSING = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction, errors.UndefinedObject)
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


@contextmanager
def translated(where: object) -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except errors.UniqueViolation as error:
        raise Conflict(f"Postgres refused a second row of the same key: {_text(error)}.") from error
    except (*_MISSING, errors.InvalidSchemaName) as error:
        raise SchemaOutOfDate(
            f"The database has not the tables that ferryman needs ({_text(error)}). Run: ferryman migrate up"
        ) from error
    except errors.InsufficientPrivilege as error:
        raise StorageError(
            f"Postgres does not allow it on {where}: {_text(error)}. Nothing was changed. Grant the user of the URL "
            "select, insert, update and delete on River's tables, and usage on the schema and its sequences."
        ) from error
    except (errors.DataError, errors.IntegrityError) as error:
        raise StorageError(f"Postgres refused a value: {_text(error)}. Nothing was stored.") from error
    except _PASSING as error:
        raise StorageUnavailable(f"Postgres failed on {where}: {_text(error)}.") from error
    except psycopg.Error as error:
        raise StorageError(f"Postgres failed on {where}: {_text(error)}.") from error


def _text(error: BaseException) -> str:
    """Return the first line: what follows it repeats the statement."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].removesuffix(".")
