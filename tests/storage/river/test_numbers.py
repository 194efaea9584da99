"""Metadata never passes through a float, and what a task recorded is kept as it was (spec/river-conformance.md 0)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tables import change, decoded

from ferryman.job import State
from ferryman.outcome import Discarded, Finished
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from storage._sync.acts import run, store, take
from storage.samples import NOW, completed, discarded, failed, failure, later, released, snoozed

NUMBERS = (
    '"huge":1e400,"digits":123456789012345678901234567890,"exact":1.10,"fine":0.1234567890123456789012345678901234'
)


@pytest.fixture
def precise(storage: SqliteStorage, db):
    """A running job whose metadata no float can hold."""
    ref = store(storage)
    change(db, ref, metadata=f"{{{NUMBERS}}}")
    (job,) = take(storage)
    return job


def text(db, job) -> str:
    return db.execute("select json(metadata) from river_job where id = ?", (job.id,)).fetchone()[0]


def test_a_job_shows_every_digit(precise) -> None:
    assert precise.raw_metadata.decode() == f"{{{NUMBERS}}}"
    assert str(precise.metadata["exact"]) == "1.10"
    assert precise.metadata["digits"] == 123456789012345678901234567890


@pytest.mark.parametrize(
    "act",
    [
        lambda storage, job: storage.jobs.finish([snoozed(job, until=later(minutes=1))], now=NOW),
        lambda storage, job: storage.jobs.finish([completed(job, b'{"sent":3}')], now=NOW),
        lambda storage, job: storage.jobs.finish([failed(job, again=later(minutes=1))], now=NOW),
        lambda storage, job: storage.jobs.cancel(job.ref, now=NOW),
        lambda storage, job: storage.jobs.rescue(
            [failed(storage.jobs.get(job.ref), again=later(minutes=1))], now=later(hours=2)
        ),
    ],
    ids=["snooze", "output", "failure", "cancel", "rescue"],
)
def test_every_digit_survives(storage: SqliteStorage, db, precise, act) -> None:
    act(storage, precise)

    assert text(db, precise).startswith(f"{{{NUMBERS}")


@pytest.mark.parametrize(
    "counter", ["1e400", "1" + "0" * 5_000, "-1e30", '"' + "9" * 5_000 + '"', "9223372036854775807"]
)
def test_a_snooze_counter_beyond_all_bounds_begins_anew(storage: SqliteStorage, db, counter: str) -> None:
    ref = store(storage)
    change(db, ref, metadata=f'{{"snoozes":{counter}}}')
    (job,) = take(storage)

    assert storage.jobs.finish([snoozed(job, until=later(minutes=1))], now=NOW) == [State.SCHEDULED]
    assert decoded(db, ref, "metadata")["snoozes"] == 1


# Output


def test_a_result_is_kept_as_it_was_written(storage: SqliteStorage, db) -> None:
    job = run(storage)
    result = b'{"sent":[{"to":null,"id":9007199254740993}],"failed":null,"ratio":1.10}'

    storage.jobs.finish([completed(job, result)], now=NOW)

    assert text(db, job).endswith(f'"output":{result.decode()}}}')


@pytest.mark.parametrize("output", ["null", "[]", '"text"', "false", '{"a":{"b":null}}'])
def test_an_output_may_be_any_json(storage: SqliteStorage, db, output: str) -> None:
    job = run(storage)

    storage.jobs.finish([completed(job, output.encode())], now=NOW)

    assert f'"output":{output}}}' in text(db, job)


@pytest.mark.parametrize(
    "outcome",
    [
        lambda job: failed(job, again=later(hours=1)),
        lambda job: snoozed(job, until=later(hours=1)),
        released,
        discarded,
    ],
    ids=["failed", "snoozed", "released", "discarded"],
)
def test_what_was_recorded_is_kept_however_the_attempt_ends(storage: SqliteStorage, db, outcome) -> None:
    job = run(storage)

    storage.jobs.finish([Finished(job, outcome(job).outcome, b'{"at":3}')], now=NOW)

    assert decoded(db, job.ref, "metadata")["output"] == {"at": 3}


def test_what_was_recorded_is_kept_even_when_somebody_else_ended_the_attempt(storage: SqliteStorage, db) -> None:
    job = run(storage)
    storage.jobs.finish([discarded(job)], now=NOW)

    answer = storage.jobs.finish([Finished(job, Discarded(failure()), b"3")], now=NOW)

    assert answer == [None]
    assert decoded(db, job.ref, "metadata")["output"] == 3


def test_a_late_worker_does_not_write_over_what_the_next_attempt_records(storage: SqliteStorage, db) -> None:
    old = run(storage)
    storage.jobs.finish([Finished(old, failed(old, again=NOW).outcome, b'"first"')], now=NOW)
    take(storage)

    storage.jobs.finish([completed(old, b'"late"')], now=NOW)

    assert decoded(db, old.ref, "metadata")["output"] == "first"


@pytest.mark.parametrize("metadata", ["[]", '["a",{"b":1}]', "7", "null"])
def test_metadata_that_is_no_object_stays_as_it_is(storage: SqliteStorage, db, metadata: str) -> None:
    ref = store(storage)
    change(db, ref, metadata=metadata)
    (job,) = take(storage)

    storage.jobs.cancel(ref, now=NOW)
    (lost,) = storage.jobs.stuck(older_than=timedelta(hours=1), limit=9, now=later(hours=2))
    storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2))
    storage.jobs.finish([completed(job, b'{"sent":3}')], now=NOW)

    assert text(db, job) == metadata
