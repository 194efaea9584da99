"""A worker that looks for jobs finds those that have become due, in the same round trip."""

from __future__ import annotations

from datetime import timedelta

from ferryman.aggregation import GroupRules
from ferryman.job import State
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.filters import JobFilter
from storage._async.acts import store, take
from storage.samples import NOW, failed, later, mail, mail_at


async def test_looking_for_jobs_takes_those_that_are_due_and_no_others(storage: AsyncRedisStorage) -> None:
    due = await store(storage, mail_at(later(minutes=5)))
    await store(storage, mail_at(later(minutes=6)))

    assert [job.ref for job in await take(storage, now=later(minutes=5))] == [due]
    assert await take(storage, now=later(minutes=5)) == []


async def test_looking_for_jobs_takes_those_whose_retry_is_due(storage: AsyncRedisStorage) -> None:
    await store(storage)
    (job,) = await take(storage)
    await storage.jobs.finish([failed(job, again=later(minutes=1))], now=NOW)

    (again,) = await take(storage, now=later(minutes=1))

    assert (again.ref, again.attempt) == (job.ref, 2)


async def test_what_waits_is_taken_before_what_has_just_become_due(storage: AsyncRedisStorage) -> None:
    due = await store(storage, mail_at(later(minutes=5)))
    waits = await store(storage)

    taken = [(await take(storage, now=later(minutes=5), limit=1))[0].ref for _ in range(2)]

    assert taken == [waits, due]


async def test_a_due_job_of_a_group_joins_its_group(storage: AsyncRedisStorage) -> None:
    due = await store(storage, mail(state=State.SCHEDULED, scheduled_at=later(minutes=5), group="news"))

    assert await take(storage, now=later(minutes=5)) == []

    rules = GroupRules(grace=timedelta(minutes=1))
    (found,) = await storage.groups.gather("default", rules, now=later(minutes=6))
    assert [job.ref for job in found.jobs] == [due]


async def test_in_a_paused_queue_due_jobs_wait_for_the_scheduler(storage: AsyncRedisStorage) -> None:
    await store(storage, mail_at(later(minutes=5)))
    await storage.queues.pause("default", now=NOW)

    assert await take(storage, now=later(minutes=5)) == []
    assert await storage.jobs.count(JobFilter()) == {State.SCHEDULED: 1}
    assert await storage.jobs.promote(limit=10, now=later(minutes=5)) == 1
