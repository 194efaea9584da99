# Generated from tests/storage/_async/test_fetch.py by tools/unasync.py: change that file and run `make sync`.
"""Taking jobs."""

from __future__ import annotations

import pytest

from ferryman.job import State
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature
from storage._sync.acts import run, store, take
from storage.samples import NOW, failed, later, mail, mail_at, needs


def test_a_job_that_is_taken_says_how_long_it_waited(storage: Storage) -> None:
    store(storage, mail(), now=NOW)

    (job,) = take(storage, now=later(seconds=41))

    assert (job.attempted_at, job.waited) == (later(seconds=41), pytest.approx(41))


def test_a_job_that_was_taken_is_running(storage: Storage) -> None:
    ref = store(storage)

    (job,) = take(storage)

    assert (job.ref, job.kind, job.queue, job.state) == (ref, "mail", "default", State.RUNNING)
    assert (storage.jobs.get(ref)).state is State.RUNNING


def test_two_workers_never_take_the_same_job(storage: Storage, elsewhere: Storage) -> None:
    storage.jobs.insert([mail(), mail(), mail()], now=NOW)

    first = take(storage, limit=2, worker="ada")
    second = take(elsewhere, limit=2, worker="bob")

    assert (len(first), len(second)) == (2, 1)
    assert {job.ref for job in first}.isdisjoint(job.ref for job in second)


def test_a_job_is_taken_once(storage: Storage) -> None:
    store(storage)

    assert len(take(storage)) == 1
    assert take(storage) == []


def test_attempts_are_counted_when_a_job_is_taken(storage: Storage) -> None:
    job = run(storage, mail(max_attempts=3))
    assert (job.attempt, job.max_attempts, job.last) == (1, 3, False)
    storage.jobs.finish([failed(job, again=later(minutes=10))], now=NOW)
    storage.jobs.promote(limit=10, now=later(minutes=10))

    (again,) = take(storage, now=later(minutes=10))

    assert (again.ref, again.attempt) == (job.ref, 2)


def test_a_job_that_failed_before_brings_the_reason(storage: Storage) -> None:
    job = run(storage)
    storage.jobs.finish([failed(job, again=later(minutes=10), text="mailbox full")], now=NOW)
    storage.jobs.promote(limit=10, now=later(minutes=10))

    (again,) = take(storage, now=later(minutes=10))

    assert (again.error.error, again.error.at) == ("mailbox full", NOW)


def test_a_job_brings_all_that_was_said_with_it(storage: Storage) -> None:
    said = {"timeout": 90.0, "deadline": later(hours=3), "retention": 3600.0, "headers": {"trace": "00-4bf9"}}

    job = run(storage, mail(**said, tags=("eu-west",), given=frozenset(said)))

    assert (job.timeout, job.deadline, job.retention, job.headers) == tuple(said.values())
    assert job.tags == ("eu-west",)


# Which come first


def test_the_job_that_came_first_is_taken_first(storage: Storage) -> None:
    refs = [store(storage, now=later(seconds=second)) for second in range(5)]

    taken = take(storage, limit=3, now=later(minutes=1))
    taken += take(storage, limit=3, now=later(minutes=1))

    assert [job.ref for job in taken] == refs


def test_jobs_of_one_moment_are_taken_in_the_order_of_their_batch(storage: Storage) -> None:
    inserted = storage.jobs.insert([mail() for _ in range(20)], now=NOW)

    assert [job.ref for job in take(storage, limit=20)] == [each.ref for each in inserted]


@needs(Feature.PRIORITIES)
def test_priority_counts_before_time(storage: Storage) -> None:
    low = store(storage, mail(priority=4))
    usual = store(storage, now=later(seconds=1))
    high = store(storage, mail(priority=1), now=later(seconds=2))
    low_too = store(storage, mail(priority=4), now=later(seconds=3))

    taken = [*take(storage, limit=1, now=later(seconds=4)), *take(storage, limit=3, now=later(seconds=4))]

    assert [job.ref for job in taken] == [usual, high, low, low_too]
    assert [job.priority for job in taken] == [1, 1, 4, 4]


@needs(Feature.PRIORITIES)
def test_within_a_priority_the_time_at_which_a_job_is_due_counts(storage: Storage) -> None:
    late, early, middle = [store(storage, mail_at(later(minutes=minutes), priority=2)) for minutes in (30, 10, 20)]
    storage.jobs.promote(limit=10, now=later(hours=1))

    taken = [*take(storage, limit=1, now=later(hours=1)), *take(storage, limit=2, now=later(hours=1))]
    assert [job.ref for job in taken] == [early, middle, late]


# How many


def test_a_queue_gives_at_most_its_own_number(storage: Storage) -> None:
    storage.jobs.insert([*[mail(queue="bulk")] * 5, *[mail(queue="quick")] * 5], now=NOW)

    taken = storage.jobs.fetch([("bulk", 1), ("quick", 3)], limit=10, kinds=None, worker="ada", now=NOW)

    assert [job.queue for job in taken] == ["bulk", "quick", "quick", "quick"]


def test_all_queues_together_give_at_most_the_limit(storage: Storage) -> None:
    storage.jobs.insert([*[mail(queue="bulk")] * 5, *[mail(queue="quick")] * 5], now=NOW)

    taken = storage.jobs.fetch([("quick", 5), ("bulk", 5)], limit=7, kinds=None, worker="ada", now=NOW)

    assert [job.queue for job in taken] == ["quick"] * 5 + ["bulk"] * 2


def test_what_one_queue_lacks_the_next_may_give(storage: Storage) -> None:
    storage.jobs.insert([mail(queue="quick"), *[mail(queue="bulk")] * 5], now=NOW)

    taken = storage.jobs.fetch([("quick", 4), ("bulk", 4)], limit=4, kinds=None, worker="ada", now=NOW)

    assert [job.queue for job in taken] == ["quick", "bulk", "bulk", "bulk"]


@pytest.mark.parametrize(("most", "limit"), [(0, 5), (5, 0)])
def test_no_room_takes_no_job(storage: Storage, most: int, limit: int) -> None:
    store(storage)

    assert storage.jobs.fetch([("default", most)], limit=limit, kinds=None, worker="ada", now=NOW) == []
    assert len(take(storage)) == 1


def test_a_queue_that_nobody_asks_for_is_left_alone(storage: Storage) -> None:
    store(storage, mail(queue="bulk"))

    assert take(storage, "default") == []


# Which are ready


def test_a_job_is_not_taken_before_its_time(storage: Storage) -> None:
    store(storage, mail_at(later(minutes=10)))
    storage.jobs.promote(limit=10, now=later(minutes=9))

    assert take(storage, now=later(minutes=9)) == []


def test_a_paused_queue_gives_nothing_until_it_is_resumed(storage: Storage) -> None:
    ref = store(storage, mail(queue="bulk"))
    store(storage, mail(queue="quick"))
    storage.queues.pause("bulk", now=NOW)

    taken = storage.jobs.fetch([("bulk", 9), ("quick", 9)], limit=9, kinds=None, worker="ada", now=NOW)
    assert [job.queue for job in taken] == ["quick"]

    storage.queues.resume("bulk", now=NOW)
    assert [job.ref for job in take(storage, "bulk")] == [ref]


def test_all_queues_can_be_paused_and_resumed_at_once(storage: Storage) -> None:
    storage.queues.announce(["bulk", "quick"], now=NOW)
    storage.jobs.insert([mail(queue="bulk"), mail(queue="quick")], now=NOW)

    storage.queues.pause("*", now=NOW)
    assert take(storage, "bulk") + take(storage, "quick") == []

    storage.queues.resume("*", now=NOW)
    assert len(take(storage, "bulk") + take(storage, "quick")) == 2


@needs(Feature.KINDS)
def test_only_the_kinds_that_were_asked_for_are_taken(storage: Storage) -> None:
    storage.jobs.insert([mail(kind="fax"), mail(kind="mail"), mail(kind="telegram")], now=NOW)

    taken = storage.jobs.fetch(
        [("default", 10)], limit=10, kinds=frozenset({"mail", "telegram", "pigeon"}), worker="ada", now=NOW
    )

    assert [job.kind for job in taken] == ["mail", "telegram"]
    assert [job.kind for job in take(storage)] == ["fax"]


@needs(Feature.KINDS)
def test_a_worker_that_knows_no_kind_takes_nothing(storage: Storage) -> None:
    store(storage)

    assert storage.jobs.fetch([("default", 9)], limit=9, kinds=frozenset(), worker="ada", now=NOW) == []
