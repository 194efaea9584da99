"""Where the conformance suite runs: each place is one storage, in one way of setting it up.

A place opens as many storages as a test asks for, all over the same jobs, as several
programs would have them; and it opens a transaction of the caller's own, where the
storage can take part in one.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg

from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq._sync.storage import RedisStorage
from ferryman.storage.asynq.urls import Address
from ferryman.storage.river.bundle import LINES, bundle
from ferryman.storage.river.postgres._async.storage import AsyncPostgresStorage
from ferryman.storage.river.postgres._sync.storage import PostgresStorage
from ferryman.storage.river.postgres.location import Location as PostgresLocation
from ferryman.storage.river.sqlite._async.storage import AsyncSqliteStorage
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from ferryman.storage.river.sqlite.library import library
from ferryman.storage.river.sqlite.location import Location
from ferryman.storage.river.sqlite.thread import Held
from servers import POSTGRES, SERVERS

__all__ = ["PLACES", "RUN_IN", "AsyncTransaction", "OnPostgres", "Place", "Transaction", "migrate"]


class Transaction:
    """The caller's own transaction; `tx` is what they give with a job."""

    def __init__(self, connection: Any) -> None:
        self.tx = connection

    def commit(self) -> None:
        self.tx.commit()

    def rollback(self) -> None:
        self.tx.rollback()


class AsyncTransaction:
    """The same for async code; SQLite's drivers block all the same."""

    def __init__(self, connection: Any) -> None:
        self.tx = connection

    async def commit(self) -> None:
        if (waiting := self.tx.commit()) is not None:
            await waiting

    async def rollback(self) -> None:
        if (waiting := self.tx.rollback()) is not None:
            await waiting


class Place(Protocol):
    """One set of jobs, for the length of a test."""

    def async_open(self) -> AsyncStorage: ...
    def open(self) -> Storage: ...
    def async_transaction(self) -> Any: ...
    def transaction(self) -> AbstractContextManager[Transaction]: ...


class Sqlite:
    """A SQLite database.  What is in memory exists once, so its storages share what `held` holds."""

    def __init__(self, url: str) -> None:
        self.location = Location.parse(url)
        self.held = None if self.location.path else Held(self.location)

    def async_open(self) -> AsyncStorage:
        return AsyncSqliteStorage(self.location, self.held)

    def open(self) -> Storage:
        return SqliteStorage(self.location, self.held)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with closing(library().connect(self.location.path)) as connection:
            yield Transaction(connection)

    @asynccontextmanager
    async def async_transaction(self) -> AsyncIterator[AsyncTransaction]:
        with self.transaction() as transaction:
            yield AsyncTransaction(transaction.tx)


@contextmanager
def sqlite_file(folder: Path, shared: Path) -> Iterator[Place]:
    shutil.copy(_tables(shared), folder / "jobs.db")
    yield Sqlite(f"sqlite:///{folder}/jobs.db?synchronous=normal")


@contextmanager
def sqlite_memory(folder: Path, shared: Path) -> Iterator[Place]:
    place = Sqlite("sqlite://")
    with closing(library().connect(_tables(shared))) as tables, closing(place.held):
        tables.backup(place.held.connection)
        yield place


def _tables(shared: Path) -> Path:
    """Return an empty database to copy: making the tables takes longer than most tests."""
    path = shared / "sqlite-tables.db"
    if not path.exists():
        with SqliteStorage(Location(str(path))):
            pass
    return path


class OnPostgres:
    """A schema of a Postgres database, and empty."""

    def __init__(self, url: str) -> None:
        self.location = PostgresLocation.parse(url)

    def async_open(self) -> AsyncStorage:
        return AsyncPostgresStorage(self.location)

    def open(self) -> Storage:
        return PostgresStorage(self.location)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with closing(psycopg.connect(self.location.url)) as connection:
            yield Transaction(connection)

    @asynccontextmanager
    async def async_transaction(self) -> AsyncIterator[AsyncTransaction]:
        connection = await psycopg.AsyncConnection.connect(self.location.url)
        try:
            yield AsyncTransaction(connection)
        finally:
            await connection.close()


def on_postgres(version: str, schema: str = "public") -> Callable[[Path, Path], AbstractContextManager[Place]]:
    """Return how to set up a version of Postgres, with River's tables in a schema."""

    @contextmanager
    def place(folder: Path, shared: Path) -> Iterator[Place]:
        server = POSTGRES[version]()
        place = OnPostgres(server.url if schema == "public" else f"{server.url}?schema={schema}")
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"create schema if not exists {schema}")
            if not _is_migrated(connection, schema):
                migrate(place)
            _empty(connection, schema)
        yield place

    return place


def _empty(connection: psycopg.Connection[Any], schema: str) -> None:
    """Delete all rows and let ids begin anew: `truncate` does both, and takes thirty times as long."""
    ours = "select tablename from pg_tables where schemaname = %s and tablename ~ '^(river|ferryman)_'"
    tables = {name for (name,) in connection.execute(ours, [schema])} - {"river_migration"}
    anew = "select setval(format('%I.%I', schemaname, sequencename), start_value, false) from pg_sequences"
    statements = [*(f"delete from {schema}.{table}" for table in tables), f"{anew} where schemaname = '{schema}'"]
    connection.execute(";".join(statements))


def _is_migrated(connection: psycopg.Connection[Any], schema: str) -> bool:
    """Whether all is there still: some tests take it down."""
    try:
        rows = connection.execute(f"select count(*) from {schema}.river_migration where line is not null").fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return False
    return rows == [(sum(map(len, bundle("postgres").values())),)]


def migrate(place: OnPostgres) -> None:
    """Make the tables."""
    storage = place.open()
    for line in LINES:
        storage.schema.migrate(line, up=True)
    storage.__exit__(None, None, None)


class Redis:
    """Redis, run in one of the ways there are, and empty.  It takes part in nobody's transactions."""

    def __init__(self, url: str) -> None:
        self.address = Address.parse(url)

    def async_open(self) -> AsyncStorage:
        return AsyncRedisStorage(self.address)

    def open(self) -> Storage:
        return RedisStorage(self.address)

    def transaction(self) -> AbstractContextManager[Transaction]:
        raise NotImplementedError

    def async_transaction(self) -> Any:
        raise NotImplementedError


def redis(way: str) -> Callable[[Path, Path], AbstractContextManager[Place]]:
    """Return how to set up Redis, run this way."""

    @contextmanager
    def place(folder: Path, shared: Path) -> Iterator[Place]:
        servers = SERVERS[way]()
        servers.flush()
        yield Redis(servers.url)

    return place


PLACES: Mapping[str, Callable[[Path, Path], AbstractContextManager[Place]]] = {
    "sqlite-file": sqlite_file,
    "sqlite-memory": sqlite_memory,
    "river-postgres18": on_postgres("postgres18"),
    "river-postgres15-schema": on_postgres("postgres15", "jobs"),
    **{f"asynq-{way}": redis(way) for way in SERVERS},
}
"""How to set up each place: with a folder of the test's own, and one that lasts as long as all tests.

A version of Postgres and where its tables are have nothing to do with each other, so that two places try all four."""

RUN_IN: Mapping[str, tuple[str, ...]] = {
    "_async": tuple(PLACES),
    "_sync": ("sqlite-file", "river-postgres18", "asynq-valkey"),
}
"""Where the suite runs.  The sync twin is generated code, and so are its tests: one place of each format proves it."""
