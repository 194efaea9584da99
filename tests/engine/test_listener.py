"""Hearing what others say: new jobs, cancellations, pauses, elections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.stage import Stage
from ferryman.engine.listener import Listener
from ferryman.engine.outage import Outage, Report
from ferryman.engine.service import background
from ferryman.events import ServiceFailed
from ferryman.job import JobRef, NewJob
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import (
    CancelRequested,
    JobsAvailable,
    LeaderResigned,
    Notice,
    QueueChanged,
    ResignRequested,
)
from ferryman.testing import FakeClock, Recorder


class Ears:
    """A listener, and what it made others do."""

    def __init__(self, storage: Any, clock: FakeClock, seen: Recorder) -> None:
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        say = self.heard.put_nowait
        self.listener = Listener(
            storage,
            {"default", "mail"},
            lambda: say("look"),
            say,
            say,
            say,
            lambda: say("resign"),
            clock,
            seen.bus,
            Report("listener", Outage(clock, seen.bus)),
        )

    async def next(self) -> Any:
        return await asyncio.wait_for(self.heard.get(), 60)


@pytest.fixture
def ears(storage: AsyncStorage, clock: FakeClock, seen: Recorder) -> Ears:
    return Ears(storage, clock, seen)


@pytest.mark.parametrize(
    ("notice", "done"),
    [
        (JobsAvailable("mail"), ["look"]),
        (JobsAvailable(""), ["look"]),
        (JobsAvailable("other"), []),
        (QueueChanged("default", True), [QueueChanged("default", True)]),
        (CancelRequested(JobRef("7")), [JobRef("7")]),
        (LeaderResigned("ada"), ["ada"]),
        (ResignRequested(), ["resign"]),
    ],
)
def test_each_notice_makes_the_right_one_act(ears: Ears, notice: Notice, done: list[Any]) -> None:
    ears.listener.hear(notice)

    assert [ears.heard.get_nowait() for _ in range(ears.heard.qsize())] == done


async def test_it_hears_of_new_jobs_of_cancellations_and_of_pauses(ears: Ears, stage: Stage) -> None:
    async with background(ears.listener.run):
        await asyncio.sleep(0)
        (id,) = await stage.store(NewJob(kind="mail", queue="mail"))
        assert await ears.next() == "look"

        await stage.storage.jobs.fetch([("mail", 1)], limit=1, kinds=None, worker="ada", now=stage.clock.now())
        await stage.storage.jobs.cancel(JobRef(id))
        while await ears.next() != JobRef(id):
            pass

        await stage.storage.queues.announce(["mail"], now=stage.clock.now())
        await stage.storage.queues.pause("mail", now=stage.clock.now())
        assert await ears.next() == QueueChanged("mail", True)


class Deaf:
    """A storage whose notices break off; the second time they come."""

    def __init__(self) -> None:
        self.times = 0
        self.notices = self

    async def listen(self) -> AsyncIterator[Notice]:
        self.times += 1
        if self.times == 1:
            raise ConnectionError("the line is dead")
        yield JobsAvailable()
        await asyncio.Event().wait()


async def test_after_a_failure_it_listens_again(clock: FakeClock, seen: Recorder) -> None:
    ears = Ears(Deaf(), clock, seen)
    async with background(ears.listener.run):
        failed = await seen.wait_for(ServiceFailed)
        assert (failed.service, str(failed.error)) == ("listener", "the line is dead")

        await clock.advance(1)

        assert await ears.next() == "look"


async def test_it_stops_listening_when_it_is_cancelled(ears: Ears, stage: Stage) -> None:
    async with background(ears.listener.run):
        await asyncio.sleep(0)

    await stage.store(NewJob(kind="mail"))
    await asyncio.sleep(0)

    assert ears.heard.empty()
