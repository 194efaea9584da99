# Generated from tests/storage/_async/test_rescue.py by tools/unasync.py: change that file and run `make sync`.
"""Finding jobs whose worker is gone, and taking them back."""

from __future__ import annotations

from datetime import datetime, timedelta

from ferryman.job import FINAL, Job, State
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.infos import WorkerInfo
from ferryman.storage.values import Feature
from storage._sync.acts import run, store, take
from storage.samples import NOW, cancelled, completed, discarded, failed, kept_mail, later, mail, needs

HOUR = timedelta(hours=1)


def stuck(storage: Storage, **page) -> list[Job]:
    """Look two hours later for what has not been heard of for one."""
    return storage.jobs.stuck(older_than=HOUR, now=later(hours=2), **{"limit": 10, **page})


def test_a_job_that_runs_for_too_long_is_stuck(storage: Storage) -> None:
    job = run(storage)

    (found,) = stuck(storage)

    assert (found.ref, found.state, found.attempt) == (job.ref, State.RUNNING, 1)


def test_a_job_that_was_just_taken_is_not_stuck(storage: Storage) -> None:
    run(storage)

    assert storage.jobs.stuck(older_than=HOUR, limit=10, now=later(seconds=1)) == []


def test_only_what_runs_can_be_stuck(storage: Storage) -> None:
    storage.jobs.insert([kept_mail()] * 3, now=NOW)
    done, waiting = take(storage, limit=2)
    storage.jobs.finish([completed(done), failed(waiting, again=later(minutes=1))], now=NOW)

    assert stuck(storage) == []


def test_stuck_jobs_come_in_pages(storage: Storage) -> None:
    storage.jobs.insert([mail()] * 5, now=NOW)
    refs = {job.ref for job in take(storage)}

    first = stuck(storage, limit=3)
    second = stuck(storage, limit=3, after=first[-1].ref)
    third = stuck(storage, limit=3, after=second[-1].ref)

    assert (len(first), len(second), third) == (3, 2, [])
    assert {job.ref for job in first + second} == refs


def test_a_rescued_job_is_tried_again_and_its_lost_attempt_counts(storage: Storage) -> None:
    run(storage)
    (lost,) = stuck(storage)

    assert storage.jobs.rescue([failed(lost, again=later(hours=3), text="gone")], now=later(hours=2)) == [
        State.RETRYABLE
    ]

    assert (storage.jobs.get(lost.ref)).state is State.RETRYABLE
    storage.jobs.promote(limit=10, now=later(hours=3))
    (again,) = take(storage, now=later(hours=3))
    assert (again.ref, again.attempt, again.error.error) == (lost.ref, 2, "gone")


def test_a_stuck_job_can_be_given_up(storage: Storage) -> None:
    storage.jobs.insert([mail(), mail()], now=NOW)
    take(storage)
    first, second = stuck(storage)

    answers = storage.jobs.rescue([discarded(first), cancelled(second)], now=later(hours=2))

    assert (storage.jobs.get(first.ref)).state is State.DISCARDED
    assert (storage.jobs.get(second.ref)).state in FINAL
    assert answers == [(storage.jobs.get(ref)).state for ref in (first.ref, second.ref)]


def test_each_of_several_stuck_jobs_has_its_own_answer(storage: Storage) -> None:
    storage.jobs.insert([kept_mail()] * 3, now=NOW)
    _, second, _ = take(storage)
    lost = {job.ref: job for job in stuck(storage)}
    storage.jobs.finish([completed(second)], now=later(hours=2))

    answers = storage.jobs.rescue([discarded(job) for job in lost.values()], now=later(hours=2))

    assert dict(zip(lost, answers, strict=True))[second.ref] is None
    assert sorted(answers, key=str) == [None, State.DISCARDED, State.DISCARDED]


def test_a_job_is_rescued_once(storage: Storage) -> None:
    run(storage)
    (lost,) = stuck(storage)

    answers = [storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2)) for _ in range(2)]

    assert answers == [[State.RETRYABLE], [None]]
    assert stuck(storage) == []


def test_a_job_that_finished_meanwhile_is_not_rescued(storage: Storage) -> None:
    job = run(storage, kept_mail())
    (lost,) = stuck(storage)
    storage.jobs.finish([completed(job)], now=later(hours=2))

    assert storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2)) == [None]
    assert (storage.jobs.get(job.ref)).state is State.COMPLETED


def test_a_job_that_was_taken_again_meanwhile_is_not_rescued(storage: Storage) -> None:
    run(storage)
    (lost,) = stuck(storage)
    storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2))
    storage.jobs.promote(limit=10, now=later(hours=3))
    take(storage, now=later(hours=3))

    assert storage.jobs.rescue([failed(lost, again=later(hours=4))], now=later(hours=3)) == [None]
    assert (storage.jobs.get(lost.ref)).state is State.RUNNING


def test_what_the_lost_worker_says_later_is_not_heard(storage: Storage) -> None:
    job = run(storage)
    (lost,) = stuck(storage)
    storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2))

    assert storage.jobs.finish([completed(job)], now=later(hours=2)) == [None]
    assert (storage.jobs.get(job.ref)).state is State.RETRYABLE


# Workers that fell silent

ADA = WorkerInfo(id="ada", host="ada", pid=41, started_at=NOW)
HALF_A_MINUTE = timedelta(seconds=30)


def orphans(storage: Storage, at: datetime, **page) -> list[Job]:
    return storage.jobs.orphaned(silent_for=HALF_A_MINUTE, now=at, **{"limit": 10, **page})


@needs(Feature.SCHEMA)
def test_a_job_is_an_orphan_once_its_worker_is_silent(storage: Storage) -> None:
    storage.workers.beat(ADA, expires_in=timedelta(seconds=10), now=NOW)
    job = run(storage)

    assert orphans(storage, later(seconds=29)) == []
    (found,) = orphans(storage, later(seconds=31))
    assert (found.ref, found.state, found.attempt) == (job.ref, State.RUNNING, 1)

    storage.workers.beat(ADA, expires_in=timedelta(seconds=10), now=later(seconds=32))
    assert orphans(storage, later(seconds=33)) == []


def test_jobs_of_workers_that_never_said_that_they_live_are_no_orphans(storage: Storage) -> None:
    storage.workers.beat(ADA, expires_in=timedelta(seconds=10), now=NOW)
    store(storage)
    assert len(take(storage, worker="written-in-go")) == 1

    assert orphans(storage, later(hours=2)) == []


@needs(Feature.SCHEMA)
def test_what_counts_is_who_took_the_job_last(storage: Storage) -> None:
    storage.workers.beat(ADA, expires_in=timedelta(seconds=10), now=NOW)
    job = run(storage)
    storage.jobs.finish([failed(job, again=NOW)], now=NOW)
    (again,) = take(storage, worker="bob")
    assert again.ref == job.ref

    assert orphans(storage, later(hours=2)) == []


@needs(Feature.SCHEMA)
def test_a_worker_that_beats_seldom_is_not_silent_before_it_is_late(storage: Storage) -> None:
    storage.workers.beat(ADA, expires_in=timedelta(minutes=5), now=NOW)
    run(storage)

    assert orphans(storage, later(minutes=4)) == []
    assert len(orphans(storage, later(minutes=6))) == 1


@needs(Feature.SCHEMA)
def test_orphans_come_in_pages(storage: Storage) -> None:
    storage.workers.beat(ADA, expires_in=timedelta(seconds=10), now=NOW)
    storage.jobs.insert([mail()] * 3, now=NOW)
    refs = [job.ref for job in take(storage)]

    first = orphans(storage, later(minutes=1), limit=2)
    second = orphans(storage, later(minutes=1), limit=2, after=first[-1].ref)

    assert [job.ref for job in first + second] == refs


@needs(Feature.SCHEMA)
def test_without_our_tables_nobody_is_an_orphan(storage: Storage) -> None:
    run(storage)
    storage.schema.migrate("ferryman", up=False, target=0)

    assert orphans(storage, later(hours=2)) == []
    storage.schema.migrate("ferryman", up=True)
