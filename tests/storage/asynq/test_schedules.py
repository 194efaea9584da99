"""Enqueueing by the clock where nobody leads: once, and remembered for Go's tools (spec/asynq.md 3.15, 6.2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ferryman.cron import Interval
from ferryman.engine.leader import Leader
from ferryman.engine.outage import Outage
from ferryman.engine.periodic import Periodic
from ferryman.errors import DuplicateJob
from ferryman.events import EventBus
from ferryman.job import Inserted, NewJob
from ferryman.options import unique_for
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import scheduler_history
from ferryman.storage.asynq.messages import ENQUEUE_EVENT, SchedulerEnqueueEvent, Timestamp
from ferryman.storage.asynq.times import seconds
from ferryman.storage.filters import JobFilter
from ferryman.task import Tasks
from ferryman.testing import FakeClock
from storage._async.acts import take
from storage.samples import NOW, completed, later, mail


def run(tick: datetime = NOW, schedule: str = "nightly", **said: Any) -> NewJob:
    return mail(periodic=schedule, tick=tick, **said)


async def how_many(storage: AsyncRedisStorage) -> int:
    return sum((await storage.jobs.count(JobFilter())).values())


async def test_a_run_is_stored_by_whoever_comes_first(storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage) -> None:
    (first,) = await storage.jobs.insert([run()], now=NOW)
    (second,) = await elsewhere.jobs.insert([run()], now=NOW)

    assert (first.duplicate, second) == (False, Inserted(first.ref, duplicate=True))
    assert await how_many(storage) == 1


async def test_a_run_that_has_ended_is_not_stored_again(
    storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage
) -> None:
    await storage.jobs.insert([run()], now=NOW)
    (job,) = await take(storage)
    await storage.jobs.finish([completed(job)], now=NOW)

    (again,) = await elsewhere.jobs.insert([run()], now=NOW)

    assert again.duplicate
    assert await how_many(storage) == 0


async def test_a_run_that_was_refused_is_nobodys(storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage) -> None:
    await storage.jobs.insert([mail(id="taken")], now=NOW)
    with pytest.raises(DuplicateJob):
        await storage.jobs.insert([run(id="taken")], now=NOW)

    (stored,) = await elsewhere.jobs.insert([run()], now=NOW)

    assert not stored.duplicate


async def test_each_run_of_each_schedule_is_stored(storage: AsyncRedisStorage) -> None:
    runs = [run(), run(later(days=1)), run(schedule="hourly"), run(later(days=1), "hourly")]

    assert [each.duplicate for each in await storage.jobs.insert(runs, now=NOW)] == [False] * 4


async def test_a_run_may_be_unique_too(storage: AsyncRedisStorage) -> None:
    unique = unique_for("1h")
    first, second = await storage.jobs.insert([run(unique=unique), run(later(days=1), unique=unique)], now=NOW)

    assert (first.duplicate, second.duplicate, second.ref) == (False, True, first.ref)


async def test_that_a_run_is_stored_is_forgotten_in_time(storage: AsyncRedisStorage, redis: Any) -> None:
    await storage.jobs.insert([run()], now=NOW)

    (key,) = redis.keys("ferryman:*")
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


class Always(Leader):
    """What every worker is here."""

    @property
    def leading(self) -> bool:
        return True


def every_minute(storage: AsyncRedisStorage, clock: FakeClock) -> Periodic:
    """Return what one worker has: the same schedule as every other."""
    tasks = Tasks()

    @tasks.task("heartbeat", retries=0)
    async def heartbeat() -> None: ...

    tasks.schedule(heartbeat, Interval(timedelta(minutes=1)), "@every 1m", id=None, on_start=True)
    leader = Always(storage, "ada", interval=5, enabled=True, clock=clock, events=EventBus())
    outage = Outage(clock, EventBus())
    return Periodic(storage, leader, tasks.periodic, on_enqueue=(), clock=clock, outage=outage)


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
