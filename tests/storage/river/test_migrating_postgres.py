"""Migrating a Postgres database that others migrate too, at the same time or long ago."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import psycopg
import pytest

from ferryman.errors import SchemaOutOfDate
from ferryman.storage.river.postgres._sync.runner import run
from ferryman.storage.river.postgres._sync.storage import PostgresStorage
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.verbs.schema import apply_next
from servers import POSTGRES, wait_until

MAIN = [
    "001 create river migration",
    "002 initial schema",
    "003 river job tags non null",
    "004 pending and more",
    "005 migration unique client",
    "006 bulk unique",
    "007 notification outbox sqlite jsonb and sql cleanup",
    "008 job id autoincrement",
]


@pytest.fixture(params=POSTGRES)
def location(request: pytest.FixtureRequest) -> Iterator[Location]:
    """A database with nothing in it."""
    with POSTGRES[request.param]().database() as url:
        yield Location.parse(url)


def test_migrators_at_the_same_time_apply_each_version_once(location: Location) -> None:
    done = together(4, lambda: migrate(location, "main", up=True))

    assert sorted(version for each in done for version in each) == MAIN


def test_migrators_at_the_same_time_revert_each_version_once(location: Location) -> None:
    migrate(location, "main", up=True)

    done = together(4, lambda: migrate(location, "main", up=False, target=0))

    assert sorted(version for each in done for version in each) == MAIN


def test_a_migrator_waits_for_another_and_then_finds_its_work_done(location: Location) -> None:
    with ThreadPoolExecutor() as threads, psycopg.connect(location.url) as other:
        run(other, apply_next("postgres", "main", target=1), location)
        ours = threads.submit(migrate, location, "main", up=True, target=1)
        wait_until(lambda: waits_for_a_lock(location))

        other.commit()

        assert ours.result(timeout=60) == []


def test_a_database_from_before_version_5_is_understood_and_brought_up_to_date(location: Location) -> None:
    migrate(location, "main", up=True, target=4)

    with unopened(location) as storage:
        main, side = storage.schema.status()
        assert (main.version, main.pending, side.version) == (4, (5, 6, 7, 8), 0)
        with pytest.raises(SchemaOutOfDate, match="is at River migration 4 and ferryman needs 7"):
            storage.schema.check()

    assert migrate(location, "main", up=True) == MAIN[4:]
    side = ["001 process registry", "002 durable schedules", "003 notebook"]
    assert migrate(location, "ferryman", up=True) == side


@pytest.mark.parametrize("version", [0, 4])
def test_a_line_that_cannot_be_recorded_yet_is_refused_with_what_to_type(location: Location, version: int) -> None:
    if version:
        migrate(location, "main", up=True, target=version)

    with pytest.raises(SchemaOutOfDate, match="Run: ferryman migrate up"):
        migrate(location, "ferryman", up=True)

    with psycopg.connect(location.url) as connection:
        assert connection.execute("select to_regclass('ferryman_worker')").fetchone() == (None,)


def test_each_schema_of_a_database_has_a_standing_of_its_own(location: Location) -> None:
    with psycopg.connect(location.url, autocommit=True) as connection:
        connection.execute('create schema "Jobs"')
    aside = Location(location.url, "Jobs")

    migrate(location, "main", up=True)
    migrate(aside, "main", up=True, target=3)

    with unopened(aside) as storage:
        assert storage.schema.status()[0].version == 3
    assert migrate(aside, "main", up=True) == MAIN[3:]
    assert migrate(location, "main", up=True) == []


def test_without_tables_the_check_says_to_migrate_and_nothing_else(location: Location) -> None:
    with unopened(location) as storage:
        found = storage.health.check(production=True)

    assert [each.id for each in found] == ["P-MIGR"]


# The tools of this file


@contextmanager
def unopened(location: Location) -> Iterator[PostgresStorage]:
    """A storage that was not asked whether its tables fit."""
    storage = PostgresStorage(location)
    try:
        yield storage
    finally:
        storage.__exit__(None, None, None)


def migrate(location: Location, line: str, **said: Any) -> list[str]:
    with unopened(location) as storage:
        return storage.schema.migrate(line, **said)


def waits_for_a_lock(location: Location) -> bool:
    with psycopg.connect(location.url) as connection:
        waiting = "select 1 from pg_locks where locktype = 'advisory' and not granted"
        return connection.execute(waiting).fetchone() is not None


def together(number: int, act: Any) -> list[Any]:
    """Do the same in several threads that begin at once."""
    begin = Barrier(number)

    def one() -> Any:
        begin.wait(60)
        return act()

    with ThreadPoolExecutor(number) as threads:
        return [each.result(30) for each in [threads.submit(one) for _ in range(number)]]
