# Generated from tests/storage/_async/test_manage.py by tools/unasync.py: change that file and run `make sync`.
"""Acting on one job: cancel, retry, discard, delete, update."""

from __future__ import annotations

import pytest

from ferryman.errors import JobNotFound, Unsupported, WrongState
from ferryman.job import FINAL, JobRef, State
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature
from storage._sync.acts import run, states, store, take
from storage.samples import NOW, cancelled, completed, discarded, failed, kept_mail, later, mail, mail_at, needs

NOBODY = JobRef("999999")


# Cancel


@pytest.mark.parametrize("job", [mail(), mail_at(later(minutes=5))], ids=["available", "scheduled"])
def test_a_job_that_waits_is_cancelled_and_never_taken(storage: Storage, job) -> None:
    ref = store(storage, job)

    answer = storage.jobs.cancel(ref, now=later(minutes=1))

    assert answer.state in FINAL - {State.COMPLETED}
    assert answer == storage.jobs.get(ref)
    storage.jobs.promote(limit=10, now=later(hours=1))
    assert take(storage, now=later(hours=1)) == []


def test_a_job_that_waits_for_its_retry_is_cancelled_too(storage: Storage) -> None:
    job = run(storage)
    storage.jobs.finish([failed(job, again=later(minutes=5))], now=NOW)

    assert (storage.jobs.cancel(job.ref, now=NOW)).state in FINAL


def test_cancelling_a_running_job_only_asks_its_worker(storage: Storage) -> None:
    job = run(storage)

    assert (storage.jobs.cancel(job.ref, now=NOW)).state is State.RUNNING
    assert storage.jobs.finish([cancelled(job)], now=NOW) != [None]


def test_a_worker_that_was_asked_to_stop_may_complete_all_the_same(storage: Storage) -> None:
    job = run(storage, kept_mail())
    storage.jobs.cancel(job.ref, now=NOW)

    assert storage.jobs.finish([completed(job)], now=NOW) == [State.COMPLETED]


def test_cancelling_a_finished_job_changes_nothing(storage: Storage) -> None:
    job = run(storage, kept_mail())
    storage.jobs.finish([completed(job)], now=NOW)
    before = storage.jobs.get(job.ref)

    assert storage.jobs.cancel(job.ref, now=later(hours=1)) == before
    assert storage.jobs.get(job.ref) == before


# Retry


def test_a_discarded_job_can_be_tried_again_at_once(storage: Storage) -> None:
    job = run(storage, mail(max_attempts=1))
    storage.jobs.finish([discarded(job)], now=NOW)

    answer = storage.jobs.retry(job.ref, now=later(minutes=1))

    assert (answer.state, answer.finalized_at) == (State.AVAILABLE, None)
    assert answer == storage.jobs.get(job.ref)
    (again,) = take(storage, now=later(minutes=1))
    assert again.ref == job.ref
    assert again.attempt <= again.max_attempts


def test_a_completed_job_can_be_run_again(storage: Storage) -> None:
    job = run(storage, kept_mail())
    storage.jobs.finish([completed(job)], now=NOW)

    storage.jobs.retry(job.ref, now=later(minutes=1))

    assert [again.ref for again in take(storage, now=later(minutes=1))] == [job.ref]


def test_a_job_for_later_can_be_run_now(storage: Storage) -> None:
    ref = store(storage, mail_at(later(days=5)))

    storage.jobs.retry(ref, now=later(minutes=1))

    assert [job.ref for job in take(storage, now=later(minutes=1))] == [ref]


def test_retrying_a_job_that_is_ready_changes_nothing(storage: Storage) -> None:
    ref = store(storage)
    before = storage.jobs.get(ref)

    assert storage.jobs.retry(ref, now=later(minutes=1)) == before
    assert states(storage) == {State.AVAILABLE: 1}


# Reschedule


@pytest.mark.parametrize("job", [mail(), mail_at(later(minutes=5))], ids=["available", "scheduled"])
def test_a_job_that_waits_can_be_given_another_time(storage: Storage, job) -> None:
    ref = store(storage, job)

    answer = storage.jobs.reschedule(ref, later(hours=1), now=later(minutes=1))

    assert (answer.state, answer.scheduled_at) == (State.SCHEDULED, later(hours=1))
    assert answer == storage.jobs.get(ref)
    storage.jobs.promote(limit=10, now=later(minutes=59))
    assert take(storage, now=later(minutes=59)) == []
    storage.jobs.promote(limit=10, now=later(minutes=61))
    assert [each.ref for each in take(storage, now=later(minutes=61))] == [ref]


def test_one_that_failed_waits_longer_for_its_next_attempt(storage: Storage) -> None:
    job = run(storage)
    storage.jobs.finish([failed(job, again=later(minutes=5))], now=NOW)

    answer = storage.jobs.reschedule(job.ref, later(hours=1), now=later(minutes=1))

    assert (answer.state, answer.scheduled_at, answer.attempt) == (State.RETRYABLE, later(hours=1), 1)
    storage.jobs.promote(limit=10, now=later(minutes=61))
    assert [again.ref for again in take(storage, now=later(minutes=61))] == [job.ref]


def test_what_has_ended_is_given_no_time(storage: Storage) -> None:
    job = run(storage, kept_mail())
    storage.jobs.finish([completed(job)], now=NOW)

    with pytest.raises(WrongState, match="completed"):
        storage.jobs.reschedule(job.ref, later(hours=1))
    with pytest.raises(JobNotFound):
        storage.jobs.reschedule(NOBODY, later(hours=1))


# Discard


@pytest.mark.parametrize("job", [mail(), mail_at(later(minutes=5))], ids=["available", "scheduled"])
def test_a_job_that_waits_can_be_given_up(storage: Storage, job) -> None:
    ref = store(storage, job)

    answer = storage.jobs.discard(ref, now=later(minutes=1))

    assert (answer.state, answer.finalized_at) == (State.DISCARDED, later(minutes=1))
    assert answer == storage.jobs.get(ref)
    assert take(storage, now=later(hours=1)) == []


def test_a_finished_job_cannot_be_discarded(storage: Storage) -> None:
    job = run(storage, kept_mail())
    storage.jobs.finish([completed(job)], now=NOW)

    with pytest.raises(WrongState, match="completed"):
        storage.jobs.discard(job.ref, now=later(minutes=1))

    assert (storage.jobs.get(job.ref)).state is State.COMPLETED


# Delete


def test_a_deleted_job_is_gone_and_the_answer_is_what_it_was(storage: Storage) -> None:
    ref = store(storage)
    before = storage.jobs.get(ref)

    assert storage.jobs.delete(ref) == before

    with pytest.raises(JobNotFound):
        storage.jobs.get(ref)
    assert take(storage) == []


def test_a_finished_job_can_be_deleted(storage: Storage) -> None:
    job = run(storage)
    storage.jobs.finish([discarded(job)], now=NOW)

    storage.jobs.delete(job.ref)

    assert states(storage) == {}


# What cannot be


@pytest.mark.parametrize("verb", ["retry", "discard", "delete"])
def test_a_running_job_is_left_to_its_worker(storage: Storage, verb: str) -> None:
    job = run(storage)

    with pytest.raises(WrongState, match="running") as refused:
        getattr(storage.jobs, verb)(job.ref)

    assert refused.value.state is State.RUNNING
    assert (storage.jobs.get(job.ref)).state is State.RUNNING


@pytest.mark.parametrize("verb", ["get", "cancel", "retry", "discard", "delete"])
def test_nothing_can_be_done_to_a_job_that_is_not_there(storage: Storage, verb: str) -> None:
    ref = store(storage)
    storage.jobs.delete(ref)

    for nobody in (ref, NOBODY):
        with pytest.raises(JobNotFound) as missed:
            getattr(storage.jobs, verb)(nobody)
        assert missed.value.ref == nobody


@needs(Feature.NOTES)
def test_metadata_are_set_whatever_the_state_and_the_rest_stays(storage: Storage) -> None:
    job = run(storage, mail(metadata={"trace": "abc", "n": 1}))
    storage.jobs.finish([completed(job)], now=NOW)

    changed = storage.jobs.update(job.ref, {"n": b'{"of":[2,null]}', "output": b'"sent"'})

    expected = {"trace": "abc", "n": {"of": [2, None]}, "output": "sent"}
    assert {name: changed.metadata[name] for name in expected} == expected
    assert changed == storage.jobs.get(job.ref)
    with pytest.raises(JobNotFound):
        storage.jobs.update(JobRef("999999"), {"n": b"1"})


def test_where_jobs_have_no_metadata_that_is_said(storage: Storage) -> None:
    ref = store(storage)
    if Feature.NOTES in storage.features:
        assert (storage.jobs.update(ref, {})).ref == ref
        return
    with pytest.raises(Unsupported, match="no metadata"):
        storage.jobs.update(ref, {"n": b"1"})
