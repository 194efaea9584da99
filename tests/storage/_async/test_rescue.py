"""Finding jobs whose worker is gone, and taking them back."""

from __future__ import annotations

from datetime import datetime, timedelta

from ferryman.job import FINAL, Job, State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.infos import WorkerInfo
from ferryman.storage.values import Feature
from storage._async.acts import run, store, take
from storage.samples import NOW, cancelled, completed, discarded, failed, kept_mail, later, mail, needs

HOUR = timedelta(hours=1)


async def stuck(storage: AsyncStorage, **page) -> list[Job]:
    """Look two hours later for what has not been heard of for one."""
    return await storage.jobs.stuck(older_than=HOUR, now=later(hours=2), **{"limit": 10, **page})


async def test_a_job_that_runs_for_too_long_is_stuck(storage: AsyncStorage) -> None:
    job = await run(storage)

    (found,) = await stuck(storage)

    assert (found.ref, found.state, found.attempt) == (job.ref, State.RUNNING, 1)


async def test_a_job_that_was_just_taken_is_not_stuck(storage: AsyncStorage) -> None:
    await run(storage)

    assert await storage.jobs.stuck(older_than=HOUR, limit=10, now=later(seconds=1)) == []


async def test_only_what_runs_can_be_stuck(storage: AsyncStorage) -> None:
    await storage.jobs.insert([kept_mail()] * 3, now=NOW)
    done, waiting = await take(storage, limit=2)
    await storage.jobs.finish([completed(done), failed(waiting, again=later(minutes=1))], now=NOW)

    assert await stuck(storage) == []


async def test_stuck_jobs_come_in_pages(storage: AsyncStorage) -> None:
    await storage.jobs.insert([mail()] * 5, now=NOW)
    refs = {job.ref for job in await take(storage)}

    first = await stuck(storage, limit=3)
    second = await stuck(storage, limit=3, after=first[-1].ref)
    third = await stuck(storage, limit=3, after=second[-1].ref)

    assert (len(first), len(second), third) == (3, 2, [])
    assert {job.ref for job in first + second} == refs


async def test_a_rescued_job_is_tried_again_and_its_lost_attempt_counts(storage: AsyncStorage) -> None:
    await run(storage)
    (lost,) = await stuck(storage)

    assert await storage.jobs.rescue([failed(lost, again=later(hours=3), text="gone")], now=later(hours=2)) == [
        State.RETRYABLE
    ]

    assert (await storage.jobs.get(lost.ref)).state is State.RETRYABLE
    await storage.jobs.promote(limit=10, now=later(hours=3))
    (again,) = await take(storage, now=later(hours=3))
    assert (again.ref, again.attempt, again.error.error) == (lost.ref, 2, "gone")


async def test_a_stuck_job_can_be_given_up(storage: AsyncStorage) -> None:
    await storage.jobs.insert([mail(), mail()], now=NOW)
    await take(storage)
    first, second = await stuck(storage)

    answers = await storage.jobs.rescue([discarded(first), cancelled(second)], now=later(hours=2))

    assert (await storage.jobs.get(first.ref)).state is State.DISCARDED
    assert (await storage.jobs.get(second.ref)).state in FINAL
    assert answers == [(await storage.jobs.get(ref)).state for ref in (first.ref, second.ref)]


async def test_each_of_several_stuck_jobs_has_its_own_answer(storage: AsyncStorage) -> None:
    await storage.jobs.insert([kept_mail()] * 3, now=NOW)
    _, second, _ = await take(storage)
    lost = {job.ref: job for job in await stuck(storage)}
    await storage.jobs.finish([completed(second)], now=later(hours=2))

    answers = await storage.jobs.rescue([discarded(job) for job in lost.values()], now=later(hours=2))

    assert dict(zip(lost, answers, strict=True))[second.ref] is None
    assert sorted(answers, key=str) == [None, State.DISCARDED, State.DISCARDED]


async def test_a_job_is_rescued_once(storage: AsyncStorage) -> None:
    await run(storage)
    (lost,) = await stuck(storage)

    answers = [await storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2)) for _ in range(2)]

    assert answers == [[State.RETRYABLE], [None]]
    assert await stuck(storage) == []


async def test_a_job_that_finished_meanwhile_is_not_rescued(storage: AsyncStorage) -> None:
    job = await run(storage, kept_mail())
    (lost,) = await stuck(storage)
    await storage.jobs.finish([completed(job)], now=later(hours=2))

    assert await storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2)) == [None]
    assert (await storage.jobs.get(job.ref)).state is State.COMPLETED


async def test_a_job_that_was_taken_again_meanwhile_is_not_rescued(storage: AsyncStorage) -> None:
    await run(storage)
    (lost,) = await stuck(storage)
    await storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2))
    await storage.jobs.promote(limit=10, now=later(hours=3))
    await take(storage, now=later(hours=3))

    assert await storage.jobs.rescue([failed(lost, again=later(hours=4))], now=later(hours=3)) == [None]
    assert (await storage.jobs.get(lost.ref)).state is State.RUNNING


async def test_what_the_lost_worker_says_later_is_not_heard(storage: AsyncStorage) -> None:
    job = await run(storage)
    (lost,) = await stuck(storage)
    await storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2))

    assert await storage.jobs.finish([completed(job)], now=later(hours=2)) == [None]
    assert (await storage.jobs.get(job.ref)).state is State.RETRYABLE


# Workers that fell silent

ADA = WorkerInfo(id="ada", host="ada", pid=41, started_at=NOW)
HALF_A_MINUTE = timedelta(seconds=30)


async def orphans(storage: AsyncStorage, at: datetime, **page) -> list[Job]:
    return await storage.jobs.orphaned(silent_for=HALF_A_MINUTE, now=at, **{"limit": 10, **page})


@needs(Feature.SCHEMA)
async def test_a_job_is_an_orphan_once_its_worker_is_silent(storage: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=timedelta(seconds=10), now=NOW)
    job = await run(storage)

    assert await orphans(storage, later(seconds=29)) == []
    (found,) = await orphans(storage, later(seconds=31))
    assert (found.ref, found.state, found.attempt) == (job.ref, State.RUNNING, 1)

    await storage.workers.beat(ADA, expires_in=timedelta(seconds=10), now=later(seconds=32))
    assert await orphans(storage, later(seconds=33)) == []


async def test_jobs_of_workers_that_never_said_that_they_live_are_no_orphans(storage: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=timedelta(seconds=10), now=NOW)
    await store(storage)
    assert len(await take(storage, worker="written-in-go")) == 1

    assert await orphans(storage, later(hours=2)) == []


@needs(Feature.SCHEMA)
async def test_what_counts_is_who_took_the_job_last(storage: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=timedelta(seconds=10), now=NOW)
    job = await run(storage)
    await storage.jobs.finish([failed(job, again=NOW)], now=NOW)
    (again,) = await take(storage, worker="bob")
    assert again.ref == job.ref

    assert await orphans(storage, later(hours=2)) == []


@needs(Feature.SCHEMA)
async def test_a_worker_that_beats_seldom_is_not_silent_before_it_is_late(storage: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=timedelta(minutes=5), now=NOW)
    await run(storage)

    assert await orphans(storage, later(minutes=4)) == []
    assert len(await orphans(storage, later(minutes=6))) == 1


@needs(Feature.SCHEMA)
async def test_orphans_come_in_pages(storage: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=timedelta(seconds=10), now=NOW)
    await storage.jobs.insert([mail()] * 3, now=NOW)
    refs = [job.ref for job in await take(storage)]

    first = await orphans(storage, later(minutes=1), limit=2)
    second = await orphans(storage, later(minutes=1), limit=2, after=first[-1].ref)

    assert [job.ref for job in first + second] == refs


@needs(Feature.SCHEMA)
async def test_without_our_tables_nobody_is_an_orphan(storage: AsyncStorage) -> None:
    await run(storage)
    await storage.schema.migrate("ferryman", up=False, target=0)

    assert await orphans(storage, later(hours=2)) == []
    await storage.schema.migrate("ferryman", up=True)
