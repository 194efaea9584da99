"""What is due within five seconds becomes available at once (spec/river.md 5.2, 6.5)."""

from __future__ import annotations

import pytest
from tables import decoded, notifications, row

from ferryman.job import State
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from storage._sync.acts import run, store, take
from storage.samples import NOW, failed, later, mail, mail_at, released, snoozed


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        (-60, State.AVAILABLE),
        (0, State.AVAILABLE),
        (5, State.AVAILABLE),
        (5.001, State.RETRYABLE),
        (60, State.RETRYABLE),
    ],
)
def test_a_retry_within_five_seconds_is_available_at_once(storage: SqliteStorage, seconds, state: State) -> None:
    job = run(storage)

    assert storage.jobs.finish([failed(job, again=later(seconds=seconds))], now=NOW) == [state]

    found = storage.jobs.get(job.ref)
    assert (found.state, found.scheduled_at, found.attempt) == (state, later(seconds=seconds), 1)


@pytest.mark.parametrize(("seconds", "state"), [(0, State.AVAILABLE), (5, State.AVAILABLE), (5.001, State.SCHEDULED)])
def test_a_snooze_within_five_seconds_is_available_at_once(storage: SqliteStorage, seconds, state: State) -> None:
    job = run(storage)

    assert storage.jobs.finish([snoozed(job, until=later(seconds=seconds))], now=NOW) == [state]

    found = storage.jobs.get(job.ref)
    assert (found.state, found.scheduled_at, found.attempt) == (state, later(seconds=seconds), 0)


def test_what_is_available_early_is_not_taken_before_its_time(storage: SqliteStorage) -> None:
    job = run(storage)
    storage.jobs.finish([failed(job, again=later(seconds=4))], now=NOW)

    assert take(storage, now=later(seconds=3.999)) == []
    assert [again.ref for again in take(storage, now=later(seconds=4))] == [job.ref]


def test_a_released_job_is_due_when_it_was_released(storage: SqliteStorage) -> None:
    job = run(storage)

    storage.jobs.finish([released(job)], now=later(seconds=9))

    assert storage.jobs.get(job.ref).scheduled_at == later(seconds=9)


def test_promoting_looks_five_seconds_ahead_and_keeps_the_time(storage: SqliteStorage) -> None:
    soon, not_so_soon = [store(storage, mail_at(later(seconds=seconds))) for seconds in (65, 65.001)]

    assert storage.jobs.promote(limit=10, now=later(seconds=60)) == 1

    assert [storage.jobs.get(ref).state for ref in (soon, not_so_soon)] == [State.AVAILABLE, State.SCHEDULED]
    assert take(storage, now=later(seconds=64.999)) == []
    assert [job.scheduled_at for job in take(storage, now=later(seconds=65))] == [later(seconds=65)]


def test_promoting_tells_only_of_what_can_be_taken_now(storage: SqliteStorage, db) -> None:
    store(storage, mail_at(later(seconds=60), queue="now"))
    store(storage, mail_at(later(seconds=64), queue="soon"))

    storage.jobs.promote(limit=10, now=later(seconds=60))

    assert notifications(db) == [("river_insert", {"queue": "now"})]


def test_snoozes_are_counted_in_the_metadata(storage: SqliteStorage, db) -> None:
    ref = store(storage, mail(metadata={"order": 7}))
    for minute in range(3):
        (job,) = take(storage, now=later(minutes=minute))
        assert job.attempt == 1
        storage.jobs.finish([snoozed(job, until=later(minutes=minute, seconds=1))], now=later(minutes=minute))

    metadata = decoded(db, ref, "metadata")
    assert (metadata["snoozes"], metadata["order"]) == (3, 7)
    assert row(db, ref)["errors"] is None
