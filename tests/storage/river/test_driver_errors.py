"""Whatever SQLite's driver raises, callers meet our errors: the engine waits out an outage and nothing else."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tables import change

from ferryman.errors import SchemaOutOfDate, StorageError, StorageUnavailable
from ferryman.job import State
from ferryman.storage.river.sqlite import location
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from ferryman.storage.river.sqlite.failures import translated
from ferryman.storage.river.sqlite.library import library
from ferryman.storage.river.sqlite.location import Location
from ferryman.storage.river.steps import Conflict
from storage._sync.acts import run, states, store, take
from storage.samples import NOW, completed, discarded, later

ERRORS = sorted(
    (each for each in vars(library()).values() if isinstance(each, type) and issubclass(each, Exception)),
    key=lambda each: each.__name__,
)


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_of_the_driver_becomes_one_of_ours(kind: type[Exception]) -> None:
    cause = kind("something happened")

    with pytest.raises(StorageError, match="something happened") as raised, translated("jobs.db"):
        raise cause

    assert raised.value.__cause__ is cause


@pytest.mark.parametrize(
    ("kind", "text", "ours"),
    [
        ("OperationalError", "database is locked", StorageUnavailable),
        ("OperationalError", "database table is locked", StorageUnavailable),
        ("OperationalError", "unable to open database file", StorageUnavailable),
        ("OperationalError", "disk I/O error", StorageUnavailable),
        ("OperationalError", "no such table: river_job", SchemaOutOfDate),
        ("OperationalError", "no such column: unique_states", SchemaOutOfDate),
        ("OperationalError", "malformed JSON", StorageError),
        ("IntegrityError", "UNIQUE constraint failed: river_job.id", Conflict),
        ("IntegrityError", "CHECK constraint failed: kind_length", StorageError),
        ("DatabaseError", "file is not a database", StorageError),
    ],
)
def test_an_error_is_named_for_what_the_caller_can_do(kind: str, text: str, ours: type[StorageError]) -> None:
    with pytest.raises(StorageError) as raised, translated("jobs.db"):
        raise getattr(library(), kind)(text)

    assert type(raised.value) is ours


def test_what_is_no_error_of_the_driver_passes_through() -> None:
    with pytest.raises(KeyError), translated("jobs.db"):
        raise KeyError("max")


@pytest.fixture
def locked(storage: SqliteStorage, db, monkeypatch: pytest.MonkeyPatch):
    """A storage that has no patience, and a program that holds the file's lock."""
    monkeypatch.setattr(location, "BUSY_SECONDS", 0.0)
    with SqliteStorage(storage.where) as hasty:
        db.execute("begin immediate")
        yield hasty
        db.execute("rollback")


@pytest.mark.parametrize(
    "act",
    [
        store,
        take,
        lambda storage: storage.jobs.promote(limit=1),
        lambda storage: storage.queues.announce(["bulk"]),
        lambda storage: storage.leaders.elect("ada", term=None),
    ],
    ids=["insert", "fetch", "promote", "announce", "elect"],
)
def test_a_file_that_another_program_keeps_locked_is_unavailable(locked: SqliteStorage, act) -> None:
    with pytest.raises(StorageUnavailable, match="kept locked for over 10 s"):
        act(locked)


def test_looking_goes_on_while_another_program_writes(locked: SqliteStorage) -> None:
    assert states(locked) == {}
    assert locked.queues.list() == []


def test_an_outcome_can_be_written_again_after_the_lock_is_gone(storage: SqliteStorage, db, monkeypatch) -> None:
    monkeypatch.setattr(location, "BUSY_SECONDS", 0.0)
    job = run(storage)
    with SqliteStorage(storage.where) as hasty:
        db.execute("begin immediate")
        with pytest.raises(StorageUnavailable):
            hasty.jobs.finish([completed(job)], now=NOW)
        db.execute("rollback")

        assert hasty.jobs.finish([completed(job)], now=NOW) == [State.COMPLETED]


def test_a_batch_that_breaks_in_the_middle_leaves_nothing(storage: SqliteStorage, db) -> None:
    first, second = run(storage), run(storage)
    db.execute(
        "create trigger broken before update on river_job when old.id = 2 "
        "begin select raise(abort, 'the disk is full'); end"
    )

    with pytest.raises(StorageError, match="the disk is full"):
        storage.jobs.finish([completed(first), discarded(second)], now=NOW)

    assert states(storage) == {State.RUNNING: 2}


def test_a_database_that_lost_its_tables_says_what_to_type(storage: SqliteStorage, db) -> None:
    db.execute("drop table river_job")

    with pytest.raises(SchemaOutOfDate, match="Run: ferryman migrate up"):
        take(storage)


def test_a_file_that_cannot_be_written_is_unavailable(storage: SqliteStorage, tmp_path: Path) -> None:
    with closing(Location(str(tmp_path / "jobs.db")).open()) as connection:
        connection.execute("pragma query_only = on")
        with pytest.raises(StorageUnavailable, match="readonly"), translated("jobs.db"):
            connection.execute("delete from river_job")


def test_a_row_that_the_tables_forbid_is_refused(storage: SqliteStorage, db) -> None:
    ref = store(storage)

    with pytest.raises(StorageError, match="CHECK"), translated("jobs.db"):
        change(db, ref, priority=9)

    assert take(storage, now=later(hours=1))[0].priority == 1
