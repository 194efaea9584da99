"""River's own migrator and ours read each other's databases, and may take turns."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tables import Tables

from ferryman import Ferryman, State
from ferryman.storage._async.protocol import AsyncSchema
from ferryman.storage.river.postgres._async.storage import AsyncPostgresStorage
from ferryman.storage.river.postgres.location import Location
from programs import Asker, Work, until

LATEST = 8


@pytest.fixture
async def ours(empty: str) -> AsyncIterator[AsyncSchema]:
    """Our migrator, before there is anything that it could refuse."""
    storage = AsyncPostgresStorage(Location.parse(empty))
    yield storage.schema
    await storage.__aexit__(None, None, None)


async def test_river_finds_nothing_wrong_with_what_we_migrated(go: Asker, ours: AsyncSchema) -> None:
    await ours.migrate("main", up=True)

    assert await go.ask("validate") is None
    assert await go.ask("migrate", up=True) == []
    assert (await go.ask("enqueue", job={"kind": "note", "payload": b"{}"}))["id"] == "1"


async def test_we_find_nothing_wrong_with_what_river_migrated(go: Asker, ours: AsyncSchema, empty: str) -> None:
    assert await go.ask("migrate", up=True) == list(range(1, LATEST + 1))

    assert await ours.migrate("main", up=True) == []
    assert not (await ours.status())[0].pending
    async with Ferryman(empty) as jobs:
        assert (await jobs.kind("note").enqueue({})).ref.id == "1"


@pytest.mark.parametrize("version", range(1, LATEST))
async def test_one_goes_on_where_the_other_stopped(version: int, go: Asker, ours: AsyncSchema) -> None:
    await go.ask("migrate", up=True, version=version)
    await ours.migrate("main", up=True)
    assert await go.ask("validate") is None

    await ours.migrate("main", up=False, target=version)
    assert await go.ask("migrate", up=True) == list(range(version + 1, LATEST + 1))
    assert await ours.migrate("main", up=True) == []


async def test_river_takes_down_what_we_migrated(go: Asker, ours: AsyncSchema, empty: str) -> None:
    await ours.migrate("main", up=True)

    assert await go.ask("migrate", up=False, version=-1) == list(range(LATEST, 0, -1))

    with Tables(empty) as tables:
        assert tables.query("select tablename from pg_tables where schemaname = 'public'") == []


async def test_what_river_left_in_the_tables_is_read_by_us(go: Asker, work: Work, jobs: Ferryman, url: str) -> None:
    ids = {}
    for kind in ("note", "result", "fail", "revoke"):
        said = {"kind": kind, "payload": b'{"text": "words"}', "tags": ["read-by-us"], "metadata": {"a": 1}}
        ids[kind] = (await go.ask("enqueue", job=said))["id"]

    async def all_are_over() -> bool:
        over = {State.COMPLETED: 2, State.RETRYABLE: 1, State.CANCELLED: 1}
        return await jobs.admin.jobs.count() == over

    async with work("go", retry_in=600):
        await until(all_are_over)

    read = {kind: await jobs.admin.jobs.get(id) for kind, id in ids.items()}

    assert {kind: job.state.value for kind, job in read.items()} == {
        "note": "completed",
        "result": "completed",
        "fail": "retryable",
        "revoke": "cancelled",
    }
    assert (read["result"].metadata["output"], read["note"].tags, read["note"].metadata["a"]) == (
        "words",
        ("read-by-us",),
        1,
    )
    assert [error.error for error in read["fail"].errors] == ["words"]
    assert len((await jobs.admin.jobs.list()).items) == 4
    assert (await jobs.admin.queues.get("default")).counts[read["note"].state] == 2
