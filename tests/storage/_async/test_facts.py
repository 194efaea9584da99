"""What a storage says of itself."""

from __future__ import annotations

import pytest

from ferryman.facts import Unit
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature
from storage._async.acts import store
from storage._async.test_snapshot import admin_of


async def test_a_storage_says_which_it_is_and_how_large(storage: AsyncStorage) -> None:
    await store(storage)

    facts = await admin_of(storage).storage.facts()

    assert facts[0].name == "version"
    assert isinstance(facts[0].value, str)
    assert facts[0].value.startswith(("Redis ", "Valkey ", "PostgreSQL ", "SQLite "))
    sizes = [each for each in facts if each.unit is Unit.BYTES]
    assert sizes
    assert all(isinstance(each.value, int) and each.value >= 0 for each in sizes)


async def test_each_fact_is_said_once_and_says_why_when_it_is_not_known(storage: AsyncStorage) -> None:
    facts = await storage.health.facts()

    assert len({(each.topic, each.of, each.name) for each in facts}) == len(facts)
    assert all((each.value is None) == bool(each.why) for each in facts)


@pytest.mark.needs(Feature.SCHEMA)
async def test_a_storage_without_tables_has_facts_all_the_same(storage: AsyncStorage) -> None:
    for line in reversed(await storage.schema.status()):
        await storage.schema.migrate(line.line, up=False, target=0)

    facts = {each.name: each for each in await storage.health.facts()}

    assert facts["leader"].why == "the tables are not there"
    assert facts["applied"].value == 0
