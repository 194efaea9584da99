"""Acting on many jobs: by their addresses, and by a filter."""

from __future__ import annotations

import pytest

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.admin._async.bulk import rest_after
from ferryman.errors import DuplicateJob, FerrymanError, JobNotFound, WrongState
from ferryman.job import FINAL, Job, JobRef, State
from ferryman.options import unique_for
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action
from storage._async.acts import run, states, store, take
from storage.samples import NOW, completed, discarded, failed, kept_mail, later, mail

ONCE_AN_HOUR = unique_for("1h")
FAILED = JobFilter(states=(State.DISCARDED,))


async def give_up(storage: AsyncStorage, count: int) -> list[JobRef]:
    """Store jobs that have failed for good."""
    for number in range(count):
        await store(storage, mail(args=b'{"n":%d}' % number))
    jobs = await take(storage, limit=count)
    await storage.jobs.finish([discarded(job) for job in jobs], now=NOW)
    return [job.ref for job in jobs]


def admin_of(storage: AsyncStorage) -> AsyncAdmin:
    async def async_open() -> AsyncStorage:
        return storage

    return AsyncAdmin(async_open)


async def test_many_jobs_are_retried_at_once(storage: AsyncStorage) -> None:
    refs = await give_up(storage, 5)

    answers = await storage.jobs.act(Action.RETRY, refs, now=NOW)

    assert [answer.ref for answer in answers if isinstance(answer, Job)] == refs
    assert await states(storage) == {State.AVAILABLE: 5}


async def test_what_became_of_each_job_is_said_in_their_order(storage: AsyncStorage) -> None:
    running = await run(storage)
    (failed_ref,) = await give_up(storage, 1)
    gone = await store(storage)
    await storage.jobs.delete(gone)

    outcomes = await admin_of(storage).jobs.act(Action.RETRY, [str(running.ref), failed_ref, gone])

    assert [(each.ref, each.what, each.state) for each in outcomes] == [
        (running.ref, "skipped_state", State.RUNNING),
        (failed_ref, "done", State.AVAILABLE),
        (gone, "not_found", ""),
    ]


async def test_a_queue_is_deleted_with_its_jobs_when_that_is_wanted(storage: AsyncStorage) -> None:
    queues = admin_of(storage).queues
    await storage.queues.announce(["default"])
    await give_up(storage, 3)

    with pytest.raises(WrongState, match="holds 3 discarded"):
        await queues.delete("default")
    await queues.delete("default", force=True)

    assert await queues.list() == []
    assert await states(storage) == {}


async def test_a_queue_with_a_running_job_stays(storage: AsyncStorage) -> None:
    await storage.queues.announce(["default"])
    job = await run(storage)
    await store(storage)

    with pytest.raises(WrongState, match="holds 1 running"):
        await admin_of(storage).queues.delete("default", force=True)

    assert (await storage.jobs.get(job.ref)).state is State.RUNNING


@pytest.mark.parametrize(
    ("action", "left"), [(Action.DISCARD, {State.DISCARDED: 2}), (Action.DELETE, {}), (Action.CANCEL, None)]
)
async def test_every_action_has_its_effect(storage: AsyncStorage, action: Action, left: object) -> None:
    refs = [await store(storage), await store(storage)]

    answers = await storage.jobs.act(action, refs, now=NOW)

    assert not any(isinstance(answer, FerrymanError) for answer in answers)
    there = await states(storage)
    assert there == left or (action is Action.CANCEL and set(there) <= FINAL)


async def test_what_cannot_be_done_is_answered_in_its_place_and_the_rest_is_done(storage: AsyncStorage) -> None:
    waiting, running = await give_up(storage, 1), await run(storage)

    answers = await storage.jobs.act(Action.RETRY, [running.ref, JobRef("999999"), *waiting], now=NOW)

    assert [type(answer) for answer in answers[:2]] == [WrongState, JobNotFound]
    assert isinstance(answers[2], Job)
    assert await states(storage) == {State.AVAILABLE: 1, State.RUNNING: 1}


async def test_a_job_whose_place_is_taken_does_not_keep_the_others_back(storage: AsyncStorage) -> None:
    others = await give_up(storage, 2)
    old = await run(storage, kept_mail(unique=ONCE_AN_HOUR))
    await storage.jobs.finish([completed(old)], now=NOW)
    await store(storage, kept_mail(unique=ONCE_AN_HOUR))

    answers = await storage.jobs.act(Action.RETRY, [others[0], old.ref, others[1]], now=NOW)

    assert [type(answer) for answer in answers if isinstance(answer, FerrymanError)] == [DuplicateJob]
    assert [(await storage.jobs.get(ref)).state for ref in others] == [State.AVAILABLE] * 2


async def test_nothing_to_act_on_is_no_error(storage: AsyncStorage) -> None:
    assert list(await storage.jobs.act(Action.RETRY, [], now=NOW)) == []


async def test_a_preview_counts_and_shows_a_few(storage: AsyncStorage) -> None:
    await give_up(storage, 7)
    bulk = admin_of(storage).bulk

    plain = await bulk.preview(FAILED)
    inside = await bulk.preview(JobFilter(states=(State.DISCARDED,), error="route"))
    capped = await bulk.preview(JobFilter(states=(State.DISCARDED,), error="route"), cap=3)

    assert [(each.count, each.capped) for each in (plain, inside, capped)] == [(7, False), (7, False), (3, True)]
    assert (len(plain.samples), len(inside.samples)) == (5, 5)


async def test_counting_what_is_to_be_looked_at_ends_at_its_bounds_and_says_so(storage: AsyncStorage) -> None:
    await give_up(storage, 5)
    jobs, inside = admin_of(storage).jobs, JobFilter(error="route")

    there = [await jobs.count(FAILED, cap=3), await jobs.count(inside), await jobs.count(inside, cap=3)]
    in_no_time = await jobs.count(inside, seconds=0)

    assert [(dict(each), each.truncated) for each in there] == [
        ({State.DISCARDED: 5}, False),
        ({State.DISCARDED: 5}, False),
        ({State.DISCARDED: 3}, True),
    ]
    assert (in_no_time, in_no_time.truncated) == ({}, True)


async def test_every_job_that_fits_is_acted_on_in_steps(storage: AsyncStorage) -> None:
    await give_up(storage, 230)
    await store(storage, mail(queue="other"))
    steps = [step async for step in admin_of(storage).bulk.run(Action.RETRY, FAILED, now=later(hours=1))]

    assert [(step.done, step.skipped) for step in steps] == [(200, 0), (230, 0)]
    assert steps[-1].cursor is None
    assert await states(storage) == {State.AVAILABLE: 231}


async def test_who_stops_half_way_goes_on_where_they_stopped(storage: AsyncStorage) -> None:
    await give_up(storage, 230)
    bulk = admin_of(storage).bulk

    async for first in bulk.run(Action.RETRY, FAILED, now=later(hours=1)):
        stopped = first
        break
    rest = [step async for step in bulk.run(Action.RETRY, FAILED, cursor=stopped.cursor, now=later(hours=1))]

    assert (stopped.done, rest[-1].done) == (200, 30)
    assert await states(storage) == {State.AVAILABLE: 230}


async def test_jobs_that_fail_meanwhile_are_not_swept_along(storage: AsyncStorage) -> None:
    await give_up(storage, 2)
    late = await run(storage, now=later(minutes=5))
    await storage.jobs.finish([discarded(late)], now=later(hours=2))

    steps = [step async for step in admin_of(storage).bulk.run(Action.DELETE, FAILED, now=later(hours=1))]

    assert steps[-1].done == 2
    assert (await storage.jobs.get(late.ref)).state is State.DISCARDED


async def test_jobs_that_wait_are_cancelled_by_their_kind(storage: AsyncStorage) -> None:
    again = await run(storage, mail(kind="other"))
    await storage.jobs.finish([failed(again, again=later(hours=1))], now=NOW)
    await store(storage)

    steps = [step async for step in admin_of(storage).bulk.run(Action.CANCEL, JobFilter(kinds=("mail",)), now=NOW)]

    assert (steps[-1].done, (await storage.jobs.get(again.ref)).state) == (1, State.RETRYABLE)


@pytest.mark.parametrize(("took", "rests"), [(0.1, 0.3), (1.0, 3.0), (3.0, 5.0), (20.0, 20.0)])
def test_workers_beside_have_the_storage_for_most_of_the_time(took: float, rests: float) -> None:
    assert rest_after(took) == pytest.approx(rests)
