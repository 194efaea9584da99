"""What stands in River's columns, so that Go, Ruby and Rust read it as their own (spec/river.md 2, 9)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from tables import decoded, row

from ferryman.job import AttemptError, State
from ferryman.options import unique_for
from ferryman.outcome import Discarded, Finished
from ferryman.storage.infos import WorkerInfo
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from ferryman.storage.values import Note, Plan
from storage._sync.acts import run, store, take
from storage.samples import (
    NOW,
    cancelled,
    completed,
    discarded,
    failed,
    kept_mail,
    later,
    mail,
    mail_at,
    released,
    snoozed,
)


def test_a_new_row_is_as_rivers_client_writes_it(storage: SqliteStorage, db) -> None:
    ref = store(storage)

    found = row(db, ref)

    assert re.fullmatch("[0-9a-f]{16}", decoded(db, ref, "metadata").pop("river:unique_nonce"))
    assert (decoded(db, ref, "args"), decoded(db, ref, "tags")) == ({"to": "ada@example.com"}, [])
    assert {name: found[name] for name in found if name not in ("args", "metadata", "tags")} == {
        "id": 1,
        "attempt": 0,
        "attempted_at": None,
        "attempted_by": None,
        "created_at": "2026-11-21 12:00:00.000",
        "errors": None,
        "finalized_at": None,
        "kind": "mail",
        "max_attempts": 25,
        "priority": 1,
        "queue": "default",
        "state": "available",
        "scheduled_at": "2026-11-21 12:00:00.000",
        "unique_key": None,
        "unique_states": None,
    }


def test_a_batch_shares_a_nonce_and_the_fast_way_writes_none(storage: SqliteStorage, db) -> None:
    first, second = storage.jobs.insert([mail(), mail(metadata={"order": 7})], now=NOW)
    third = store(storage)
    storage.jobs.insert_fast([mail(queue="fast", metadata={"order": 8})], now=NOW)

    nonces = [decoded(db, ref, "metadata")["river:unique_nonce"] for ref in (first.ref, second.ref, third)]
    assert nonces[0] == nonces[1] != nonces[2]
    assert decoded(db, take(storage, "fast")[0].ref, "metadata") == {"order": 8}


def test_a_large_batch_is_stored_as_a_small_one_is(storage: SqliteStorage, db) -> None:
    jobs = [mail(priority=3, tags=("eu-west",), metadata={"order": 7}, max_attempts=4), mail_at(later(hours=1))]
    small = storage.jobs.insert(jobs, now=NOW)
    large = storage.jobs.insert(jobs * 20, now=NOW)

    def stored(ref):
        columns = {name: value for name, value in row(db, ref).items() if name not in ("id", "metadata")}
        return {**columns, "metadata": {**decoded(db, ref, "metadata"), "river:unique_nonce": ""}}

    assert [stored(each.ref) for each in large] == [stored(each.ref) for each in small] * 20


def test_what_columns_have_no_place_for_is_kept_in_the_metadata(storage: SqliteStorage, db) -> None:
    said = {"timeout": 90.0, "deadline": later(hours=3), "retention": 3600.0, "headers": {"trace": "00-4bf9"}}

    ref = store(storage, mail(**said, metadata={"order": 7}, given=frozenset(said)))

    metadata = decoded(db, ref, "metadata")
    del metadata["river:unique_nonce"]
    assert metadata == {
        "order": 7,
        "ferryman:timeout": 90,
        "ferryman:deadline": "2026-11-21T15:00:00Z",
        "ferryman:retention": 3600,
        "ferryman:headers": {"trace": "00-4bf9"},
    }


def test_what_the_task_declares_is_not_written(storage: SqliteStorage, db) -> None:
    ref = store(storage, mail(timeout=90.0, retention=3600.0, given=frozenset({"queue"})))

    assert decoded(db, ref, "metadata").keys() == {"river:unique_nonce"}


def test_a_periodic_job_says_which_schedule_made_it(storage: SqliteStorage, db) -> None:
    ref = store(storage, mail(periodic="nightly"))

    metadata = decoded(db, ref, "metadata")
    assert (metadata["periodic"], metadata["river:periodic_job_id"]) == (True, "nightly")


def test_those_who_took_a_job_are_remembered_a_hundred_at_most(storage: SqliteStorage, db) -> None:
    ref = store(storage)
    for number in range(103):
        (job,) = take(storage, worker=f"worker-{number}")
        storage.jobs.finish([released(job)], now=NOW)

    assert decoded(db, ref, "attempted_by") == [f"worker-{number}" for number in range(3, 103)]
    assert storage.jobs.get(ref).attempted_by == tuple(decoded(db, ref, "attempted_by"))


def test_an_error_is_written_as_go_writes_it(storage: SqliteStorage, db) -> None:
    job = run(storage)
    error = AttemptError(later(seconds=1.5), 1, 'Söme "text" <b>\0', "frame 1\nframe 2\0")

    storage.jobs.finish([Finished(job, Discarded(error))], now=NOW)

    assert decoded(db, job.ref, "errors") == [
        {"at": "2026-11-21T12:00:01.5Z", "attempt": 1, "error": 'Söme "text" <b>�', "trace": "frame 1\nframe 2�"}
    ]


def test_errors_are_appended(storage: SqliteStorage, db) -> None:
    ref = store(storage)
    for text in ("first", "second", "third"):
        (job,) = take(storage)
        storage.jobs.finish([failed(job, again=NOW, text=text)], now=NOW)

    assert [(error["attempt"], error["error"]) for error in decoded(db, ref, "errors")] == [
        (1, "first"),
        (2, "second"),
        (3, "third"),
    ]


@pytest.mark.parametrize(("max_attempts", "afterwards"), [(1, 2), (3, 3)])
def test_a_retry_by_hand_adds_an_attempt_only_where_none_is_left(
    storage: SqliteStorage, max_attempts: int, afterwards: int
) -> None:
    job = run(storage, mail(max_attempts=max_attempts))
    storage.jobs.finish([discarded(job)], now=NOW)

    again = storage.jobs.retry(job.ref, now=later(minutes=1))

    assert (again.attempt, again.max_attempts, again.scheduled_at) == (1, afterwards, later(minutes=1))
    assert len(again.errors) == 1


def test_a_rescue_is_counted_and_keeps_the_time_of_one_that_is_given_up(storage: SqliteStorage, db) -> None:
    storage.jobs.insert([mail(metadata={"river:rescue_count": 4}), mail(), mail()], now=NOW)
    take(storage)
    retried, given_up, stopped = storage.jobs.stuck(older_than=timedelta(hours=1), limit=9, now=later(hours=2))

    storage.jobs.rescue(
        [failed(retried, again=later(hours=2, seconds=1)), discarded(given_up), cancelled(stopped)], now=later(hours=2)
    )

    rows = [row(db, job.ref) for job in (retried, given_up, stopped)]
    assert [found["state"] for found in rows] == ["retryable", "discarded", "cancelled"]
    assert [found["scheduled_at"][11:] for found in rows] == ["14:00:01.000", "12:00:00.000", "12:00:00.000"]
    assert [found["finalized_at"] for found in rows] == [None, *["2026-11-21 14:00:00.000"] * 2]
    counts = [decoded(db, job.ref, "metadata")["river:rescue_count"] for job in (retried, given_up, stopped)]
    assert counts == [5, 1, 1]


def test_a_rescue_leaves_alone_what_was_heard_of_again(storage: SqliteStorage, db) -> None:
    job = run(storage)
    (lost,) = storage.jobs.stuck(older_than=timedelta(hours=1), limit=9, now=later(hours=2))
    db.execute("update river_job set attempted_at = '2026-11-21 13:59:59.000'")  # as a heartbeat would

    assert storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2)) == [None]
    assert storage.jobs.get(job.ref).state is State.RUNNING


def test_an_old_and_a_new_attempt_of_one_job_are_told_apart_in_one_batch(storage: SqliteStorage) -> None:
    old = run(storage)
    storage.jobs.finish([failed(old, again=NOW)], now=NOW)
    (new,) = take(storage)

    assert storage.jobs.finish([completed(old), completed(new)], now=NOW) == [None, State.COMPLETED]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2026-11-21T12:00:00.0004+00:00", "2026-11-21 12:00:00.000"),
        ("2026-11-21T12:00:00.0005+00:00", "2026-11-21 12:00:00.001"),
        ("2026-11-21T12:59:59.9995+00:00", "2026-11-21 13:00:00.000"),
        ("1969-12-31T23:59:59.9985+00:00", "1969-12-31 23:59:59.999"),
        ("2026-11-21T12:00:00+02:00", "2026-11-21 10:00:00.000"),
    ],
)
def test_times_are_rounded_to_milliseconds_in_utc(storage: SqliteStorage, db, given: str, stored: str) -> None:
    ref = store(storage, mail_at(datetime.fromisoformat(given)))

    assert row(db, ref)["scheduled_at"] == stored


TIMES = {
    "river_job": ["created_at", "scheduled_at", "attempted_at", "finalized_at"],
    "river_queue": ["created_at", "updated_at", "paused_at"],
    "river_leader": ["elected_at", "expires_at"],
    "river_notification": ["created_at"],
    "ferryman_worker": ["started_at", "beat_at", "expires_at"],
    "ferryman_schedule": ["next_at", "updated_at"],
    "ferryman_note": ["expires_at"],
}
JSON = {"river_job": ["args", "attempted_by", "errors", "metadata", "tags"], "river_queue": ["metadata"]}


@pytest.fixture
def busy(storage: SqliteStorage, db):
    """A database in which every verb has written."""
    storage.jobs.insert([kept_mail(unique=unique_for("1h")), *[mail(tags=("eu-west",))] * 12], now=NOW)
    jobs = take(storage, limit=12)
    outcomes = [completed(jobs[0], b'{"sent":3}'), discarded(jobs[1]), cancelled(jobs[2]), released(jobs[3])]
    outcomes += [failed(job, again=later(seconds=7.1)) for job in jobs[4:6]]
    outcomes += [snoozed(job, until=later(seconds=7.25)) for job in jobs[6:8]]
    storage.jobs.finish(outcomes, now=later(seconds=1.5))
    storage.jobs.promote(limit=3, now=later(seconds=9.125))
    storage.jobs.cancel(jobs[8].ref, now=later(seconds=3.5))
    storage.jobs.cancel(jobs[3].ref, now=later(seconds=3.5))
    storage.jobs.retry(jobs[1].ref, now=later(seconds=3.5))
    storage.jobs.discard(jobs[6].ref, now=later(seconds=3.5))
    lost = storage.jobs.stuck(older_than=timedelta(0), limit=2, now=later(hours=2.5))
    storage.jobs.rescue([failed(lost[0], again=later(hours=3.25)), discarded(lost[1])], now=later(hours=2.5))
    storage.queues.announce(["default", "bulk"], now=later(seconds=0.5))
    storage.queues.pause("bulk", now=later(seconds=0.75))
    storage.leaders.elect("ada", term=None, now=later(seconds=0.25))
    storage.leaders.keep([Plan("nightly", "0 0 * * *", later(hours=6))], now=NOW)
    storage.notebook.write([Note("page", "name", "text", timedelta(hours=6))], now=NOW)
    storage.workers.beat(
        WorkerInfo(id="ada", host="ada", pid=1, started_at=NOW), expires_in=timedelta(seconds=30), now=NOW
    )
    return db


@pytest.mark.parametrize(("table", "column"), [(table, column) for table in TIMES for column in TIMES[table]])
def test_every_time_is_text_with_three_digits_of_a_second(busy, table: str, column: str) -> None:
    found = busy.execute(f"select {column} from {table} where {column} is not null").fetchall()

    assert found
    assert all(re.fullmatch(r"2026-11-21 \d\d:\d\d:\d\d\.\d{3}", text) for (text,) in found)


@pytest.mark.parametrize(("table", "column"), [(table, column) for table in JSON for column in JSON[table]])
def test_every_json_column_is_binary_json(busy, table: str, column: str) -> None:
    found = busy.execute(
        f"select typeof({column}), json_valid({column}, 8) from {table} where {column} is not null"
    ).fetchall()

    assert found
    assert {tuple(each) for each in found} == {("blob", 1)}
