"""What is written often on Postgres takes one statement, which needs no transaction around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ferryman.errors import StorageError
from ferryman.job import Inserted, State, Unique
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import JobsAvailable
from storage._sync.acts import states, store, take
from storage.ears import Ear
from storage.places import PLACES
from storage.samples import NOW, completed, mail


@pytest.fixture
def storage(tmp_path: Path, shared: Path) -> Iterator[Storage]:
    with PLACES["river-postgres18"](tmp_path, shared) as place, place.open() as storage:
        yield storage


@pytest.fixture
def no_transactions(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail whoever begins a transaction from here on."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a transaction was begun")

    monkeypatch.setattr(psycopg.Connection, "transaction", refuse)


@pytest.mark.usefixtures("no_transactions")
@pytest.mark.parametrize("count", [1, 30])
def test_storing_and_telling_take_one_statement(storage: Storage, count: int) -> None:
    with Ear(storage) as ear:
        storage.jobs.insert([mail(queue="bulk")] * count, now=NOW)

        assert ear.next(JobsAvailable) == JobsAvailable("bulk")


@pytest.mark.usefixtures("no_transactions")
def test_a_repeated_unique_job_is_told_too_as_river_does(storage: Storage) -> None:
    once = mail(unique=Unique(by_args=True), queue="bulk")
    (first,) = storage.jobs.insert([once], now=NOW)
    with Ear(storage) as ear:
        (second,) = storage.jobs.insert([once], now=NOW)

        assert ear.next(JobsAvailable) == JobsAvailable("bulk")
        assert second == Inserted(first.ref, duplicate=True, state=State.AVAILABLE)


@pytest.mark.usefixtures("no_transactions")
def test_completing_takes_one_statement(storage: Storage) -> None:
    store(storage)
    store(storage)

    assert storage.jobs.finish([completed(job) for job in take(storage, limit=2)], now=NOW) == [State.COMPLETED] * 2


@pytest.mark.parametrize("count", [2, 30, 2_500])
def test_what_the_server_refuses_leaves_none_of_them(storage: Storage, count: int) -> None:
    with pytest.raises(StorageError):  # no numeric of Postgres is so large
        storage.jobs.insert([mail()] * count + [mail(args=b'{"n": 1e200000}')], now=NOW)

    assert states(storage) == {}
