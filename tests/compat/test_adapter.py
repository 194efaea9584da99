"""The adapter of River's conformance harness, whole: one process that leads, works, and enqueues by the clock.

Its scenarios are many and wait for much, so `make conformance` plays them apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.adapter import Adapter, wait_for
from conformance.database import SqliteDatabase


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase(tmp_path)
    yield database
    database.close()


@pytest.fixture
def adapter(database: SqliteDatabase, tmp_path: Path) -> Iterator[Adapter]:
    adapter = Adapter(database.environment, "whole", tmp_path / "stderr")
    yield adapter
    adapter.kill()


def test_the_adapter_leads_works_and_enqueues_by_the_clock(adapter: Adapter, database: SqliteDatabase) -> None:
    adapter.migrate()
    id = adapter.insert_one("hello")["id"]

    adapter.start(client_id="whole", max_workers=2, periodic_run_on_start=True, periodic_unique=True)

    assert database.wait_job(id, within=60)["state"] == "completed"
    assert database.wait_leader(within=60)["leader_id"] == "whole"
    wait_for(lambda: database.count("state = 'completed'") == 3, "the job, the scheduled one and its marker", 60)
    assert adapter.stats()["periodic_starts"] == 1
    assert adapter.close() == 0
