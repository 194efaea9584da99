"""A running job that somebody asked to stop (spec/river.md 5.4, 7.6.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tables import decoded, row

from ferryman.job import State
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from storage._sync.acts import run, take
from storage.samples import NOW, completed, discarded, failed, later, mail, released, snoozed


@pytest.fixture
def asked(storage: SqliteStorage):
    job = run(storage)
    storage.jobs.cancel(job.ref, now=later(seconds=1))
    return job


def test_the_request_is_kept_in_the_metadata_until_somebody_looks(storage: SqliteStorage, asked, db) -> None:
    assert decoded(db, asked.ref, "metadata")["cancel_attempted_at"] == "2026-11-21T12:00:01Z"
    assert storage.jobs.get(asked.ref).cancel_requested_at == later(seconds=1)
    (stuck,) = storage.jobs.stuck(older_than=timedelta(hours=1), limit=10, now=later(hours=2))
    assert stuck.cancel_requested_at == later(seconds=1)


def test_it_ends_cancelled_when_it_wants_a_later_retry(storage: SqliteStorage, asked) -> None:
    assert storage.jobs.finish([failed(asked, again=later(minutes=5), text="stopped")], now=later(seconds=9)) == [
        State.CANCELLED
    ]

    job = storage.jobs.get(asked.ref)
    assert (job.state, job.finalized_at, job.attempt) == (State.CANCELLED, later(seconds=9), 1)
    assert (job.scheduled_at, [error.error for error in job.errors]) == (NOW, ["stopped"])


def test_it_ends_cancelled_when_it_wants_to_snooze_and_its_attempt_counts(storage: SqliteStorage, asked, db) -> None:
    assert storage.jobs.finish([snoozed(asked, until=later(minutes=5))], now=later(seconds=9)) == [State.CANCELLED]

    job = storage.jobs.get(asked.ref)
    assert (job.state, job.finalized_at, job.attempt) == (State.CANCELLED, later(seconds=9), 1)
    assert row(db, asked.ref)["errors"] is None


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (completed, State.COMPLETED),
        (discarded, State.DISCARDED),
        (released, State.AVAILABLE),
        (lambda job: failed(job, again=later(seconds=5)), State.AVAILABLE),
        (lambda job: snoozed(job, until=later(seconds=5)), State.AVAILABLE),
    ],
    ids=["completed", "discarded", "released", "retry soon", "snooze shortly"],
)
def test_any_other_end_is_as_it_would_have_been(storage: SqliteStorage, asked, outcome, state: State) -> None:
    assert storage.jobs.finish([outcome(asked)], now=NOW) == [state]


def test_the_request_outlives_a_retry_by_hand(storage: SqliteStorage, asked) -> None:
    storage.jobs.finish([failed(asked, again=later(minutes=5))], now=NOW)
    storage.jobs.retry(asked.ref, now=later(minutes=1))
    (again,) = take(storage, now=later(minutes=1))

    assert again.cancel_requested_at == later(seconds=1)
    assert storage.jobs.finish([failed(again, again=later(minutes=9))], now=later(minutes=1)) == [State.CANCELLED]


@pytest.mark.parametrize("mark", ["false", "null", "0", '"never"', "[]"])
def test_any_mark_counts_when_a_job_ends_but_only_a_time_is_a_request(storage: SqliteStorage, db, mark: str) -> None:
    ref = run(storage, mail()).ref
    db.execute("update river_job set metadata = jsonb_set(metadata, '$.cancel_attempted_at', jsonb(?))", (mark,))

    job = storage.jobs.get(ref)

    assert job.cancel_requested_at is None
    assert storage.jobs.finish([failed(job, again=later(minutes=9))], now=NOW) == [State.CANCELLED]


def test_cancelling_a_waiting_job_leaves_the_same_mark(storage: SqliteStorage, db) -> None:
    (inserted,) = storage.jobs.insert([mail(metadata={"order": 7})], now=NOW)

    job = storage.jobs.cancel(inserted.ref, now=later(seconds=1.25))

    assert (job.state, job.finalized_at) == (State.CANCELLED, later(seconds=1.25))
    metadata = decoded(db, inserted.ref, "metadata")
    assert (metadata["cancel_attempted_at"], metadata["order"]) == ("2026-11-21T12:00:01.25Z", 7)
