"""The one lifecycle: nudges, services beside a block, and the only loop."""

from __future__ import annotations

import asyncio

import pytest

from ferryman.engine.outage import Report
from ferryman.engine.service import Nudge, background, every
from ferryman.events import ServiceBack
from ferryman.testing import FakeClock, Recorder


async def forever() -> None:
    await asyncio.Event().wait()


# Nudges


async def test_many_nudges_are_one_look() -> None:
    nudge = Nudge()
    nudge()
    nudge()

    await nudge.wait()

    waiting = asyncio.create_task(nudge.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()


async def test_a_nudge_before_the_waiting_is_not_lost() -> None:
    nudge = Nudge()
    nudge()

    await asyncio.wait_for(nudge.wait(), 60)


async def test_waiting_ends_by_itself_after_its_time() -> None:
    await asyncio.wait_for(Nudge().wait(0.001), 60)


# Services beside a block


async def test_services_run_beside_the_block_and_end_with_it() -> None:
    running: list[str] = []

    async def service() -> None:
        running.append("began")
        try:
            await forever()
        finally:
            running.append("ended")

    async with background(service):
        await asyncio.sleep(0)
        assert running == ["began"]

    assert running == ["began", "ended"]


async def test_a_service_that_fails_ends_the_block_and_its_error_travels() -> None:
    async def broken() -> None:
        raise OSError("no space left")

    ended = []

    async def block() -> None:
        async with background(forever, broken):
            try:
                await forever()
            finally:
                ended.append("block")

    with pytest.raises(OSError, match="no space left"):
        await block()

    assert ended == ["block"]


async def test_an_error_of_the_block_travels_as_it_is() -> None:
    with pytest.raises(ValueError, match="of the block"):
        async with background(forever):
            raise ValueError("of the block")


async def test_two_errors_travel_together() -> None:
    async def broken() -> None:
        try:
            await forever()
        finally:
            raise OSError("no space left")

    async def block() -> None:
        async with background(broken):
            await asyncio.sleep(0)
            raise ValueError("of the block")

    with pytest.raises(BaseExceptionGroup) as caught:
        await block()

    assert {type(error) for error in caught.value.exceptions} == {OSError, ValueError}


async def test_cancelling_the_block_is_still_being_cancelled() -> None:
    async def block() -> None:
        async with background(forever):
            await forever()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()


# The loop


async def test_a_tick_runs_at_once_and_again_after_its_interval(clock: FakeClock, report: Report) -> None:
    at: list[float] = []
    start = clock.now()

    async def tick() -> None:
        at.append((clock.now() - start).total_seconds())

    async with background(every(30, tick, clock=clock, report=report)):
        await clock.advance(100)

    assert at == [0, 30, 60, 90]


async def test_a_tick_that_fails_is_told_and_tried_again(clock: FakeClock, report: Report, seen: Recorder) -> None:
    outcomes = iter([OSError("no space left"), None, None])
    done = []

    async def tick() -> None:
        if error := next(outcomes):
            raise error
        done.append(clock.now())

    async with background(every(30, tick, clock=clock, report=report)):
        await clock.advance(60)

    failed, back = seen.events
    assert (failed.service, str(failed.error)) == ("cleaner", "no space left")
    assert back == ServiceBack("cleaner")
    assert len(done) == 2
