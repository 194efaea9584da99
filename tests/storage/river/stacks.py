"""The ways in which programs hold a transaction on Postgres, each as `using(tx=…)` is given it.

A stack opens a transaction of its own library; `Mine` says what to give and how it ends.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psycopg
import psycopg2
import psycopg2.extras
import sqlalchemy
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

__all__ = ["ASYNC_STACKS", "BLOCKING_ONLY", "STACKS", "AsyncMine", "Mine", "django_connection", "spelled"]


@dataclass
class Mine:
    """A transaction of the caller's own."""

    tx: Any
    commit: Callable[[], object]
    rollback: Callable[[], object]


@dataclass
class AsyncMine:
    """The same, ended by async code."""

    tx: Any
    commit: Callable[[], Awaitable[object]]
    rollback: Callable[[], Awaitable[object]]


def plain(tx: Any) -> Mine:
    return Mine(tx, tx.commit, tx.rollback)


def by_hand(connection: Any) -> Mine:
    connection.execute("begin")
    return Mine(connection, lambda: connection.execute("commit"), lambda: connection.execute("rollback"))


@contextmanager
def of_psycopg(url: str) -> Iterator[Mine]:
    with closing(psycopg.connect(url)) as connection:
        yield plain(connection)


@contextmanager
def of_psycopg_autocommit(url: str) -> Iterator[Mine]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        yield by_hand(connection)


@contextmanager
def of_psycopg_with_rows_of_its_own(url: str) -> Iterator[Mine]:
    with closing(psycopg.connect(url, row_factory=dict_row, cursor_factory=psycopg.ClientCursor)) as connection:
        yield plain(connection)


@contextmanager
def of_psycopg2(url: str) -> Iterator[Mine]:
    with closing(psycopg2.connect(url)) as connection:
        yield plain(connection)


@contextmanager
def of_psycopg2_with_rows_of_its_own(url: str) -> Iterator[Mine]:
    with closing(psycopg2.connect(url, cursor_factory=psycopg2.extras.RealDictCursor)) as connection:
        yield plain(connection)


def of_session(driver: str, **said: Any) -> Callable[[str], AbstractContextManager[Mine]]:
    @contextmanager
    def stack(url: str) -> Iterator[Mine]:
        with engine(driver, url, **said) as made, Session(made) as session:
            yield plain(session)

    return stack


def of_connection(driver: str) -> Callable[[str], AbstractContextManager[Mine]]:
    @contextmanager
    def stack(url: str) -> Iterator[Mine]:
        with engine(driver, url) as made, made.connect() as connection:
            yield plain(connection)

    return stack


@contextmanager
def of_scoped_session(url: str) -> Iterator[Mine]:
    with engine("psycopg", url) as made:
        scoped = scoped_session(sessionmaker(made))
        yield plain(scoped)
        scoped.remove()


@contextmanager
def engine(driver: str, url: str, **said: Any) -> Iterator[sqlalchemy.Engine]:
    made = sqlalchemy.create_engine(spelled(driver, url), **said)
    yield made
    made.dispose()


@contextmanager
def of_django(url: str) -> Iterator[Mine]:
    connection = django_connection(url)
    connection.set_autocommit(False)
    yield Mine(connection, connection.commit, connection.rollback)
    connection.rollback()
    connection.close()


def django_connection(url: str) -> Any:
    """Return `django.db.connection`, set to a database."""
    import django
    from django.conf import settings
    from django.db import connection, connections

    if not settings.configured:
        database = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres"}
        settings.configure(DATABASES={"default": database}, LOGGING_CONFIG=None)
        django.setup()
    parts = urlsplit(url)
    where = {"HOST": parts.hostname, "PORT": parts.port, "USER": parts.username, "PASSWORD": parts.password}
    connections["default"].close()
    connections["default"].settings_dict |= {**where, "NAME": parts.path.strip("/"), "AUTOCOMMIT": True}
    return connection


@asynccontextmanager
async def of_async_psycopg(url: str) -> AsyncIterator[AsyncMine]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield AsyncMine(connection, connection.commit, connection.rollback)


@asynccontextmanager
async def of_async_psycopg_with_rows_of_its_own(url: str) -> AsyncIterator[AsyncMine]:
    connected = await psycopg.AsyncConnection.connect(
        url, autocommit=True, row_factory=dict_row, cursor_factory=psycopg.AsyncClientCursor
    )
    async with connected as connection:
        await connection.execute("begin")
        yield AsyncMine(connection, lambda: connection.execute("commit"), lambda: connection.execute("rollback"))


@asynccontextmanager
async def of_asyncpg(url: str) -> AsyncIterator[AsyncMine]:
    connection = await asyncpg.connect(spelled("", url))
    transaction = connection.transaction()
    await transaction.start()
    yield AsyncMine(connection, transaction.commit, transaction.rollback)
    await connection.close()


@asynccontextmanager
async def of_asyncpg_pool(url: str) -> AsyncIterator[AsyncMine]:
    async def teach(connection: Any) -> None:
        for name in ("json", "jsonb"):
            await connection.set_type_codec(name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")

    async with (
        asyncpg.create_pool(spelled("", url), min_size=1, max_size=1, init=teach) as pool,
        pool.acquire() as connection,
    ):
        transaction = connection.transaction()
        await transaction.start()
        yield AsyncMine(connection, transaction.commit, transaction.rollback)


def of_async_session(driver: str) -> Callable[[str], AbstractAsyncContextManager[AsyncMine]]:
    @asynccontextmanager
    async def stack(url: str) -> AsyncIterator[AsyncMine]:
        made = create_async_engine(spelled(driver, url))
        async with AsyncSession(made) as session:
            yield AsyncMine(session, session.commit, session.rollback)
        await made.dispose()

    return stack


def of_async_connection(driver: str) -> Callable[[str], AbstractAsyncContextManager[AsyncMine]]:
    @asynccontextmanager
    async def stack(url: str) -> AsyncIterator[AsyncMine]:
        made = create_async_engine(spelled(driver, url))
        async with made.connect() as connection:
            yield AsyncMine(connection, connection.commit, connection.rollback)
        await made.dispose()

    return stack


def spelled(driver: str, url: str) -> str:
    """Return a URL as SQLAlchemy reads it, or without a driver asyncpg: neither knows what libpq may be told there."""
    return urlsplit(url)._replace(scheme=f"postgresql+{driver}".rstrip("+"), query="").geturl()


STACKS: Mapping[str, Callable[[str], AbstractContextManager[Mine]]] = {
    "psycopg": of_psycopg,
    "psycopg-autocommit": of_psycopg_autocommit,
    "psycopg-dict-rows": of_psycopg_with_rows_of_its_own,
    "psycopg2": of_psycopg2,
    "psycopg2-dict-rows": of_psycopg2_with_rows_of_its_own,
    "session-psycopg": of_session("psycopg"),
    "session-psycopg2": of_session("psycopg2"),
    "session-streaming": of_session("psycopg2", execution_options={"stream_results": True}),
    "connection-psycopg": of_connection("psycopg"),
    "connection-psycopg2": of_connection("psycopg2"),
    "scoped-session": of_scoped_session,
}
"""Those that block and may be used in async code too, though it stands still meanwhile."""

BLOCKING_ONLY: Mapping[str, Callable[[str], AbstractContextManager[Mine]]] = {"django": of_django}

ASYNC_STACKS: Mapping[str, Callable[[str], AbstractAsyncContextManager[AsyncMine]]] = {
    "psycopg": of_async_psycopg,
    "psycopg-dict-rows": of_async_psycopg_with_rows_of_its_own,
    "asyncpg": of_asyncpg,
    "asyncpg-pool-own-json": of_asyncpg_pool,
    "session-psycopg": of_async_session("psycopg"),
    "session-asyncpg": of_async_session("asyncpg"),
    "connection-psycopg": of_async_connection("psycopg"),
    "connection-asyncpg": of_async_connection("asyncpg"),
}
"""Those that async code waits for."""
