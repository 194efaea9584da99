"""A row that somebody else has locked on Postgres holds up no other outcome, and is written when it is let go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ferryman.job import Job, State
from ferryman.outcome import Finished
from ferryman.storage._sync.protocol import Storage
from storage._sync.acts import store, take
from storage.places import PLACES, OnPostgres
from storage.samples import NOW, completed, failed, later, snoozed

OUTCOMES: dict[str, tuple[Callable[[Job], Finished], State]] = {
    "completed": (completed, State.COMPLETED),
    "completed with output": (lambda job: completed(job, b'{"sent":3}'), State.COMPLETED),
    "failed": (lambda job: failed(job, again=later(hours=1)), State.RETRYABLE),
    "snoozed": (lambda job: snoozed(job, until=later(hours=1)), State.SCHEDULED),
}


@pytest.fixture
def place(tmp_path: Path, shared: Path) -> Iterator[Any]:
    with PLACES["river-postgres18"](tmp_path, shared) as place:
        yield place


@pytest.fixture
def storage(place: OnPostgres) -> Iterator[Storage]:
    with place.open() as storage:
        yield storage


@pytest.mark.parametrize(("outcome", "state"), OUTCOMES.values(), ids=OUTCOMES)
def test_the_others_are_written_and_it_runs_on(
    place: OnPostgres, storage: Storage, outcome: Callable[[Job], Finished], state: State
) -> None:
    for _ in range(3):
        store(storage)
    first, held, last = take(storage)
    outcomes = [outcome(job) for job in (first, held, last)]

    with psycopg.connect(place.location.url) as other:
        other.execute("select from river_job where id = %s for update", [held.id])
        assert storage.jobs.finish(outcomes, now=NOW) == [state, State.RUNNING, state]
        assert storage.jobs.get(held.ref).state is State.RUNNING

    assert storage.jobs.finish(outcomes[1:2], now=NOW) == [state]
    assert storage.jobs.get(held.ref).state is state


def test_who_waits_for_a_row_is_seen_to_wait_and_goes_on_when_it_is_let_go(place: OnPostgres, storage: Storage) -> None:
    ref = store(storage)
    waiting = threading.Thread(target=storage.jobs.wait_for, args=[ref])
    with psycopg.connect(place.location.url, autocommit=True) as eye:
        with psycopg.connect(place.location.url) as other:
            other.execute("select from river_job where id = %s for update", [ref.id])
            waiting.start()
            blocked = (
                "select 1 from pg_stat_activity where state = 'active' and pg_blocking_pids(pid) = array[%s]::integer[]"
            )
            ends = time.monotonic() + 60
            while not eye.execute(blocked, [other.info.backend_pid]).fetchall():
                assert time.monotonic() < ends
        waiting.join(60)

    assert not waiting.is_alive()


def test_one_that_is_gone_is_told_from_one_that_is_locked(place: OnPostgres, storage: Storage) -> None:
    store(storage)
    store(storage)
    gone, held = take(storage)
    storage.jobs.finish([completed(gone)], now=NOW)

    with psycopg.connect(place.location.url) as other:
        other.execute("select from river_job where id = %s for update", [held.id])
        assert storage.jobs.finish([completed(gone), completed(held)], now=NOW) == [None, State.RUNNING]
