# Generated from tests/storage/_async/test_notices.py by tools/unasync.py: change that file and run `make sync`.
"""Hints that save waiting for the next poll: what others do is heard."""

from __future__ import annotations

from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import (
    CancelRequested,
    Feature,
    JobsAvailable,
    LeaderResigned,
    QueueChanged,
    ResignRequested,
)
from storage._sync.acts import run, store
from storage.ears import Ear
from storage.samples import NOW, later, mail, needs


def test_who_begins_to_listen_is_told_to_look_for_jobs(storage: Storage) -> None:
    with Ear(storage) as ear:
        assert ear.first == JobsAvailable()


def test_a_job_that_another_program_enqueues_is_heard(storage: Storage, elsewhere: Storage) -> None:
    storage.queues.announce(["default"], now=NOW)
    with Ear(storage) as ear:
        store(elsewhere)

        assert (ear.next(JobsAvailable)).queue in ("", "default")


def test_a_job_that_this_program_enqueues_is_heard(storage: Storage) -> None:
    storage.queues.announce(["default"], now=NOW)
    with Ear(storage) as ear:
        store(storage)

        assert (ear.next(JobsAvailable)).queue in ("", "default")


def test_the_worker_of_a_running_job_hears_that_it_should_stop(storage: Storage, elsewhere: Storage) -> None:
    job = run(storage)
    with Ear(storage) as ear:
        elsewhere.jobs.cancel(job.ref, now=NOW)

        assert (ear.next(CancelRequested)).ref.id == job.id


def test_a_queue_that_is_resumed_is_heard(storage: Storage, elsewhere: Storage) -> None:
    store(storage, mail(queue="bulk"))
    elsewhere.queues.pause("bulk", now=NOW)
    with Ear(storage) as ear:
        elsewhere.queues.resume("bulk", now=NOW)

        assert (ear.next(QueueChanged, JobsAvailable)).queue in ("", "bulk")


@needs(Feature.LEADERS)
def test_a_leader_that_steps_down_is_heard(storage: Storage, elsewhere: Storage) -> None:
    term = elsewhere.leaders.elect("bob", term=None, now=NOW)
    with Ear(storage) as ear:
        elsewhere.leaders.resign("bob", term=term)

        assert ear.next(LeaderResigned) == LeaderResigned("bob")


@needs(Feature.LEADERS)
def test_a_leader_hears_that_it_should_step_down(storage: Storage, elsewhere: Storage) -> None:
    with Ear(storage) as ear:
        elsewhere.notices.request_resign()

        assert ear.next(ResignRequested) == ResignRequested()


@needs(Feature.LEADERS)
def test_what_was_said_before_is_not_heard(storage: Storage, elsewhere: Storage) -> None:
    elsewhere.notices.request_resign()
    term = elsewhere.leaders.elect("bob", term=None, now=NOW)
    with Ear(storage) as ear:
        elsewhere.leaders.resign("bob", term=term)
        ear.next(LeaderResigned)

        assert ResignRequested() not in ear.heard


def test_several_can_listen(storage: Storage, elsewhere: Storage) -> None:
    job = run(storage, mail())
    with Ear(storage) as one, Ear(elsewhere) as two:
        storage.jobs.cancel(job.ref, now=NOW)

        assert (one.next(CancelRequested)).ref.id == (two.next(CancelRequested)).ref.id == job.id


def test_pruning_notices_can_be_repeated(storage: Storage) -> None:
    store(storage)

    storage.notices.prune(now=later(days=1))

    assert storage.notices.prune(now=later(days=1)) == 0
