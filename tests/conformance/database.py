"""The database of one scenario as the harness sees it: rows, notices, locks, whatever stands in the tables."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from conformance.adapter import wait_for
from ferryman.storage.river.sqlite.library import library
from servers import Postgres

__all__ = ["FINAL", "Database", "PostgresDatabase", "SqliteDatabase"]

FINAL = ("cancelled", "completed", "discarded")
_JSON = ("args", "attempted_by", "errors", "metadata", "tags")


class Database:
    """What both databases have in common.  Statements are written with $1, $2 … on either."""

    driver: str
    environment: dict[str, str]
    past: str
    """A time that is over, as it is written here."""

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Run a statement of this database and return its rows."""
        raise NotImplementedError

    def told(self) -> Notices:
        """Listen from now on."""
        raise NotImplementedError

    def stored(self, id: int) -> dict[str, Any]:
        """Return a row with its JSON decoded, NULL as None."""
        raise NotImplementedError

    def row(self, id: int) -> dict[str, Any] | None:
        """Return a row with its JSON decoded, or None."""
        return self.stored(id) if self.rows("select id from river_job where id = $1", id) else None

    def wait_job(self, id: int, *states: str, within: float = 15.0) -> dict[str, Any]:
        """Wait until a job is in one of these states, or final, and return its row."""
        wanted = states or FINAL
        found: dict[str, Any] = wait_for(
            lambda: (row := self.row(id)) and row["state"] in wanted and row, f"job {id} to be {wanted}", within
        )
        return found

    def leader(self) -> dict[str, Any] | None:
        """Return the leader's row."""
        rows = self.rows("select leader_id, elected_at, expires_at from river_leader")
        return rows[0] if rows else None

    def wait_leader(self, but_not: Any = None, within: float = 30.0) -> dict[str, Any]:
        """Wait for a leader, in a term other than the one that was elected at `but_not`."""
        found: dict[str, Any] = wait_for(
            lambda: (row := self.leader()) and row["elected_at"] != but_not and row, "a leader", within
        )
        return found

    def queue(self, name: str) -> dict[str, Any]:
        """Return a queue's row."""
        (row,) = self.rows("select name, paused_at, updated_at, metadata from river_queue where name = $1", name)
        return row

    def count(self, where: str) -> int:
        """Count jobs."""
        return int(self.rows(f"select count(*) as n from river_job where {where}")[0]["n"])


class Notices:
    """What was told since the last time that somebody asked."""

    def next(self) -> list[tuple[str, Any]]:
        """Return topics and payloads, in order."""
        raise NotImplementedError


class SqliteDatabase(Database):
    """A file."""

    driver = "sqlite"
    past = "2026-01-01 00:00:00.000"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "river.db"
        self.environment = {"RIVER_CONFORMANCE_DRIVER": "sqlite", "RIVER_CONFORMANCE_DATABASE_URL": str(self.path)}
        self._connection = library().connect(str(self.path), timeout=10, isolation_level=None)
        self._connection.execute("pragma journal_mode = wal")

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        cursor = self._connection.execute(re.sub(r"\$(?=\d)", "?", sql), values)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def stored(self, id: int) -> dict[str, Any]:
        columns = ", ".join(f"case when json_valid({name}, 6) then json({name}) end as json_{name}" for name in _JSON)
        (row,) = self.rows(f"select *, {columns} from river_job where id = $1", id)
        for name in _JSON:
            text = row.pop(f"json_{name}")
            row[name] = json.loads(text) if text is not None else row[name]
        return row

    def told(self) -> Notices:
        return _Outbox(self)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else from writing."""
        with closing(library().connect(str(self.path), timeout=10, isolation_level=None)) as other:
            other.execute("begin immediate")
            yield
            other.execute("rollback")

    def close(self) -> None:
        self._connection.close()


class _Outbox(Notices):
    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._last = 0
        self.next()

    def next(self) -> list[tuple[str, Any]]:
        sql = "select id, topic, payload, typeof(payload) as type from river_notification where id > $1 order by id"
        rows = self._database.rows(sql, self._last)
        assert all(row["type"] == "text" for row in rows)
        self._last = rows[-1]["id"] if rows else self._last
        return [(row["topic"], json.loads(row["payload"])) for row in rows]


class PostgresDatabase(Database):
    """A schema of its own, found by the search path of the URL."""

    driver = "postgres"
    past = "2026-01-01 00:00:00.000Z"

    def __init__(self, server: Postgres) -> None:
        self.schema = f"river_conformance_{secrets.token_hex(6)}"
        self.url = f"{server.url}?options={quote(f'-c search_path={self.schema}')}"
        self.environment = {"RIVER_CONFORMANCE_DRIVER": "postgres", "RIVER_CONFORMANCE_DATABASE_URL": self.url}
        self.connection = self.connect()
        self._ears: list[_Channels] = []
        self.connection.execute(f"create schema {self.schema}".encode())

    def connect(self) -> psycopg.Connection[Any]:
        """Return another connection of the harness's."""
        return psycopg.connect(self.url, autocommit=True)

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.RawCursor(self.connection) as cursor:
            cursor.execute(sql.encode(), values)
            if cursor.description is None:
                return []
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def stored(self, id: int) -> dict[str, Any]:
        (row,) = self.rows("select *, unique_states::integer as mask from river_job where id = $1", id)
        row["unique_states"] = row.pop("mask")
        return row

    def told(self) -> Notices:
        self._ears.append(_Channels(self))
        return self._ears[-1]

    def backends(self, name: str) -> list[dict[str, Any]]:
        """Return the connections of an adapter."""
        sql = "select pid, query, state, wait_event_type from pg_stat_activity where application_name = $1"
        return self.rows(sql, name)

    def is_listening(self, name: str) -> bool:
        """Whether an adapter listens: its listening connection never says anything else."""
        return any(row["query"].lower().startswith("listen ") for row in self.backends(name))

    def is_waiting(self, name: str) -> bool:
        """Whether a statement of an adapter waits for a lock."""
        return any(row["state"] == "active" and row["wait_event_type"] == "Lock" for row in self.backends(name))

    def terminate(self, name: str) -> None:
        """End every connection of an adapter."""
        self.rows("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", name)

    def close(self) -> None:
        for ear in self._ears:
            ear.connection.close()
        self.connection.execute(f"drop schema if exists {self.schema} cascade".encode())
        self.connection.close()


class _Channels(Notices):
    _marker = 0

    def __init__(self, database: PostgresDatabase) -> None:
        self.connection = database.connect()
        self._prefix = f"{database.schema}."
        for topic in ("river_insert", "river_control", "river_leadership", "marker"):
            self.connection.execute(f'listen "{self._prefix}{topic}"'.encode())

    def next(self) -> list[tuple[str, Any]]:
        self._marker += 1
        self.connection.execute("select pg_notify(%s, %s)", (f"{self._prefix}marker", str(self._marker)))
        found = []
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            for said in self.connection.notifies(timeout=0.2, stop_after=1):
                topic = said.channel.removeprefix(self._prefix)
                if topic == "marker" and said.payload == str(self._marker):
                    return found
                if topic != "marker":
                    found.append((topic, json.loads(said.payload)))
        raise TimeoutError("the marker did not come back")
