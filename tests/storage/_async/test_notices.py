"""Hints that save waiting for the next poll: what others do is heard."""

from __future__ import annotations

from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import (
    CancelRequested,
    Feature,
    JobsAvailable,
    LeaderResigned,
    QueueChanged,
    ResignRequested,
)
from storage._async.acts import run, store
from storage.ears import AsyncEar
from storage.samples import NOW, later, mail, needs


async def test_who_begins_to_listen_is_told_to_look_for_jobs(storage: AsyncStorage) -> None:
    async with AsyncEar(storage) as ear:
        assert ear.first == JobsAvailable()


async def test_a_job_that_another_program_enqueues_is_heard(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    await storage.queues.announce(["default"], now=NOW)
    async with AsyncEar(storage) as ear:
        await store(elsewhere)

        assert (await ear.next(JobsAvailable)).queue in ("", "default")


async def test_a_job_that_this_program_enqueues_is_heard(storage: AsyncStorage) -> None:
    await storage.queues.announce(["default"], now=NOW)
    async with AsyncEar(storage) as ear:
        await store(storage)

        assert (await ear.next(JobsAvailable)).queue in ("", "default")


async def test_the_worker_of_a_running_job_hears_that_it_should_stop(
    storage: AsyncStorage, elsewhere: AsyncStorage
) -> None:
    job = await run(storage)
    async with AsyncEar(storage) as ear:
        await elsewhere.jobs.cancel(job.ref, now=NOW)

        assert (await ear.next(CancelRequested)).ref.id == job.id


async def test_a_queue_that_is_resumed_is_heard(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    await store(storage, mail(queue="bulk"))
    await elsewhere.queues.pause("bulk", now=NOW)
    async with AsyncEar(storage) as ear:
        await elsewhere.queues.resume("bulk", now=NOW)

        assert (await ear.next(QueueChanged, JobsAvailable)).queue in ("", "bulk")


@needs(Feature.LEADERS)
async def test_a_leader_that_steps_down_is_heard(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    term = await elsewhere.leaders.elect("bob", term=None, now=NOW)
    async with AsyncEar(storage) as ear:
        await elsewhere.leaders.resign("bob", term=term)

        assert await ear.next(LeaderResigned) == LeaderResigned("bob")


@needs(Feature.LEADERS)
async def test_a_leader_hears_that_it_should_step_down(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    async with AsyncEar(storage) as ear:
        await elsewhere.notices.request_resign()

        assert await ear.next(ResignRequested) == ResignRequested()


@needs(Feature.LEADERS)
async def test_what_was_said_before_is_not_heard(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    await elsewhere.notices.request_resign()
    term = await elsewhere.leaders.elect("bob", term=None, now=NOW)
    async with AsyncEar(storage) as ear:
        await elsewhere.leaders.resign("bob", term=term)
        await ear.next(LeaderResigned)

        assert ResignRequested() not in ear.heard


async def test_several_can_listen(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    job = await run(storage, mail())
    async with AsyncEar(storage) as one, AsyncEar(elsewhere) as two:
        await storage.jobs.cancel(job.ref, now=NOW)

        assert (await one.next(CancelRequested)).ref.id == (await two.next(CancelRequested)).ref.id == job.id


async def test_pruning_notices_can_be_repeated(storage: AsyncStorage) -> None:
    await store(storage)

    await storage.notices.prune(now=later(days=1))

    assert await storage.notices.prune(now=later(days=1)) == 0
