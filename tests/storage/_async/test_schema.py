"""The tables, where there are any."""

from __future__ import annotations

import pytest

from ferryman.errors import ConfigError, SchemaOutOfDate
from ferryman.job import State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature
from storage._async.acts import run, states, store
from storage.samples import needs

pytestmark = needs(Feature.SCHEMA)


async def test_a_new_storage_is_ready(storage: AsyncStorage) -> None:
    await storage.schema.check()

    for line in await storage.schema.status():
        assert (line.version, line.pending) == (line.latest, ())


async def test_all_the_way_down_and_up_again_works(storage: AsyncStorage) -> None:
    lines = [line.line for line in await storage.schema.status()]
    for line in reversed(lines):
        await storage.schema.migrate(line, up=False, target=0)
    assert [line.version for line in await storage.schema.status()] == [0] * len(lines)

    for line in lines:
        assert await storage.schema.migrate(line, up=True) != []

    await storage.schema.check()
    assert (await run(storage)).attempt == 1


async def test_a_schema_without_tables_is_refused_with_the_line_to_type(storage: AsyncStorage) -> None:
    for line in reversed(await storage.schema.status()):
        await storage.schema.migrate(line.line, up=False, target=0)

    with pytest.raises(SchemaOutOfDate, match="Run: ferryman migrate up"):
        await storage.schema.check()
    with pytest.raises(SchemaOutOfDate, match="Run: ferryman migrate up"):
        await store(storage)


async def test_one_step_down_and_one_up_keep_the_jobs(storage: AsyncStorage) -> None:
    await store(storage)
    line = (await storage.schema.status())[0]

    (down,) = await storage.schema.migrate(line.line, up=False)
    (up,) = await storage.schema.migrate(line.line, up=True, max_steps=1)

    assert down == up
    assert await states(storage) == {State.AVAILABLE: 1}


async def test_what_is_applied_is_not_applied_again(storage: AsyncStorage) -> None:
    for line in await storage.schema.status():
        assert await storage.schema.migrate(line.line, up=True) == []


async def test_a_line_or_a_version_that_does_not_exist_is_refused(storage: AsyncStorage) -> None:
    line = (await storage.schema.status())[0]

    with pytest.raises(ConfigError, match="no migration line"):
        await storage.schema.migrate("nonsense", up=True)
    with pytest.raises(ConfigError, match="no version 99"):
        await storage.schema.migrate(line.line, up=True, target=99)


async def test_every_index_can_be_rebuilt_and_the_jobs_stay(storage: AsyncStorage) -> None:
    await store(storage)
    names = await storage.schema.indexes()
    assert {"river_job_kind", "river_job_prioritized_fetching_index", "river_job_unique_idx"} <= set(names)

    for name in names:
        await storage.schema.reindex(name)

    assert await storage.schema.indexes() == names
    assert await states(storage) == {State.AVAILABLE: 1}


async def test_an_index_can_be_dropped_and_dropping_one_that_is_not_there_is_nothing(storage: AsyncStorage) -> None:
    name = "ferryman_worker_expires_at_idx"
    assert name in await storage.schema.indexes()

    for _ in range(2):
        await storage.schema.drop_index(name)

    assert name not in await storage.schema.indexes()
    await storage.schema.migrate("ferryman", up=False, target=0)
    await storage.schema.migrate("ferryman", up=True)
    assert name in await storage.schema.indexes()
