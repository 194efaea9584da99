"""Which library an object is of, told by the names of its classes: none is imported for the question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ferryman.errors import Unsupported
from ferryman.storage.river.postgres.drivers.blocking import (
    Caller,
    DjangoCaller,
    Psycopg2Caller,
    PsycopgCaller,
    SqlalchemyCaller,
)
from ferryman.storage.river.postgres.drivers.waiting import (
    AsyncCaller,
    AsyncpgCaller,
    AsyncPsycopgCaller,
    AsyncSqlalchemyCaller,
    BlockingCaller,
)

__all__ = ["AsyncCaller", "Caller", "async_caller_of", "caller_of"]

T = TypeVar("T")

_BLOCKING: Mapping[str, Callable[[Any], Caller]] = {
    "psycopg.Connection": PsycopgCaller,
    "psycopg2.extensions.connection": Psycopg2Caller,
    "sqlalchemy.engine.base.Connection": SqlalchemyCaller,
    "sqlalchemy.orm.session.Session": SqlalchemyCaller,
    "sqlalchemy.orm.scoping.scoped_session": SqlalchemyCaller,
    "django.utils.connection.ConnectionProxy": DjangoCaller,
    "django.db.backends.base.base.BaseDatabaseWrapper": DjangoCaller,
}
_WAITING: Mapping[str, Callable[[Any], AsyncCaller]] = {
    "psycopg.AsyncConnection": AsyncPsycopgCaller,
    "asyncpg.connection.Connection": AsyncpgCaller,
    "asyncpg.pool.PoolConnectionProxy": AsyncpgCaller,
    "sqlalchemy.ext.asyncio.engine.AsyncConnection": AsyncSqlalchemyCaller,
    "sqlalchemy.ext.asyncio.session.AsyncSession": AsyncSqlalchemyCaller,
    "sqlalchemy.ext.asyncio.scoping.async_scoped_session": AsyncSqlalchemyCaller,
}


def caller_of(tx: Any) -> Caller:
    """Adapt a connection that blocks.  Raises Unsupported for anything else."""
    if adapt := _known(tx, _BLOCKING):
        return adapt(tx)
    if _known(tx, _WAITING):
        raise Unsupported(
            f"tx is {_named(tx)}, which only async code can wait for. Enqueue there, with await ….enqueue(…), "
            "or give a connection that blocks."
        )
    raise Unsupported(
        f"tx is {_named(tx)}. On Postgres it takes a connection of psycopg, psycopg2 or asyncpg, a Session, "
        "AsyncSession, Connection or AsyncConnection of SQLAlchemy, or Django's connection."
    )


def async_caller_of(tx: Any) -> AsyncCaller:
    """Adapt a connection of any kind for async code.  Raises Unsupported for anything else."""
    if adapt := _known(tx, _WAITING):
        return adapt(tx)
    return BlockingCaller(caller_of(tx))


def _known(tx: Any, adapters: Mapping[str, T]) -> T | None:
    # Not type(tx): a wrapper that watches a connection gives the class of what it wraps.
    names = (f"{each.__module__}.{each.__qualname__}" for each in tx.__class__.__mro__)
    return next((adapters[name] for name in names if name in adapters), None)


def _named(tx: Any) -> str:
    return f"a {type(tx).__module__}.{type(tx).__qualname__}"
