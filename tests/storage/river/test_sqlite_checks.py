"""What is said about a SQLite file and River's tables in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ferryman.connect import connect
from ferryman.findings import Level
from ferryman.job import NewJob
from ferryman.outcome import Completed, Finished
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.river.sqlite import checks


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    with connect(f"sqlite:///{tmp_path}/jobs.db").twin() as storage:
        yield storage


def levels(storage: Storage, now: datetime | None = None) -> dict[str, Level]:
    return {each.id: each.level for each in storage.health.check(production=True, now=now)}


def test_a_new_file_passes_every_check(storage: Storage) -> None:
    assert levels(storage) == dict.fromkeys(
        ["S-WAL", "S-SYNC", "S-FS", "S-LOCK", "S-MIGR", "S-LEADER", "S-CLEAN"], Level.OK
    )


def test_speed_bought_with_safety_is_said(tmp_path: Path) -> None:
    with connect(f"sqlite:///{tmp_path}/jobs.db?synchronous=normal").twin() as storage:
        assert levels(storage)["S-SYNC"] is Level.WARNING


@pytest.mark.parametrize(("steps", "level"), [(1, Level.WARNING), (2, Level.ERROR)])
def test_tables_of_another_time_are_said(storage: Storage, steps: int, level: Level) -> None:
    storage.schema.migrate("main", up=False, max_steps=steps)

    assert levels(storage)["S-MIGR"] is level


def test_a_file_without_tables_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    storage = connect(f"sqlite:///{tmp_path}/empty.db").twin()
    try:
        assert levels(storage)["S-MIGR"] is Level.ERROR
    finally:
        storage.__exit__(None, None, None)


def test_a_leader_that_fell_silent_is_missed_after_half_a_minute(storage: Storage) -> None:
    now = datetime.now(UTC)
    storage.leaders.elect("w1", term=None)

    assert levels(storage, now + timedelta(seconds=30))["S-LEADER"] is Level.OK
    assert levels(storage, now + timedelta(seconds=60))["S-LEADER"] is Level.WARNING


def test_jobs_that_nobody_cleans_away_are_said_an_hour_after_their_time(storage: Storage) -> None:
    now = datetime.now(UTC)
    storage.jobs.insert([NewJob(kind="mail")], now=now)
    (job,) = storage.jobs.fetch([("default", 1)], limit=1, kinds=None, worker="w", now=now)
    storage.jobs.finish([Finished(job, Completed(None))], now=now)

    assert levels(storage, now + timedelta(hours=24, minutes=59))["S-CLEAN"] is Level.OK
    assert levels(storage, now + timedelta(hours=25, minutes=1))["S-CLEAN"] is Level.WARNING


def test_a_network_file_system_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, storage: Storage) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nbox:/jobs {tmp_path} nfs4 rw 0 0\nother /elsewhere cifs rw 0 0\n")
    monkeypatch.setattr(checks, "_MOUNTS", mounts)

    assert levels(storage)["S-FS"] is Level.ERROR
    mounts.write_text("/dev/sda / ext4 rw 0 0\nbox:/jobs /elsewhere nfs4 rw 0 0\n")
    assert levels(storage)["S-FS"] is Level.OK
