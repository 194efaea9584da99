"""What we give to others' tests: a clock in hand, and a recorder of events."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from ferryman.events import EventBus, JobsCleaned, JobsRescued, StorageBack
from ferryman.testing import FakeClock, Recorder

# The clock


async def test_time_stands_still_until_it_is_moved(clock: FakeClock) -> None:
    start = clock.now()
    assert clock.now() == clock.stamp() == start

    await clock.advance(180)

    assert clock.now() == clock.stamp() == start + timedelta(minutes=3)


async def test_sleepers_wake_in_order_each_at_its_own_time(clock: FakeClock) -> None:
    start, woke = clock.now(), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woke.append((seconds, (clock.now() - start).total_seconds()))

    async with asyncio.TaskGroup() as group:
        for seconds in (30, 10, 20, 0):
            group.create_task(sleeper(seconds))
        await clock.advance(25)
        assert woke == [(0, 0), (10, 10), (20, 20)]
        await clock.advance(5)

    assert woke[-1] == (30, 30)


async def test_who_sleeps_again_on_the_way_wakes_again(clock: FakeClock) -> None:
    start, woke = clock.now(), []

    async def again_and_again() -> None:
        while True:
            await clock.sleep(10)
            woke.append((clock.now() - start).total_seconds())

    task = asyncio.create_task(again_and_again())
    await clock.advance(35)
    task.cancel()

    assert woke == [10, 20, 30]


async def test_a_sleeper_that_was_cancelled_is_forgotten(clock: FakeClock) -> None:
    task = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    task.cancel()

    await clock.advance(20)

    assert task.cancelled()


# The recorder


async def test_it_collects_what_happens_in_order(seen: Recorder) -> None:
    seen.bus.publish(JobsCleaned(1))
    seen.bus.publish(JobsRescued(2))

    assert seen.events == [JobsCleaned(1), JobsRescued(2)]
    assert seen.of(JobsRescued) == [JobsRescued(2)]


async def test_waiting_gives_what_has_come_already_and_each_event_once(seen: Recorder) -> None:
    seen.bus.publish(JobsCleaned(1))
    seen.bus.publish(JobsCleaned(2))

    assert await seen.wait_for(JobsCleaned) == JobsCleaned(1)
    assert await seen.wait_for(JobsCleaned) == JobsCleaned(2)


async def test_waiting_goes_on_until_the_event_comes(seen: Recorder) -> None:
    waiting = asyncio.create_task(seen.wait_for(JobsCleaned, lambda event: event.count > 1))
    await asyncio.sleep(0)
    seen.bus.publish(JobsRescued(2))
    seen.bus.publish(JobsCleaned(1))
    await asyncio.sleep(0)
    assert not waiting.done()

    seen.bus.publish(JobsCleaned(2))

    assert await waiting == JobsCleaned(2)


async def test_events_of_other_threads_are_heard(seen: Recorder) -> None:
    threading.Timer(0.001, seen.bus.publish, [JobsCleaned(1)]).start()

    assert await seen.wait_for(JobsCleaned) == JobsCleaned(1)


async def test_waiting_in_vain_says_what_happened_instead(seen: Recorder) -> None:
    seen.bus.publish(JobsCleaned(1))

    with pytest.raises(TimeoutError, match=r"No such StorageBack within 0 s. What happened: JobsCleaned\."):
        await seen.wait_for(StorageBack, within=0)


async def test_after_its_block_it_listens_no_more() -> None:
    bus = EventBus()
    with Recorder(bus) as seen:
        bus.publish(JobsCleaned(1))
    bus.publish(JobsCleaned(2))

    assert seen.events == [JobsCleaned(1)]
    assert not bus.wants(JobsCleaned)
