"""Saying that this worker is alive: from a thread of its own, whatever the event loop does."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ferryman.engine import heartbeater as module
from ferryman.engine.heartbeater import Heartbeater
from ferryman.engine.outage import Outage
from ferryman.errors import StorageUnavailable
from ferryman.events import LoopBlocked, ServiceBack, ServiceFailed
from ferryman.job import JobRef
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.infos import Running, WorkerInfo
from ferryman.testing import FakeClock, Recorder


class Beats:
    """The sync twin of a storage, that tells what was asked of it."""

    def __init__(self, twin: Any) -> None:
        self._twin = twin
        self.told: list[Any] = []
        self.latest: WorkerInfo | None = None
        self.broken: Exception | None = None
        self.closed_doors = 0
        self.queues = self.workers = self.jobs = self

    def announce(self, names: list[str]) -> None:
        self._tell("announce", names)
        self._twin.queues.announce(names)

    def beat(self, info: WorkerInfo, *, expires_in: timedelta) -> None:
        self._tell("beat", expires_in)
        self.latest = info
        self._twin.workers.beat(info, expires_in=expires_in)

    def extend(self, refs: list[JobRef], *, worker: str) -> None:
        self._tell("extend", refs)

    def leave(self, worker: str) -> None:
        self._tell("leave", worker)
        self._twin.workers.leave(worker)

    def _tell(self, *what: Any) -> None:
        if self.broken is not None:
            raise self.broken
        self.told.append(what)

    def count(self, what: str) -> int:
        return sum(each[0] == what for each in self.told)

    def __enter__(self) -> Any:
        if self.closed_doors:
            self.closed_doors -= 1
            raise StorageUnavailable("The storage is away.")
        return self._twin.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._twin.__exit__(*exc)


@pytest.fixture
def beats(storage: AsyncStorage) -> Beats:
    return Beats(storage.twin())


@pytest.fixture
def heart(beats: Beats, outage: Outage, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Heartbeater:
    monkeypatch.setattr(module, "_LOOK", 0.005)
    monkeypatch.setattr(module, "_BLOCKED_AFTER", 0.05)

    def describe() -> WorkerInfo:
        return WorkerInfo(
            id="ada",
            host="quay",
            pid=os.getpid(),
            started_at=clock.now(),
            queues={"default": 1},
            running=(Running(ref=JobRef("7"), kind="mail"),),
        )

    return Heartbeater(beats, describe, lambda: [JobRef("7")], interval=0.01, outage=outage)  # type: ignore[arg-type]


async def alive(storage: AsyncStorage) -> list[str]:
    return [worker.id for worker in await storage.workers.list()]


async def until(condition: Any) -> None:
    """Wait for what a thread does."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - a thread sets no event of ours
            await asyncio.sleep(0)


async def test_a_worker_is_listed_while_it_runs_and_not_after(
    heart: Heartbeater, storage: AsyncStorage, beats: Beats
) -> None:
    async def listed() -> bool:
        return await alive(storage) == ["ada"]

    async with heart.beating():
        await until(listed)

    assert await alive(storage) == []
    assert beats.told[-1] == ("leave", "ada")


async def test_it_beats_again_and_again_and_announces_its_queues_now_and_then(heart: Heartbeater, beats: Beats) -> None:
    async def three() -> bool:
        return beats.count("beat") >= 3

    async with heart.beating():
        await until(three)

    assert beats.told[:3] == [
        ("extend", [JobRef("7")]),
        ("announce", ["default"]),
        ("beat", timedelta(seconds=0.02)),
    ]
    assert beats.count("announce") == 1


def block_until(true: Callable[[], bool]) -> None:
    """Do as a task that does not let go of the loop."""
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends


async def test_it_goes_on_while_a_task_blocks_the_loop_and_says_so(
    heart: Heartbeater, beats: Beats, seen: Recorder
) -> None:
    async def began() -> bool:
        return beats.count("beat") > 0

    async with heart.beating():
        await until(began)
        block_until(lambda: bool(seen.of(LoopBlocked)) and beats.latest is not None and beats.latest.blocked >= 0.05)

    blocked = seen.of(LoopBlocked)[0]
    assert blocked.seconds >= 0.05
    assert blocked.running == ("mail",)


async def test_each_time_that_the_loop_is_blocked_is_told_once(
    heart: Heartbeater, beats: Beats, seen: Recorder
) -> None:
    async def heard() -> bool:
        return not heart._blocked

    async with heart.beating():
        for _ in range(2):
            await until(heard)
            told = len(seen.of(LoopBlocked))
            block_until(lambda told=told: len(seen.of(LoopBlocked)) > told)
            beaten = beats.count("beat")
            block_until(lambda beaten=beaten: beats.count("beat") > beaten + 5)

            assert len(seen.of(LoopBlocked)) == told + 1


@pytest.mark.parametrize("error", [StorageUnavailable("It is away."), RuntimeError("a mistake of ours")])
async def test_a_beat_that_fails_is_told_and_the_next_is_tried(
    heart: Heartbeater, beats: Beats, seen: Recorder, error: Exception
) -> None:
    beats.broken = error
    async with heart.beating():
        failed = await seen.wait_for(ServiceFailed)
        assert (failed.service, failed.error) == ("heartbeater", error)

        beats.broken = None

        async def beaten() -> bool:
            return beats.count("beat") > 0

        await until(beaten)
        assert beats.count("announce") > 0


async def test_a_storage_that_cannot_be_opened_at_first_is_tried_again(
    heart: Heartbeater, beats: Beats, seen: Recorder
) -> None:
    beats.closed_doors = 2

    async def beaten() -> bool:
        return beats.count("beat") > 0

    async with heart.beating():
        await until(beaten)

    assert len(seen.of(ServiceFailed)) == len(seen.of(ServiceBack)) == 1


async def test_an_expired_worker_is_not_listed(heart: Heartbeater, storage: AsyncStorage, beats: Beats) -> None:
    heart.beat(announce=False)
    now = datetime.now(tz=(await storage.workers.list())[0].started_at.tzinfo)

    assert [worker.id for worker in await storage.workers.list(now=now + timedelta(seconds=1))] == []
