# Generated from tests/storage/_async/test_operations.py by tools/unasync.py: change that file and run `make sync`.
"""Bulk operations that outlive whoever began them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ferryman.admin._sync.admin import Admin
from ferryman.admin.operations import BulkInfo, BulkState
from ferryman.errors import BulkNotFound, StorageUnavailable, WrongState
from ferryman.job import State
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action
from storage._sync.acts import run, states, store, take
from storage.samples import NOW, discarded, mail

FAILED = JobFilter(states=(State.DISCARDED,))

# One of each format and database is enough: what is tested stands on parts that are tested everywhere.
pytestmark = pytest.mark.parametrize(
    "place", ["sqlite-file", "river-postgres18", "asynq-valkey", "asynq-cluster"], indirect=True
)


def admin_of(storage: Storage) -> Admin:
    def open() -> Storage:
        return storage

    return Admin(open)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs a step, and no waiting between tries."""
    monkeypatch.setattr("ferryman.admin._sync.bulk._STEP", 2)
    monkeypatch.setattr("ferryman.admin._sync.operations._LONGEST_PAUSE", 0)


def give_up(storage: Storage, count: int) -> None:
    """Store jobs that have failed for good."""
    for _ in range(count):
        store(storage, mail())
    jobs = take(storage, limit=count)
    storage.jobs.finish([discarded(job) for job in jobs], now=NOW)


def work(admin: Admin, id: str) -> BulkInfo:
    """Work an operation to its end."""
    return [step for step in admin.bulk.work(id)][-1]


def test_an_operation_is_worked_to_its_end_and_remembered(storage: Storage, elsewhere: Storage) -> None:
    give_up(storage, 5)
    bulk = admin_of(storage).bulk
    begun = bulk.start(Action.RETRY, FAILED, expected=5, actor="ann", reason="it is back")

    ended = work(admin_of(storage), begun.id)

    assert (ended.state, ended.done, ended.skipped) == (BulkState.DONE, 5, 0)
    assert states(storage) == {State.AVAILABLE: 5}
    (seen,) = admin_of(elsewhere).bulk.list()
    assert (seen.id, seen.state, seen.done) == (begun.id, BulkState.DONE, 5)
    assert (seen.actor, seen.reason, seen.expected) == ("ann", "it is back", 5)


def test_two_people_who_start_the_same_operation_get_the_same_one(storage: Storage, elsewhere: Storage) -> None:
    first = admin_of(storage).bulk.start(Action.RETRY, FAILED, actor="ann")
    second = admin_of(elsewhere).bulk.start(Action.RETRY, FAILED, actor="bob")
    other = admin_of(elsewhere).bulk.start(Action.DELETE, FAILED, actor="bob")

    assert (second.id, second.actor) == (first.id, "ann")
    assert other.id != first.id


def test_an_operation_that_is_over_can_be_started_again(storage: Storage) -> None:
    admin = admin_of(storage)
    first = admin.bulk.start(Action.RETRY, FAILED)
    work(admin, first.id)

    again = admin.bulk.start(Action.RETRY, FAILED)

    assert again.id != first.id


def test_it_is_stopped_from_elsewhere_and_continued_where_it_was(storage: Storage, elsewhere: Storage) -> None:
    give_up(storage, 5)
    there = admin_of(elsewhere).bulk
    begun = admin_of(storage).bulk.start(Action.RETRY, FAILED)
    steps = []
    for step in admin_of(storage).bulk.work(begun.id):
        steps.append(step)
        if len(steps) == 1:
            assert (there.stop(begun.id, actor="bob")).state is BulkState.STOPPING

    assert [(step.state, step.done) for step in steps] == [(BulkState.RUNNING, 2), (BulkState.STOPPED, 4)]
    assert (there.resume(begun.id)).state is BulkState.RUNNING
    ended = work(admin_of(elsewhere), begun.id)
    assert (ended.state, ended.done) == (BulkState.DONE, 5)
    assert states(storage) == {State.AVAILABLE: 5}


def test_whose_process_died_is_interrupted_and_can_be_stopped_and_continued(storage: Storage) -> None:
    give_up(storage, 5)
    admin = admin_of(storage)
    begun = admin.bulk.start(Action.RETRY, FAILED)
    for _ in admin.bulk.work(begun.id):
        break  # and nobody says so

    much_later = begun.started_at + timedelta(minutes=10)
    assert (admin.bulk.get(begun.id)).state is BulkState.RUNNING
    assert (admin.bulk.get(begun.id, now=much_later)).state is BulkState.INTERRUPTED
    assert (admin.bulk.stop(begun.id, now=much_later)).state is BulkState.STOPPED
    admin.bulk.resume(begun.id)
    assert (work(admin, begun.id)).done == 5


def test_only_one_process_works_an_operation(storage: Storage, elsewhere: Storage) -> None:
    give_up(storage, 4)
    begun = admin_of(storage).bulk.start(Action.RETRY, FAILED)
    steps = 0

    for step in admin_of(storage).bulk.work(begun.id):
        steps += 1
        if step.state is BulkState.RUNNING:
            with pytest.raises(WrongState, match="another process"):
                work(admin_of(elsewhere), begun.id)
            with pytest.raises(WrongState, match="cannot be continued"):
                admin_of(elsewhere).bulk.resume(begun.id)

    assert steps > 1
    assert (admin_of(elsewhere).bulk.get(begun.id)).state is BulkState.DONE


def test_who_leaves_says_so_and_it_is_stopped(storage: Storage) -> None:
    give_up(storage, 5)
    admin = admin_of(storage)
    begun = admin.bulk.start(Action.RETRY, FAILED)
    for _ in admin.bulk.work(begun.id):
        break

    assert (admin.bulk.leave(begun.id)).state is BulkState.STOPPED
    assert (admin.bulk.get(begun.id)).done == 2


def test_what_was_skipped_is_counted_by_its_reason(storage: Storage) -> None:
    running = run(storage)
    store(storage)
    admin = admin_of(storage)
    begun = admin.bulk.start(Action.DELETE, JobFilter(kinds=("mail",)))

    steps = [step for step in admin.bulk.work(begun.id)]

    assert (steps[-1].done, steps[-1].skipped, dict(steps[-1].reasons)) == (1, 1, {"WrongState": 1})
    assert [skipped.ref for step in steps for skipped in step.latest] == [str(running.ref)]


def test_it_outlives_a_short_outage_and_keeps_its_place_in_a_long_one(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up(storage, 5)
    admin = admin_of(storage)
    act, failing = storage.jobs.act, ["once"]

    def flaky(*said: Any, **more: Any) -> Any:
        if failing:
            failing.pop()
            raise StorageUnavailable("The storage is away.")
        return act(*said, **more)

    monkeypatch.setattr(storage.jobs, "act", flaky)
    begun = admin.bulk.start(Action.RETRY, FAILED)
    for step in admin.bulk.work(begun.id):
        failing += ["again"] * 10 if step.done == 4 else []
        if failing:
            break
    admin.bulk.leave(begun.id)
    admin.bulk.resume(begun.id)
    with pytest.raises(StorageUnavailable):
        work(admin, begun.id)

    stopped = admin.bulk.get(begun.id)
    assert (stopped.state, stopped.done, stopped.error) == (BulkState.STOPPED, 4, "The storage is away.")
    admin.bulk.resume(begun.id)
    assert (work(admin, begun.id)).done == 5


def test_an_id_that_nobody_has_is_not_found(storage: Storage) -> None:
    with pytest.raises(BulkNotFound, match="ferryman bulk list"):
        admin_of(storage).bulk.stop("nothing")
