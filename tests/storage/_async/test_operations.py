"""Bulk operations that outlive whoever began them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.admin.operations import BulkInfo, BulkState
from ferryman.errors import BulkNotFound, StorageUnavailable, WrongState
from ferryman.job import State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action
from storage._async.acts import run, states, store, take
from storage.samples import NOW, discarded, mail

FAILED = JobFilter(states=(State.DISCARDED,))

# One of each format and database is enough: what is tested stands on parts that are tested everywhere.
pytestmark = pytest.mark.parametrize(
    "place", ["sqlite-file", "river-postgres18", "asynq-valkey", "asynq-cluster"], indirect=True
)


def admin_of(storage: AsyncStorage) -> AsyncAdmin:
    async def async_open() -> AsyncStorage:
        return storage

    return AsyncAdmin(async_open)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs a step, and no waiting between tries."""
    monkeypatch.setattr("ferryman.admin._async.bulk._STEP", 2)
    monkeypatch.setattr("ferryman.admin._async.operations._LONGEST_PAUSE", 0)


async def give_up(storage: AsyncStorage, count: int) -> None:
    """Store jobs that have failed for good."""
    for _ in range(count):
        await store(storage, mail())
    jobs = await take(storage, limit=count)
    await storage.jobs.finish([discarded(job) for job in jobs], now=NOW)


async def work(admin: AsyncAdmin, id: str) -> BulkInfo:
    """Work an operation to its end."""
    return [step async for step in admin.bulk.work(id)][-1]


async def test_an_operation_is_worked_to_its_end_and_remembered(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    await give_up(storage, 5)
    bulk = admin_of(storage).bulk
    begun = await bulk.start(Action.RETRY, FAILED, expected=5, actor="ann", reason="it is back")

    ended = await work(admin_of(storage), begun.id)

    assert (ended.state, ended.done, ended.skipped) == (BulkState.DONE, 5, 0)
    assert await states(storage) == {State.AVAILABLE: 5}
    (seen,) = await admin_of(elsewhere).bulk.list()
    assert (seen.id, seen.state, seen.done) == (begun.id, BulkState.DONE, 5)
    assert (seen.actor, seen.reason, seen.expected) == ("ann", "it is back", 5)


async def test_two_people_who_start_the_same_operation_get_the_same_one(
    storage: AsyncStorage, elsewhere: AsyncStorage
) -> None:
    first = await admin_of(storage).bulk.start(Action.RETRY, FAILED, actor="ann")
    second = await admin_of(elsewhere).bulk.start(Action.RETRY, FAILED, actor="bob")
    other = await admin_of(elsewhere).bulk.start(Action.DELETE, FAILED, actor="bob")

    assert (second.id, second.actor) == (first.id, "ann")
    assert other.id != first.id


async def test_an_operation_that_is_over_can_be_started_again(storage: AsyncStorage) -> None:
    admin = admin_of(storage)
    first = await admin.bulk.start(Action.RETRY, FAILED)
    await work(admin, first.id)

    again = await admin.bulk.start(Action.RETRY, FAILED)

    assert again.id != first.id


async def test_it_is_stopped_from_elsewhere_and_continued_where_it_was(
    storage: AsyncStorage, elsewhere: AsyncStorage
) -> None:
    await give_up(storage, 5)
    there = admin_of(elsewhere).bulk
    begun = await admin_of(storage).bulk.start(Action.RETRY, FAILED)
    steps = []
    async for step in admin_of(storage).bulk.work(begun.id):
        steps.append(step)
        if len(steps) == 1:
            assert (await there.stop(begun.id, actor="bob")).state is BulkState.STOPPING

    assert [(step.state, step.done) for step in steps] == [(BulkState.RUNNING, 2), (BulkState.STOPPED, 4)]
    assert (await there.resume(begun.id)).state is BulkState.RUNNING
    ended = await work(admin_of(elsewhere), begun.id)
    assert (ended.state, ended.done) == (BulkState.DONE, 5)
    assert await states(storage) == {State.AVAILABLE: 5}


async def test_whose_process_died_is_interrupted_and_can_be_stopped_and_continued(storage: AsyncStorage) -> None:
    await give_up(storage, 5)
    admin = admin_of(storage)
    begun = await admin.bulk.start(Action.RETRY, FAILED)
    async for _ in admin.bulk.work(begun.id):
        break  # and nobody says so

    much_later = begun.started_at + timedelta(minutes=10)
    assert (await admin.bulk.get(begun.id)).state is BulkState.RUNNING
    assert (await admin.bulk.get(begun.id, now=much_later)).state is BulkState.INTERRUPTED
    assert (await admin.bulk.stop(begun.id, now=much_later)).state is BulkState.STOPPED
    await admin.bulk.resume(begun.id)
    assert (await work(admin, begun.id)).done == 5


async def test_only_one_process_works_an_operation(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    await give_up(storage, 4)
    begun = await admin_of(storage).bulk.start(Action.RETRY, FAILED)
    steps = 0

    async for step in admin_of(storage).bulk.work(begun.id):
        steps += 1
        if step.state is BulkState.RUNNING:
            with pytest.raises(WrongState, match="another process"):
                await work(admin_of(elsewhere), begun.id)
            with pytest.raises(WrongState, match="cannot be continued"):
                await admin_of(elsewhere).bulk.resume(begun.id)

    assert steps > 1
    assert (await admin_of(elsewhere).bulk.get(begun.id)).state is BulkState.DONE


async def test_who_leaves_says_so_and_it_is_stopped(storage: AsyncStorage) -> None:
    await give_up(storage, 5)
    admin = admin_of(storage)
    begun = await admin.bulk.start(Action.RETRY, FAILED)
    async for _ in admin.bulk.work(begun.id):
        break

    assert (await admin.bulk.leave(begun.id)).state is BulkState.STOPPED
    assert (await admin.bulk.get(begun.id)).done == 2


async def test_what_was_skipped_is_counted_by_its_reason(storage: AsyncStorage) -> None:
    running = await run(storage)
    await store(storage)
    admin = admin_of(storage)
    begun = await admin.bulk.start(Action.DELETE, JobFilter(kinds=("mail",)))

    steps = [step async for step in admin.bulk.work(begun.id)]

    assert (steps[-1].done, steps[-1].skipped, dict(steps[-1].reasons)) == (1, 1, {"WrongState": 1})
    assert [skipped.ref for step in steps for skipped in step.latest] == [str(running.ref)]


async def test_it_outlives_a_short_outage_and_keeps_its_place_in_a_long_one(
    storage: AsyncStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give_up(storage, 5)
    admin = admin_of(storage)
    act, failing = storage.jobs.act, ["once"]

    async def flaky(*said: Any, **more: Any) -> Any:
        if failing:
            failing.pop()
            raise StorageUnavailable("The storage is away.")
        return await act(*said, **more)

    monkeypatch.setattr(storage.jobs, "act", flaky)
    begun = await admin.bulk.start(Action.RETRY, FAILED)
    async for step in admin.bulk.work(begun.id):
        failing += ["again"] * 10 if step.done == 4 else []
        if failing:
            break
    await admin.bulk.leave(begun.id)
    await admin.bulk.resume(begun.id)
    with pytest.raises(StorageUnavailable):
        await work(admin, begun.id)

    stopped = await admin.bulk.get(begun.id)
    assert (stopped.state, stopped.done, stopped.error) == (BulkState.STOPPED, 4, "The storage is away.")
    await admin.bulk.resume(begun.id)
    assert (await work(admin, begun.id)).done == 5


async def test_an_id_that_nobody_has_is_not_found(storage: AsyncStorage) -> None:
    with pytest.raises(BulkNotFound, match="ferryman bulk list"):
        await admin_of(storage).bulk.stop("nothing")
