"""The two databases on which River's recordings are played, and how to look at what is in their tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row
from recorded_tables import JSON_COLUMNS, Row, Tables

from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.river.postgres._async.storage import AsyncPostgresStorage
from ferryman.storage.river.postgres.location import Location as PostgresLocation
from ferryman.storage.river.sqlite._async.storage import AsyncSqliteStorage
from ferryman.storage.river.sqlite.library import library
from ferryman.storage.river.sqlite.location import Location

__all__ = ["Database", "OnPostgres", "OnSqlite"]


class Database(Protocol):
    """Where a recording is played."""

    name: str
    url: str

    def storage(self) -> AsyncStorage: ...
    def tables(self) -> Tables: ...
    def run(self, sql: str) -> None: ...
    def transaction(self) -> Any:
        """Open a connection of the caller's, with a transaction begun."""


class OnSqlite:
    """A file with the tables of version 7, whose ids have no gaps where a duplicate was skipped, as later ones have."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"

    def storage(self) -> AsyncStorage:
        return AsyncSqliteStorage(Location.parse(self.url))

    def tables(self) -> Tables:
        names = ["river_job", "river_leader", "river_notification", "river_queue"]
        with closing(library().connect(self.path)) as connection:
            return {name: _sqlite_rows(connection, name) for name in names}

    def run(self, sql: str) -> None:
        """Run a statement behind everybody's back."""
        with closing(library().connect(self.path)) as connection, connection:
            connection.execute(sql)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with closing(library().connect(self.path, isolation_level=None)) as connection:
            connection.execute("begin immediate")
            yield connection


def _sqlite_rows(connection: Any, table: str) -> list[Row]:
    found = connection.execute(f"select * from {table}")
    names = [column[0] for column in found.description]
    return [
        {name: _sqlite_value(connection, name, value) for name, value in zip(names, row, strict=True)}
        for row in found.fetchall()
    ]


def _sqlite_value(connection: Any, name: str, value: Any) -> Any:
    if name in JSON_COLUMNS and isinstance(value, bytes):
        return json.loads(connection.execute("select json(?)", [value]).fetchone()[0])
    return value


class OnPostgres:
    """A schema of a Postgres server, and an ear for what is told there: it takes the place of SQLite's table."""

    name = "postgres"

    def __init__(self, url: str, ear: psycopg.Connection[Any]) -> None:
        self.url = url
        self._ear = ear
        self._heard: list[Row] = []
        ear.add_notify_handler(self._hear)
        for topic in ("river_insert", "river_control", "river_leadership"):
            ear.execute(f'listen "public.{topic}"')

    def storage(self) -> AsyncStorage:
        return AsyncPostgresStorage(PostgresLocation.parse(self.url))

    def tables(self) -> Tables:
        names = ["river_job", "river_leader", "river_queue"]
        with psycopg.connect(self.url, row_factory=dict_row, options="-c timezone=UTC") as connection:
            tables = {name: _postgres_rows(connection, name) for name in names}
        return {**tables, "river_notification": self._notices()}

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with closing(psycopg.connect(self.url)) as connection:
            connection.execute("select 1")
            yield connection

    def run(self, sql: str) -> None:
        """Run a statement behind everybody's back."""
        self._ear.execute(sql.encode())

    def _hear(self, said: psycopg.Notify) -> None:
        notice = {"topic": said.channel.removeprefix("public."), "payload": json.loads(said.payload)}
        self._heard.append({"id": len(self._heard) + 1, **notice})

    def _notices(self) -> list[Row]:
        # What is told comes in the order of commits: when we hear ourselves, we have heard everybody.
        self._ear.execute("select pg_notify('public.river_control', '\"all\"')")
        assert self._heard.pop()["payload"] == "all"
        return list(self._heard)


def _postgres_rows(connection: Any, table: str) -> list[Row]:
    args = ", args::text as args" if table == "river_job" else ""
    rows = connection.execute(f"select to_jsonb(t) as row{args} from {table} t").fetchall()
    return [row.pop("row") | row for row in rows]
