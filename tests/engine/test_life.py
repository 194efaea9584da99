"""Whatever happens to jobs, and in whatever order: attempts are counted right, and what is final stays."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.stage import Stage
from ferryman.engine.rescuer import Rescuer
from ferryman.engine.scheduler import Scheduler
from ferryman.job import FINAL, Job, JobRef, State
from ferryman.outcome import Cancel, Discard, Finished, Released, Snooze
from ferryman.storage.river.sqlite._async.storage import AsyncSqliteStorage
from ferryman.storage.river.sqlite.location import Location
from ferryman.task import Tasks
from ferryman.testing import FakeClock, Recorder

RAISED: Mapping[str, Exception] = {
    "fails": ValueError("no"),
    "snoozes": Snooze("10m"),
    "cancels itself": Cancel("enough"),
    "gives up": Discard("enough"),
}
ENDS = {"works": State.COMPLETED, "cancels itself": State.CANCELLED, "gives up": State.DISCARDED}
EVENTS = [*RAISED, "works", "is given back", "is lost with its worker", "is cancelled from outside"]

Life = tuple[int, list[str]]
LIVES = st.lists(st.tuples(st.integers(1, 4), st.lists(st.sampled_from(EVENTS), max_size=8)), min_size=1, max_size=4)


class Expected:
    """What should be known of a job by now."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.attempts = 0
        self.failures = 0
        self.final: State | None = None

    def happened(self, event: str) -> None:
        if event in ("snoozes", "is given back"):
            return
        self.attempts += 1
        self.failures += event != "works"
        if event == "is cancelled from outside":
            self.final = State.CANCELLED
        elif event in ENDS:
            self.final = ENDS[event]
        elif self.attempts == self.most:
            self.final = State.DISCARDED


class World:
    """Jobs, a worker, and whoever saves jobs from dead ones."""

    def __init__(self, storage: Any) -> None:
        tasks, clock, seen = Tasks(), FakeClock(), Recorder()
        self.stage = Stage(storage, tasks, clock, seen)
        self.rescuer = Rescuer(storage, tasks, timedelta(hours=1), None, 300.0, "leave", clock, seen.bus)
        self.scheduler = Scheduler(storage, clock, seen.bus)
        self.events: dict[str, str] = {}

        @tasks.task("live")
        async def live(job: Job) -> None:
            event = self.events[job.id]
            if event == "is cancelled from outside":
                self.stage.executor.cancel(job.ref)
                await asyncio.sleep(0)
            elif event != "works":
                raise RAISED[event]

        self.live = live

    async def happens(self, events: Mapping[str, str]) -> None:
        """Let everybody take and run what there is; each job meets what is in store for it."""
        self.events |= events
        taken = await self.stage.take()
        assert {job.id for job in taken} == set(events)
        beyond_us = {
            job.id: job for job in taken if events[job.id].startswith("is ") and "cancelled" not in events[job.id]
        }
        self.stage.executor.start(job for job in taken if job.id not in beyond_us)
        for job in beyond_us.values():
            if events[job.id] == "is given back":
                self.stage.completer.add(Finished(job, Released()), 0.0)
        await asyncio.gather(*[attempt.task for attempt in self.stage.executor.running if attempt.task is not None])
        while self.stage.completer.backlog:
            await self.stage.completer.flush()
        await self.stage.clock.advance(86_400)
        await self.rescuer.tick()
        await self.stage.clock.advance(86_400)
        await self.scheduler.tick()


async def live_through(lives: list[Life]) -> None:
    async with AsyncSqliteStorage(Location("")) as storage:
        world = World(storage)
        ids = await world.stage.store(*[world.live.using(retries=most - 1).job() for most, _ in lives])
        stories = {id: list(events) for id, (_, events) in zip(ids, lives, strict=True)}
        expected = {id: Expected(most) for id, (most, _) in zip(ids, lives, strict=True)}
        while now := {id: stories[id].pop(0) if stories[id] else "works" for id in ids if expected[id].final is None}:
            await world.happens(now)
            for id, event in now.items():
                expected[id].happened(event)
            for id in ids:
                check(await storage.jobs.get(JobRef(id)), expected[id])


def check(job: Job, expected: Expected) -> None:
    assert (job.attempt, len(job.errors)) == (expected.attempts, expected.failures)
    assert job.attempt <= job.max_attempts == expected.most
    assert job.state is (expected.final or State.AVAILABLE)
    assert (job.finalized_at is not None) is (job.state in FINAL)


@settings(max_examples=60)
@given(LIVES)
def test_every_life_ends_as_it_should_and_its_attempts_are_counted_right(lives: list[Life]) -> None:
    asyncio.run(live_through(lives))
