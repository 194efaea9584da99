"""Rebuilding indexes: at its time and only while leading, what is there, and never a second half-built one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from engine.test_periodic import Leading
from ferryman.cron import Cron
from ferryman.engine.reindexer import Reindexer
from ferryman.events import IndexRebuilt, IndexSkipped
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.river.postgres._async.storage import AsyncPostgresStorage
from ferryman.storage.river.postgres.location import Location
from ferryman.testing import FakeClock, Recorder
from servers import postgres

HOURS = 3600.0


def make(
    storage: AsyncStorage,
    clock: FakeClock,
    seen: Recorder,
    *names: str,
    expected: bool = True,
    timeout: float | None = 60,
    leader: Leading | None = None,
) -> Reindexer:
    schedule = Cron.parse("0 0 * * *")
    return Reindexer(
        storage,
        leader or Leading(),
        names,
        expected=expected,
        schedule=schedule,
        timeout=timeout,
        clock=clock,
        events=seen.bus,
    )


async def test_indexes_are_rebuilt_at_midnight_and_not_before(
    storage: AsyncStorage, clock: FakeClock, seen: Recorder
) -> None:
    reindexer = make(storage, clock, seen, "river_job_kind", "river_job_unique_idx")

    for passed in (0, 11.9 * HOURS):
        await clock.advance(passed)
        await reindexer.tick()
    assert seen.events == []

    await clock.advance(0.1 * HOURS)
    for _ in range(3):
        await reindexer.tick()
    assert [event.name for event in seen.of(IndexRebuilt)] == ["river_job_kind", "river_job_unique_idx"]

    await clock.advance(24 * HOURS)
    await reindexer.tick()
    assert len(seen.of(IndexRebuilt)) == 4


async def test_a_night_that_nobody_led_is_left_out(storage: AsyncStorage, clock: FakeClock, seen: Recorder) -> None:
    reindexer = make(storage, clock, seen, "river_job_kind")

    await clock.advance(14 * HOURS)
    await reindexer.tick()

    assert seen.events == []


async def test_who_no_longer_leads_rebuilds_no_more(storage: AsyncStorage, clock: FakeClock, seen: Recorder) -> None:
    leader = Leading()
    reindexer = make(storage, clock, seen, "river_job_kind", "river_job_unique_idx", leader=leader)
    seen.bus.subscribe(IndexRebuilt, lambda event: setattr(leader, "decreed", False))

    await clock.advance(12 * HOURS)
    await reindexer.tick()

    assert [event.name for event in seen.of(IndexRebuilt)] == ["river_job_kind"]


async def test_a_name_that_is_not_there_is_told_of_only_where_somebody_chose_it(
    storage: AsyncStorage, clock: FakeClock, seen: Recorder
) -> None:
    ours, chosen = (make(storage, clock, seen, "ours", "river_job_kind", expected=said) for said in (False, True))
    await clock.advance(12 * HOURS)

    await ours.tick()
    assert seen.of(IndexSkipped) == []

    await chosen.tick()
    assert seen.of(IndexSkipped) == [IndexSkipped("ours", "there is no such index")]
    assert len(seen.of(IndexRebuilt)) == 2


# On Postgres


@pytest.fixture
def url() -> Iterator[str]:
    with postgres().database() as url:
        yield url


@pytest.fixture
async def on_postgres(url: str) -> Any:
    storage = AsyncPostgresStorage(Location.parse(url))
    await storage.schema.migrate("main", up=True)
    async with storage:
        yield storage


async def test_an_index_whose_rebuild_was_cut_short_is_left_alone(
    on_postgres: AsyncStorage, url: str, clock: FakeClock, seen: Recorder
) -> None:
    reindexer = make(on_postgres, clock, seen, "river_job_kind", "river_job_pkey")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create index river_job_kind_ccnew1 on river_job (kind)")
    await clock.advance(12 * HOURS)

    await reindexer.tick()

    (skipped,) = seen.of(IndexSkipped)
    assert skipped.name == "river_job_kind"
    assert "river_job_kind_ccnew1 is left over" in skipped.why
    assert [event.name for event in seen.of(IndexRebuilt)] == ["river_job_pkey"]


async def test_a_rebuild_that_takes_too_long_leaves_nothing_behind(
    on_postgres: AsyncStorage, url: str, clock: FakeClock, seen: Recorder
) -> None:
    before = await on_postgres.schema.indexes()
    reindexer = make(on_postgres, clock, seen, "river_job_kind", timeout=0.2)
    await clock.advance(timedelta(hours=12).total_seconds())

    with psycopg.connect(url) as writer, psycopg.connect(url, autocommit=True) as watcher:
        writer.execute("delete from river_job")  # whoever rebuilds concurrently waits for all who write
        ticking = asyncio.create_task(reindexer.tick())
        await _busy_with(watcher, "drop index concurrently%")
        writer.rollback()
        await ticking

    assert seen.of(IndexSkipped) == [IndexSkipped("river_job_kind", "rebuilding it took longer than 0.2 s")]
    assert await on_postgres.schema.indexes() == before


async def test_who_does_not_own_an_index_is_told_so_and_goes_on(
    on_postgres: AsyncStorage, url: str, clock: FakeClock, seen: Recorder
) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"create role guest_{name} login")
        connection.execute(f"grant select on all tables in schema public to guest_{name}")
    try:
        guest = AsyncPostgresStorage(Location.parse(f"{url}{'&' if '?' in url else '?'}options=-crole%3Dguest_{name}"))
        reindexer = make(guest, clock, seen, "river_job_kind", "river_job_unique_idx")
        await clock.advance(12 * HOURS)

        await reindexer.tick()

        assert [event.name for event in seen.of(IndexSkipped)] == ["river_job_kind", "river_job_unique_idx"]
        assert "does not allow it" in seen.of(IndexSkipped)[0].why
        await guest.__aexit__()
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"drop owned by guest_{name}")
            connection.execute(f"drop role guest_{name}")


async def _busy_with(watcher: psycopg.Connection[Any], statement: str) -> None:
    asked = "select 1 from pg_stat_activity where state = 'active' and query ilike %s and pid <> pg_backend_pid()"
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(lambda: watcher.execute(asked, [statement]).fetchall()):
            pass
