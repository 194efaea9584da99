# Generated from tests/storage/_async/test_unique.py by tools/unasync.py: change that file and run `make sync`.
"""Unique jobs: the second is not stored, and its answer is the first."""

from __future__ import annotations

import pytest

from ferryman.errors import DuplicateJob
from ferryman.job import State
from ferryman.options import unique_for
from ferryman.storage._sync.protocol import Storage
from storage._sync.acts import answer, run, states, store, take
from storage.samples import NOW, completed, discarded, failed, kept_mail, later, mail

ONCE_AN_HOUR = unique_for("1h")


def test_the_answer_to_a_duplicate_is_the_job_that_is_there(storage: Storage) -> None:
    first = answer(storage, mail(unique=ONCE_AN_HOUR))

    second = answer(storage, mail(unique=ONCE_AN_HOUR))

    assert (first.duplicate, second.duplicate) == (False, True)
    assert second.ref == first.ref
    assert states(storage) == {State.AVAILABLE: 1}


def test_the_answer_to_a_duplicate_tells_the_state_of_the_job_that_is_there(storage: Storage) -> None:
    run(storage, mail(unique=ONCE_AN_HOUR))

    assert (answer(storage, mail(unique=ONCE_AN_HOUR))).state is State.RUNNING


def test_a_duplicate_leaves_the_job_that_is_there_as_it_was(storage: Storage) -> None:
    ref = store(storage, mail(unique=ONCE_AN_HOUR, max_attempts=4, tags=("first",)))
    before = storage.jobs.get(ref)

    store(storage, mail(unique=ONCE_AN_HOUR, max_attempts=9, tags=("second",)))

    assert storage.jobs.get(ref) == before


def test_a_batch_is_unique_within_itself(storage: Storage) -> None:
    first, second, third = storage.jobs.insert([mail(unique=ONCE_AN_HOUR), mail(), mail(unique=ONCE_AN_HOUR)], now=NOW)

    assert (first.duplicate, second.duplicate, third.duplicate) == (False, False, True)
    assert third.ref == first.ref
    assert states(storage) == {State.AVAILABLE: 2}


@pytest.mark.parametrize(
    "other",
    [{"args": b'{"to":"bob@example.com"}'}, {"kind": "fax"}, {"queue": "bulk"}],
    ids=["args", "kind", "queue"],
)
def test_a_job_that_differs_is_no_duplicate(storage: Storage, other) -> None:
    store(storage, mail(unique=ONCE_AN_HOUR))

    assert not (answer(storage, mail(unique=ONCE_AN_HOUR, **other))).duplicate


def test_a_job_that_is_not_unique_is_never_a_duplicate(storage: Storage) -> None:
    store(storage, mail(unique=ONCE_AN_HOUR))

    assert not (answer(storage, mail())).duplicate


def test_another_program_finds_the_duplicate_too(storage: Storage, elsewhere: Storage) -> None:
    first = answer(storage, mail(unique=ONCE_AN_HOUR))

    second = answer(elsewhere, mail(unique=ONCE_AN_HOUR))

    assert (second.duplicate, second.ref) == (True, first.ref)


def test_the_fast_way_counts_no_duplicates(storage: Storage) -> None:
    store(storage, mail(unique=ONCE_AN_HOUR))

    assert storage.jobs.insert_fast([mail(unique=ONCE_AN_HOUR), mail(), mail()], now=NOW) == 2


def test_a_unique_job_that_waits_for_its_retry_keeps_others_out(storage: Storage) -> None:
    job = run(storage, mail(unique=ONCE_AN_HOUR))
    storage.jobs.finish([failed(job, again=later(minutes=30))], now=NOW)

    assert (answer(storage, mail(unique=ONCE_AN_HOUR))).duplicate


def test_a_unique_job_that_completed_makes_room_for_the_next(storage: Storage) -> None:
    job = run(storage, mail(unique=ONCE_AN_HOUR))
    storage.jobs.finish([completed(job)], now=NOW)

    assert not (answer(storage, mail(unique=ONCE_AN_HOUR))).duplicate


def test_a_unique_job_that_was_deleted_makes_room_for_the_next(storage: Storage) -> None:
    storage.jobs.delete(store(storage, mail(unique=ONCE_AN_HOUR)))

    assert not (answer(storage, mail(unique=ONCE_AN_HOUR))).duplicate


def test_an_old_unique_job_cannot_run_again_beside_its_successor(storage: Storage) -> None:
    old = run(storage, kept_mail(unique=ONCE_AN_HOUR))
    storage.jobs.finish([completed(old)], now=NOW)
    successor = store(storage, kept_mail(unique=ONCE_AN_HOUR))
    before = storage.jobs.get(old.ref)

    with pytest.raises(DuplicateJob) as refused:
        storage.jobs.retry(old.ref, now=later(minutes=1))

    assert refused.value.ref == successor
    assert storage.jobs.get(old.ref) == before
    assert [job.ref for job in take(storage)] == [successor]


def test_an_old_unique_job_runs_again_when_its_successor_is_gone(storage: Storage) -> None:
    old = run(storage, mail(unique=ONCE_AN_HOUR, max_attempts=1))
    storage.jobs.finish([discarded(old)], now=NOW)

    storage.jobs.retry(old.ref, now=NOW)

    assert [job.ref for job in take(storage)] == [old.ref]
