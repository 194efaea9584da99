# Generated from tests/storage/_async/test_facts.py by tools/unasync.py: change that file and run `make sync`.
"""What a storage says of itself."""

from __future__ import annotations

import pytest

from ferryman.facts import Unit
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature
from storage._sync.acts import store
from storage._sync.test_snapshot import admin_of


def test_a_storage_says_which_it_is_and_how_large(storage: Storage) -> None:
    store(storage)

    facts = admin_of(storage).storage.facts()

    assert facts[0].name == "version"
    assert isinstance(facts[0].value, str)
    assert facts[0].value.startswith(("Redis ", "Valkey ", "PostgreSQL ", "SQLite "))
    sizes = [each for each in facts if each.unit is Unit.BYTES]
    assert sizes
    assert all(isinstance(each.value, int) and each.value >= 0 for each in sizes)


def test_each_fact_is_said_once_and_says_why_when_it_is_not_known(storage: Storage) -> None:
    facts = storage.health.facts()

    assert len({(each.topic, each.of, each.name) for each in facts}) == len(facts)
    assert all((each.value is None) == bool(each.why) for each in facts)


@pytest.mark.needs(Feature.SCHEMA)
def test_a_storage_without_tables_has_facts_all_the_same(storage: Storage) -> None:
    for line in reversed(storage.schema.status()):
        storage.schema.migrate(line.line, up=False, target=0)

    facts = {each.name: each for each in storage.health.facts()}

    assert facts["leader"].why == "the tables are not there"
    assert facts["applied"].value == 0
