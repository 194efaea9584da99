"""Deleting finished jobs past their time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ferryman.errors import JobNotFound
from ferryman.job import Job, State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Retention
from storage._async.acts import run, states, store, take
from storage.samples import NOW, completed, discarded, failed, kept_mail, later, mail, mail_at

KEEP = Retention(completed=timedelta(days=1), cancelled=timedelta(days=1), discarded=timedelta(days=7))
FOREVER = Retention(completed=None, cancelled=None, discarded=None)


async def clean(storage: AsyncStorage, keep: Retention, **passed: float) -> int:
    """Delete all that may go when this much time has passed."""
    now = later(**passed)
    return await storage.jobs.prune(keep, limit=100, now=now) + await storage.jobs.prune_own(keep, limit=100, now=now)


async def finished(storage: AsyncStorage, outcome, job) -> Job:
    running = await run(storage, job)
    await storage.jobs.finish([outcome(running)], now=NOW)
    return running


async def gone(storage: AsyncStorage, job: Job) -> bool:
    try:
        await storage.jobs.get(job.ref)
    except JobNotFound:
        return True
    return False


async def test_a_discarded_job_is_kept_for_the_time_of_its_state(storage: AsyncStorage) -> None:
    job = await finished(storage, discarded, mail())

    assert await clean(storage, KEEP, days=6) == 0
    assert not await gone(storage, job)
    assert await clean(storage, KEEP, days=7, seconds=1) == 1
    assert await gone(storage, job)


async def test_a_completed_job_is_gone_after_the_time_of_its_state(storage: AsyncStorage) -> None:
    job = await finished(storage, completed, mail())

    await clean(storage, KEEP, days=1, seconds=1)

    assert await gone(storage, job)


@pytest.mark.parametrize("hours", [2, 48], ids=["shorter", "longer"])
async def test_a_completed_job_is_kept_for_as_long_as_it_says_itself(storage: AsyncStorage, hours: int) -> None:
    said = mail(retention=hours * 3600.0, given=frozenset({"retention"}))
    job = await finished(storage, completed, said)

    assert await clean(storage, KEEP, hours=hours, seconds=-10) == 0
    assert not await gone(storage, job)
    assert await clean(storage, KEEP, hours=hours, seconds=10) == 1
    assert await gone(storage, job)


async def test_no_time_means_forever(storage: AsyncStorage) -> None:
    job = await finished(storage, discarded, mail())

    assert await clean(storage, FOREVER, days=20_000) == 0
    assert not await gone(storage, job)


async def test_what_is_not_finished_is_never_deleted(storage: AsyncStorage) -> None:
    await run(storage)
    again = await run(storage)
    await storage.jobs.finish([failed(again, again=later(hours=1))], now=NOW)
    await store(storage)
    await store(storage, mail_at(later(hours=1)))
    before = await states(storage)

    assert await clean(storage, KEEP, days=20_000) == 0
    assert await states(storage) == before


async def test_pruning_stops_at_its_limit_and_goes_on_with_the_next_call(storage: AsyncStorage) -> None:
    await storage.jobs.insert([mail()] * 5, now=NOW)
    await storage.jobs.finish([discarded(job) for job in await take(storage)], now=NOW)

    deleted = [await storage.jobs.prune(KEEP, limit=2, now=later(days=8)) for _ in range(4)]

    assert deleted == [2, 2, 1, 0]


async def test_only_what_is_past_its_time_is_deleted(storage: AsyncStorage) -> None:
    old = await finished(storage, discarded, mail())
    young = await run(storage, kept_mail())
    await storage.jobs.finish([discarded(young)], now=later(days=5))

    await clean(storage, KEEP, days=8)

    assert await gone(storage, old)
    assert (await storage.jobs.get(young.ref)).state is State.DISCARDED
