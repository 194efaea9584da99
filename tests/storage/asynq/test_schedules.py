"""Enqueueing by the clock where nobody leads: once, and remembered for Go's tools (spec/asynq.md 3.15, 6.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ferryman.cron import Interval
from ferryman.engine.leader import Leader
from ferryman.engine.periodic import Periodic
from ferryman.events import EventBus
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import scheduler_history
from ferryman.storage.asynq.messages import ENQUEUE_EVENT, SchedulerEnqueueEvent, Timestamp
from ferryman.storage.asynq.times import seconds
from ferryman.storage.values import JobFilter
from ferryman.task import Tasks
from ferryman.testing import FakeClock
from storage.samples import NOW, later, mail


async def test_a_tick_stays_with_whoever_claimed_it(storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage) -> None:
    """Whoever claimed a tick and could not enqueue it tries again."""
    assert await storage.leaders.claim_tick("nightly", NOW, leading=True)

    assert not await elsewhere.leaders.claim_tick("nightly", NOW, leading=True)
    assert await storage.leaders.claim_tick("nightly", NOW, leading=True)


async def test_each_tick_and_each_schedule_is_claimed_by_itself(
    storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage
) -> None:
    await storage.leaders.claim_tick("nightly", NOW, leading=True)

    assert await elsewhere.leaders.claim_tick("nightly", later(days=1), leading=True)
    assert await elsewhere.leaders.claim_tick("hourly", NOW, leading=True)


async def test_a_claim_is_forgotten_in_time(storage: AsyncRedisStorage, redis: Any) -> None:
    await storage.leaders.claim_tick("nightly", NOW, leading=True)

    (key,) = redis.keys("*")
    assert 0 < redis.ttl(key) <= 3_600


async def test_what_a_schedule_enqueued_is_remembered(storage: AsyncRedisStorage, redis: Any) -> None:
    """Defect D21: Go's history of a schedule stays for ever."""
    (inserted,) = await storage.jobs.insert([mail(periodic="nightly")], now=NOW)

    ((event, score),) = redis.zrange(scheduler_history("nightly"), 0, -1, withscores=True)
    assert ENQUEUE_EVENT.decode(event) == SchedulerEnqueueEvent(inserted.ref.id, Timestamp.of(NOW))
    assert score == seconds(NOW)
    assert redis.ttl(scheduler_history("nightly")) > 0


async def test_the_latest_thousand_are_remembered(storage: AsyncRedisStorage, redis: Any) -> None:
    redis.zadd(scheduler_history("nightly"), {str(number): number for number in range(1_000)})

    await storage.jobs.insert([mail(periodic="nightly")], now=NOW)

    assert redis.zcard(scheduler_history("nightly")) == 1_000
    assert redis.zscore(scheduler_history("nightly"), "0") is None


async def test_a_history_of_the_wrong_type_keeps_no_job_from_being_enqueued(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    redis.set(scheduler_history("nightly"), "what?")

    (inserted,) = await storage.jobs.insert([mail(periodic="nightly")], now=NOW)

    assert (await storage.jobs.get(inserted.ref)).kind == "mail"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


def every_minute(storage: AsyncRedisStorage, clock: FakeClock) -> Periodic:
    """Return what one worker has: the same schedule as every other."""
    tasks = Tasks()

    @tasks.task("heartbeat", retries=0)
    async def heartbeat() -> None: ...

    tasks.schedule(heartbeat, Interval(timedelta(minutes=1)), "@every 1m", id=None, on_start=True)
    leader = Leader(storage, "ada", interval=5, enabled=True, clock=clock, events=EventBus())
    return Periodic(storage, leader, tasks.periodic, clock=clock, events=EventBus())


async def test_workers_that_started_at_different_times_run_an_interval_once(
    storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage, clock: FakeClock
) -> None:
    first = every_minute(storage, clock)
    await first.tick()
    await clock.advance(20)
    second = every_minute(elsewhere, clock)
    await second.tick()

    for _ in range(5 * 60):
        await clock.advance(1)
        await first.tick()
        await second.tick()

    assert sum((await storage.jobs.count(JobFilter(kinds=("heartbeat",)))).values()) == 6


async def test_what_is_enqueued_by_the_clock_is_told_from_the_start(
    storage: AsyncRedisStorage, clock: FakeClock
) -> None:
    """Defect D21: Go's schedules are listed ten seconds after they began."""
    periodic = every_minute(storage, clock)

    (before,) = periodic.outlook()
    await periodic.tick()
    (after,) = periodic.outlook()

    assert (before.id, before.spec, before.job.kind) == ("heartbeat", "@every 1m", "heartbeat")
    assert (before.next_at, before.last_at) == (later(minutes=1), None)
    assert (after.next_at, after.last_at) == (later(minutes=1), NOW)
