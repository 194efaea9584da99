# Generated from tests/storage/_async/test_schema.py by tools/unasync.py: change that file and run `make sync`.
"""The tables, where there are any."""

from __future__ import annotations

import pytest

from ferryman.errors import ConfigError, SchemaOutOfDate
from ferryman.job import State
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature
from storage._sync.acts import run, states, store
from storage.samples import needs

pytestmark = needs(Feature.SCHEMA)


def test_a_new_storage_is_ready(storage: Storage) -> None:
    storage.schema.check()

    for line in storage.schema.status():
        assert (line.version, line.pending) == (line.latest, ())


def test_all_the_way_down_and_up_again_works(storage: Storage) -> None:
    lines = [line.line for line in storage.schema.status()]
    for line in reversed(lines):
        storage.schema.migrate(line, up=False, target=0)
    assert [line.version for line in storage.schema.status()] == [0] * len(lines)

    for line in lines:
        assert storage.schema.migrate(line, up=True) != []

    storage.schema.check()
    assert (run(storage)).attempt == 1


def test_a_schema_without_tables_is_refused_with_the_line_to_type(storage: Storage) -> None:
    for line in reversed(storage.schema.status()):
        storage.schema.migrate(line.line, up=False, target=0)

    with pytest.raises(SchemaOutOfDate, match="Run: ferryman migrate up"):
        storage.schema.check()
    with pytest.raises(SchemaOutOfDate, match="Run: ferryman migrate up"):
        store(storage)


def test_one_step_down_and_one_up_keep_the_jobs(storage: Storage) -> None:
    store(storage)
    line = (storage.schema.status())[0]

    (down,) = storage.schema.migrate(line.line, up=False)
    (up,) = storage.schema.migrate(line.line, up=True, max_steps=1)

    assert down == up
    assert states(storage) == {State.AVAILABLE: 1}


def test_what_is_applied_is_not_applied_again(storage: Storage) -> None:
    for line in storage.schema.status():
        assert storage.schema.migrate(line.line, up=True) == []


def test_a_line_or_a_version_that_does_not_exist_is_refused(storage: Storage) -> None:
    line = (storage.schema.status())[0]

    with pytest.raises(ConfigError, match="no migration line"):
        storage.schema.migrate("nonsense", up=True)
    with pytest.raises(ConfigError, match="no version 99"):
        storage.schema.migrate(line.line, up=True, target=99)


def test_every_index_can_be_rebuilt_and_the_jobs_stay(storage: Storage) -> None:
    store(storage)
    names = storage.schema.indexes()
    assert {"river_job_kind", "river_job_prioritized_fetching_index", "river_job_unique_idx"} <= set(names)

    for name in names:
        storage.schema.reindex(name)

    assert storage.schema.indexes() == names
    assert states(storage) == {State.AVAILABLE: 1}


def test_an_index_can_be_dropped_and_dropping_one_that_is_not_there_is_nothing(storage: Storage) -> None:
    name = "ferryman_worker_expires_at_idx"
    assert name in storage.schema.indexes()

    for _ in range(2):
        storage.schema.drop_index(name)

    assert name not in storage.schema.indexes()
    storage.schema.migrate("ferryman", up=False, target=0)
    storage.schema.migrate("ferryman", up=True)
    assert name in storage.schema.indexes()
