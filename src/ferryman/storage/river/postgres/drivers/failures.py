"""What the errors of callers' drivers mean to us, all told apart by SQLSTATE."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from ferryman.errors import FerrymanError, InvalidJob, Unsupported
from ferryman.storage.river.postgres.failures import meaning

__all__ = ["translated_for_caller"]

_LIBRARIES = {"psycopg", "psycopg2", "asyncpg", "sqlalchemy", "django"}
_FAILED_BEFORE = {"PendingRollbackError", "TransactionManagementError"}
"""How SQLAlchemy and Django say it, before they ask the server."""
_WRONG_CODE = {"MissingGreenlet", "SynchronousOnlyOperation"}
"""How SQLAlchemy and Django say that a connection was used in async code without waiting."""


@contextmanager
def translated_for_caller(where: object) -> Iterator[None]:
    """Turn any driver's errors into ours, and say what they mean for the caller's transaction."""
    try:
        yield
    except FerrymanError:
        raise
    except Exception as error:
        known = _as_psycopg(error)
        if known is None:
            raise
        if type(error).__name__ in _WRONG_CODE:
            raise Unsupported(
                "tx cannot be used in async code here. Call enqueue_sync in the function that holds the transaction, "
                "which sync_to_async or run_sync runs."
            ) from error
        if isinstance(known, errors.InFailedSqlTransaction):
            raise InvalidJob(
                "tx is a transaction that has failed already. Roll it back, and enqueue in a new one."
            ) from error
        ours = meaning(known, where)
        raise type(ours)(f"{ours} Roll your transaction back: nothing of it can be kept.") from error


def _as_psycopg(error: Exception) -> psycopg.Error | OSError | None:
    """Return an error of any driver as psycopg would have raised it; None if it is no driver's."""
    if isinstance(error, psycopg.Error | OSError):
        return error
    if not _LIBRARIES & {each.__module__.partition(".")[0] for each in type(error).__mro__}:
        return None
    if type(error).__name__ in _FAILED_BEFORE:
        return errors.InFailedSqlTransaction(str(error))
    root = _root(error)
    if isinstance(root, psycopg.Error | OSError):
        return root
    code = getattr(root, "sqlstate", None) or getattr(root, "pgcode", None)
    if code is not None:
        return errors.lookup(code)(str(root))
    # Where there is no code the server said nothing, and all of them use the same names for that.
    same = getattr(psycopg, type(error).__name__, psycopg.Error)
    return same(str(root)) if issubclass(same, psycopg.Error) else psycopg.Error(str(root))


def _root(error: BaseException) -> BaseException:
    """Return what SQLAlchemy and Django wrap: the driver's own error, or what caused that."""
    inner = getattr(error, "orig", None) or error.__cause__
    return error if inner is None else _root(inner)
