# Generated from tests/storage/_async/test_finish.py by tools/unasync.py: change that file and run `make sync`.
"""Writing what became of jobs."""

from __future__ import annotations

import pytest

from ferryman.job import FINAL, State
from ferryman.outcome import Finished
from ferryman.storage._sync.protocol import Storage
from storage._sync.acts import run, states, store, take
from storage.samples import (
    NOW,
    cancelled,
    completed,
    discarded,
    failed,
    kept_mail,
    later,
    mail,
    released,
    snoozed,
)


def test_a_completed_job_is_done(storage: Storage) -> None:
    job = run(storage, kept_mail())

    assert storage.jobs.finish([completed(job)], now=later(seconds=3)) == [State.COMPLETED]

    done = storage.jobs.get(job.ref)
    assert (done.state, done.attempt, done.errors) == (State.COMPLETED, 1, ())
    assert done.finalized_at == later(seconds=3)
    assert take(storage, now=later(days=1)) == []


def test_a_failed_job_is_taken_again_at_its_time_and_not_before(storage: Storage) -> None:
    job = run(storage)

    assert storage.jobs.finish([failed(job, again=later(minutes=10))], now=NOW) == [State.RETRYABLE]

    storage.jobs.promote(limit=10, now=later(minutes=9))
    assert take(storage, now=later(minutes=9)) == []
    storage.jobs.promote(limit=10, now=later(minutes=10))
    assert [again.ref for again in take(storage, now=later(minutes=10))] == [job.ref]


def test_a_failed_job_keeps_the_reason(storage: Storage) -> None:
    job = run(storage)

    storage.jobs.finish([failed(job, again=later(minutes=10), text="mailbox full")], now=NOW)

    assert (storage.jobs.get(job.ref)).error.error == "mailbox full"


def test_every_failure_counts_and_nothing_else(storage: Storage) -> None:
    job = run(storage)
    counted = []

    for hours, outcome in enumerate((failed, failed, snoozed, failed), start=1):
        when = {"until": later(hours=hours)} if outcome is snoozed else {"again": later(hours=hours)}
        storage.jobs.finish([outcome(job, **when)], now=later(hours=hours - 1))
        storage.jobs.promote(limit=10, now=later(hours=hours))
        (job,) = take(storage, now=later(hours=hours))
        counted.append(job.failures)
    storage.jobs.finish([discarded(job)], now=later(hours=5))

    assert counted == [1, 2, 2, 3]
    assert (storage.jobs.get(job.ref)).failures == 4


def test_a_snoozed_job_is_taken_again_at_its_time_and_its_attempt_does_not_count(storage: Storage) -> None:
    job = run(storage)

    storage.jobs.finish([snoozed(job, until=later(minutes=10))], now=NOW)

    storage.jobs.promote(limit=10, now=later(minutes=9))
    assert take(storage, now=later(minutes=9)) == []
    storage.jobs.promote(limit=10, now=later(minutes=10))
    (again,) = take(storage, now=later(minutes=10))
    assert (again.ref, again.attempt, again.errors) == (job.ref, 1, ())


def test_a_released_job_is_there_at_once_and_its_attempt_does_not_count(storage: Storage) -> None:
    job = run(storage)

    assert storage.jobs.finish([released(job)], now=later(seconds=3)) == [State.AVAILABLE]

    (again,) = take(storage, worker="bob", now=later(seconds=3))
    assert (again.ref, again.attempt, again.errors) == (job.ref, 1, ())


def test_a_discarded_job_keeps_the_reason_and_is_not_tried_again(storage: Storage) -> None:
    job = run(storage)

    assert storage.jobs.finish([discarded(job, "no such address")], now=NOW) == [State.DISCARDED]

    done = storage.jobs.get(job.ref)
    assert (done.state, done.error.error, done.finalized_at) == (State.DISCARDED, "no such address", NOW)
    storage.jobs.promote(limit=10, now=later(days=1))
    assert take(storage, now=later(days=1)) == []


def test_a_cancelled_job_is_not_tried_again(storage: Storage) -> None:
    job = run(storage)

    (state,) = storage.jobs.finish([cancelled(job)], now=NOW)

    assert state in FINAL - {State.COMPLETED}
    assert (storage.jobs.get(job.ref)).state is state
    storage.jobs.promote(limit=10, now=later(days=1))
    assert take(storage, now=later(days=1)) == []


def test_answers_come_in_the_order_of_the_outcomes(storage: Storage) -> None:
    storage.jobs.insert([kept_mail()] * 5, now=NOW)
    jobs = take(storage)

    answers = storage.jobs.finish(
        [
            discarded(jobs[0]),
            completed(jobs[1]),
            failed(jobs[2], again=later(hours=1)),
            completed(jobs[3]),
            released(jobs[4]),
        ],
        now=NOW,
    )

    assert answers == [State.DISCARDED, State.COMPLETED, State.RETRYABLE, State.COMPLETED, State.AVAILABLE]
    assert [(storage.jobs.get(job.ref)).state for job in jobs] == answers


def test_finishing_nothing_is_fine(storage: Storage) -> None:
    assert storage.jobs.finish([], now=NOW) == []


# What is not ours any more


OUTCOMES = {
    "completed": completed,
    "failed": lambda job: failed(job, again=later(hours=1)),
    "snoozed": lambda job: snoozed(job, until=later(hours=1)),
    "released": released,
    "discarded": discarded,
    "cancelled": cancelled,
}


@pytest.fixture(params=OUTCOMES)
def outcome(request: pytest.FixtureRequest):
    return OUTCOMES[request.param]


def test_a_job_that_is_finished_already_stays_as_it_is(storage: Storage, outcome) -> None:
    job = run(storage, kept_mail())
    storage.jobs.finish([completed(job)], now=NOW)
    before = storage.jobs.get(job.ref)

    assert storage.jobs.finish([outcome(job)], now=later(seconds=9)) == [None]
    assert storage.jobs.get(job.ref) == before


def test_a_late_outcome_does_not_touch_the_next_attempt(storage: Storage, outcome) -> None:
    job = run(storage)
    storage.jobs.finish([failed(job, again=later(minutes=1))], now=NOW)
    storage.jobs.promote(limit=10, now=later(minutes=1))
    (again,) = take(storage, now=later(minutes=1))

    assert storage.jobs.finish([outcome(job)], now=later(minutes=2)) == [None]

    found = storage.jobs.get(job.ref)
    assert (found.state, found.attempt, len(found.errors)) == (State.RUNNING, 2, len(again.errors))


def test_a_job_that_was_deleted_meanwhile_stays_deleted(storage: Storage, outcome) -> None:
    job = run(storage, kept_mail())
    storage.jobs.finish([completed(job)], now=NOW)
    storage.jobs.delete(job.ref)

    assert storage.jobs.finish([outcome(job)], now=later(seconds=9)) == [None]
    assert states(storage) == {}


def test_a_job_that_waits_again_is_left_to_wait(storage: Storage, outcome) -> None:
    job = run(storage)
    storage.jobs.finish([released(job)], now=NOW)

    assert storage.jobs.finish([outcome(job)], now=later(seconds=9)) == [None]
    assert states(storage) == {State.AVAILABLE: 1}


def test_one_job_that_is_lost_does_not_keep_the_others_from_being_written(storage: Storage) -> None:
    storage.jobs.insert([kept_mail()] * 3, now=NOW)
    first, lost, last = take(storage)
    storage.jobs.finish([discarded(lost)], now=NOW)

    answers = storage.jobs.finish([completed(first), completed(lost), discarded(last)], now=NOW)

    assert answers == [State.COMPLETED, None, State.DISCARDED]


def test_a_reason_may_be_any_text(storage: Storage) -> None:
    text = "no \0 route\n\t to 'hööst' \u2028 \\ \"😀\" %s :name ?1"
    job = run(storage, mail(max_attempts=1))

    storage.jobs.finish([Finished(job, discarded(job, text).outcome)], now=NOW)

    assert (storage.jobs.get(job.ref)).error.error in (text, text.replace("\0", "\ufffd"))


def test_what_jsonb_refuses_costs_a_job_neither_its_outcome_nor_its_output(storage: Storage) -> None:
    store(storage, kept_mail())
    store(storage, kept_mail())
    first, second = take(storage)
    broken = Finished(second, discarded(second, "not UTF-8: \udcff").outcome)

    states = storage.jobs.finish([completed(first, b'["\\u0000", "\\\\u0000"]'), broken], now=NOW)

    assert states == [State.COMPLETED, State.DISCARDED]
    assert (storage.jobs.get(first.ref)).metadata["output"] in (["\0", r"\u0000"], ["\ufffd", r"\u0000"])


def test_extending_changes_nothing_that_can_be_seen(storage: Storage) -> None:
    waiting = store(storage, mail(queue="bulk"))
    job = run(storage, kept_mail())

    storage.jobs.extend([job.ref, waiting], worker="ada", now=later(seconds=5))
    storage.jobs.extend([], worker="ada", now=later(seconds=5))

    assert states(storage) == {State.RUNNING: 1, State.AVAILABLE: 1}
    assert storage.jobs.finish([completed(job)], now=later(seconds=6)) == [State.COMPLETED]
