"""Making due jobs available."""

from __future__ import annotations

from ferryman.job import State
from ferryman.storage._async.protocol import AsyncStorage
from storage._async.acts import run, states, store, take
from storage.samples import NOW, failed, later, mail_at


async def test_what_is_due_becomes_available(storage: AsyncStorage) -> None:
    ref = await store(storage, mail_at(later(minutes=10)))

    assert await storage.jobs.promote(limit=10, now=later(minutes=10)) == 1

    assert (await storage.jobs.get(ref)).state is State.AVAILABLE
    assert [job.ref for job in await take(storage, now=later(minutes=10))] == [ref]


async def test_what_is_not_due_stays_where_it_is(storage: AsyncStorage) -> None:
    await store(storage, mail_at(later(minutes=10)))

    assert await storage.jobs.promote(limit=10, now=later(minutes=9)) == 0
    assert await states(storage) == {State.SCHEDULED: 1}


async def test_new_jobs_and_failed_ones_of_every_queue_are_promoted_together(storage: AsyncStorage) -> None:
    job = await run(storage)
    await storage.jobs.finish([failed(job, again=later(minutes=5))], now=NOW)
    await store(storage, mail_at(later(minutes=6), queue="bulk"))
    await store(storage, mail_at(later(hours=6), queue="bulk"))

    assert await storage.jobs.promote(limit=10, now=later(minutes=7)) == 2
    assert await states(storage) == {State.AVAILABLE: 2, State.SCHEDULED: 1}


async def test_promoting_stops_at_its_limit_and_goes_on_with_the_next_call(storage: AsyncStorage) -> None:
    await storage.jobs.insert([mail_at(later(minutes=1)) for _ in range(5)], now=NOW)

    moved = [await storage.jobs.promote(limit=2, now=later(minutes=2)) for _ in range(4)]

    assert moved == [2, 2, 1, 0]
    assert await states(storage) == {State.AVAILABLE: 5}


async def test_what_is_running_or_done_is_not_promoted(storage: AsyncStorage) -> None:
    await run(storage)

    assert await storage.jobs.promote(limit=10, now=later(days=9)) == 0
    assert await states(storage) == {State.RUNNING: 1}
