"""Enqueueing by the clock: each time once, at its nominal time, and one run for what was missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from engine.stage import Flaky, Stage
from ferryman.cron import Cron, Interval
from ferryman.engine.leader import Leader
from ferryman.engine.periodic import Periodic
from ferryman.engine.service import background
from ferryman.errors import StorageUnavailable
from ferryman.events import JobEnqueued, ServiceFailed
from ferryman.job import Job, NewJob, State
from ferryman.middleware import EnqueueMiddleware
from ferryman.schedules import Schedules
from ferryman.storage.filters import JobFilter
from ferryman.storage.pauses import PERIODIC, Pause, pause_note
from ferryman.task import Tasks
from ferryman.testing import FakeClock, Recorder


class Leading(Leader):
    """A leader by decree."""

    def __init__(self) -> None:
        self.decreed = True
        self.again = asyncio.Event()

    @property
    def leading(self) -> bool:
        return self.decreed

    async def led(self) -> None:
        if not self.decreed:
            await self.again.wait()


@pytest.fixture
def leader() -> Leading:
    return Leading()


def make_periodic(stage: Stage, leader: Leading, *on_enqueue: EnqueueMiddleware, durable: bool = False) -> Periodic:
    entries, outage = stage.tasks.periodic, stage.completer.outage
    return Periodic(
        stage.storage, leader, entries, on_enqueue=on_enqueue, durable=durable, clock=stage.clock, outage=outage
    )


@pytest.fixture
def periodic(stage: Stage, leader: Leading) -> Periodic:
    return make_periodic(stage, leader)


def heartbeat(tasks: Tasks, every: float = 60, *, on_start: bool = False, id: str | None = None) -> Any:
    """Declare a job that runs every so many seconds."""

    @tasks.task(id or "heartbeat", retries=0)
    async def heartbeat() -> None: ...

    tasks.schedule(heartbeat, Interval(timedelta(seconds=every)), f"@every {every}s", id=id, on_start=on_start)
    return heartbeat


async def stored(stage: Stage) -> list[Job]:
    """Return what was enqueued, the oldest first."""
    return list(reversed((await stage.storage.jobs.list(JobFilter(), limit=1000)).items))


async def times(stage: Stage) -> list[float]:
    """Return for when, in seconds since noon."""
    return [(job.scheduled_at - datetime(2026, 1, 1, 12, tzinfo=UTC)).total_seconds() for job in await stored(stage)]


async def test_a_job_that_was_made_beforehand_is_enqueued_as_it_is(
    stage: Stage, tasks: Tasks, periodic: Periodic
) -> None:
    job = NewJob(kind="report", args=b'{"account":7}', metadata={"trace": ["4711"]})  # which has no hash
    Schedules(tasks).add(job, every="1h", on_start=True)

    await periodic.tick()
    await periodic.tick()

    (found,) = await stored(stage)
    assert (found.kind, found.args, found.metadata["trace"]) == ("report", b'{"account":7}', ["4711"])


async def test_a_job_is_enqueued_at_its_times_and_not_before(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock
) -> None:
    heartbeat(tasks)

    for _ in range(13):
        await periodic.tick()
        await clock.advance(15)

    assert await times(stage) == [60, 120, 180]


async def test_it_is_available_at_once_and_says_which_schedule_made_it(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock
) -> None:
    heartbeat(tasks, id="heart.beat")
    await periodic.tick()
    await clock.advance(60)
    await periodic.tick()

    (job,) = await stored(stage)
    assert (job.kind, job.state, job.max_attempts) == ("heart.beat", State.AVAILABLE, 1)
    assert job.metadata["river:periodic_job_id"] == "heart.beat"


async def test_a_job_may_run_at_the_start_too(stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock) -> None:
    heartbeat(tasks, on_start=True)

    await periodic.tick()
    await periodic.tick()
    assert await times(stage) == [0]

    await clock.advance(60)
    await periodic.tick()
    assert await times(stage) == [0, 60]


async def test_what_is_paused_is_left_out_and_goes_on_with_its_next_time(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock
) -> None:
    heartbeat(tasks)
    await periodic.tick()
    await stage.storage.notebook.write([pause_note(PERIODIC, "heartbeat", Pause(clock.now()))], now=clock.stamp())
    for _ in range(2):
        await clock.advance(61)
        await periodic.tick()

    await stage.storage.notebook.erase(PERIODIC, ["heartbeat"])
    await clock.advance(61)
    await periodic.tick()

    assert await times(stage) == [180]


async def ids(stage: Stage) -> list[str]:
    """Return which schedules enqueued."""
    return [job.metadata["river:periodic_job_id"] for job in await stored(stage)]


async def test_a_schedule_that_comes_later_is_taken_up_and_one_that_goes_is_left(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock
) -> None:
    heart = heartbeat(tasks)
    await periodic.tick()
    Schedules(tasks).add(heart, every="1h", on_start=True, id="late")
    await periodic.tick()
    assert await ids(stage) == ["late"]

    Schedules(tasks).remove("heartbeat")
    await clock.advance(120)
    await periodic.tick()
    assert await ids(stage) == ["late"]


async def test_a_schedule_that_is_changed_begins_anew(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock
) -> None:
    heart = heartbeat(tasks, every=3600)
    await periodic.tick()
    Schedules(tasks).remove("heartbeat")
    Schedules(tasks).add(heart, every="1m")
    await periodic.tick()

    await clock.advance(60)
    await periodic.tick()

    assert await times(stage) == [60]


async def test_the_next_time_counts_from_the_nominal_one_before(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock
) -> None:
    heartbeat(tasks)
    await periodic.tick()

    for late in (65, 58, 62):
        await clock.advance(late)
        await periodic.tick()

    assert await times(stage) == [60, 120, 180]


async def test_what_was_missed_is_made_up_for_by_one_run(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock
) -> None:
    heartbeat(tasks)
    await periodic.tick()

    await clock.advance(3600 * 8 + 10)
    for _ in range(3):
        await periodic.tick()
    assert await times(stage) == [60]

    await clock.advance(60)
    await periodic.tick()
    assert await times(stage) == [60, 3600 * 8 + 10 + 60]


async def test_a_cron_line_names_the_times(stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock) -> None:
    @tasks.task("report")
    async def report() -> None: ...

    tasks.schedule(report, Cron.parse("30 13 * * *", tz="UTC"), "30 13 * * *", id=None, on_start=False)

    for _ in range(49):
        await periodic.tick()
        await clock.advance(3600)

    assert await times(stage) == [5400, 5400 + 86_400]


async def test_every_schedule_keeps_its_own_time(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock
) -> None:
    heartbeat(tasks, 60, id="fast")
    heartbeat(tasks, 90, id="slow")

    for _ in range(13):
        await periodic.tick()
        await clock.advance(15)

    assert [job.kind for job in await stored(stage)] == ["fast", "slow", "fast", "fast", "slow"]


async def test_an_insert_that_fails_does_not_lose_the_run(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock, flaky: Flaky
) -> None:
    heartbeat(tasks, on_start=True)
    flaky.break_down()
    with pytest.raises(StorageUnavailable):
        await periodic.tick()

    flaky.recover()
    await periodic.tick()
    assert await times(stage) == [0]

    await clock.advance(60)
    flaky.break_down()
    with pytest.raises(StorageUnavailable):
        await periodic.tick()
    flaky.recover()
    await clock.advance(5)
    await periodic.tick()
    assert await times(stage) == [0, 60]


# Running by itself


@asynccontextmanager
async def running(periodic: Periodic) -> AsyncIterator[None]:
    async with background(periodic.run):
        yield


async def test_by_itself_it_sleeps_from_time_to_time(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock, flaky: Flaky
) -> None:
    heartbeat(tasks, 2)
    async with running(periodic):
        for count in range(1, 4):
            await clock.advance(2)
            await flaky.asked("insert", count)
            await _answered(stage, count)

    assert await times(stage) == [2, 4, 6]


async def _answered(stage: Stage, count: int) -> None:
    async with asyncio.timeout(60):
        while len(await stored(stage)) < count:
            pass


async def test_a_new_leadership_begins_every_schedule_anew(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock, leader: Leading, flaky: Flaky
) -> None:
    heartbeat(tasks, 3600, on_start=True)
    async with running(periodic):
        await flaky.asked("insert", 1)
        await _answered(stage, 1)
        leader.decreed = False
        await clock.advance(10)

        leader.decreed = True
        leader.again.set()
        await flaky.asked("insert", 2)
        await _answered(stage, 2)

    assert await times(stage) == [0, 10]


async def test_in_an_outage_it_tries_once_a_second(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock, flaky: Flaky, seen: Recorder
) -> None:
    heartbeat(tasks, 60, on_start=True)
    flaky.break_down()
    async with running(periodic):
        for tries in range(1, 11):
            await flaky.asked("insert", tries)
            await clock.advance(1)
        await flaky.asked("insert", 11)

    assert flaky.calls.count("insert") == 11
    assert len(seen.of(ServiceFailed)) == 1


async def test_a_job_that_nobody_can_store_is_told_once_and_keeps_no_other_from_its_time(
    stage: Stage, tasks: Tasks, periodic: Periodic, clock: FakeClock, seen: Recorder
) -> None:
    heartbeat(tasks, 60, on_start=True, id="bad")
    heartbeat(tasks, 60, on_start=True, id="good")
    tasks.periodic[0].task.options["queue"] = "No Such Name!"

    async with running(periodic):
        await seen.wait_for(JobEnqueued)
        await clock.advance(5)

    (failed,) = seen.of(ServiceFailed)
    assert failed.service == "periodic bad"
    assert "No Such Name!" in str(failed.error)
    assert [job.kind for job in await stored(stage)] == ["good"]

    tasks.periodic[0].task.options["queue"] = "default"
    await periodic.tick()
    assert [job.kind for job in await stored(stage)] == ["good", "bad"]


# Like any other job on its way in


async def test_what_changes_jobs_on_their_way_in_changes_these_too(stage: Stage, tasks: Tasks, leader: Leading) -> None:
    heartbeat(tasks, on_start=True)

    await make_periodic(stage, leader, lambda job: replace(job, tags=("by-the-clock",))).tick()

    assert (await stored(stage))[0].tags == ("by-the-clock",)


async def test_a_middleware_that_fails_is_told_and_loses_no_run(
    stage: Stage, tasks: Tasks, leader: Leading, seen: Recorder
) -> None:
    heartbeat(tasks, on_start=True)
    errors = [RuntimeError("no tenant")]

    def change(job: NewJob) -> NewJob:
        if errors:
            raise errors.pop()
        return job

    periodic = make_periodic(stage, leader, change)
    await periodic.tick()
    await periodic.tick()

    assert [(event.service, str(event.error)) for event in seen.of(ServiceFailed)] == [
        ("periodic heartbeat", "no tenant")
    ]
    assert await times(stage) == [0]


async def test_it_is_told_that_a_job_was_enqueued(
    stage: Stage, tasks: Tasks, periodic: Periodic, seen: Recorder
) -> None:
    heartbeat(tasks, on_start=True)

    await periodic.tick()

    (job,) = await stored(stage)
    assert seen.events == [JobEnqueued(job.ref, "heartbeat", "default", duplicate=False)]


# Durable schedules


@pytest.fixture
def leaders(stage: Stage, leader: Leading) -> Any:
    """Make the schedule of a new leader, who knows only what is kept."""
    return lambda: make_periodic(stage, leader, durable=True)


async def test_a_new_leader_goes_on_with_a_durable_schedule(
    stage: Stage, tasks: Tasks, leaders: Any, clock: FakeClock
) -> None:
    heartbeat(tasks, 3600)
    for _ in range(5):  # none of them leads for as long as an hour
        await leaders().tick()
        await clock.advance(1500)

    assert await times(stage) == [3600]

    await leaders().tick()
    assert await times(stage) == [3600, 7200]


async def test_a_durable_schedule_runs_at_the_start_only_the_first_time(
    stage: Stage, tasks: Tasks, leaders: Any, clock: FakeClock
) -> None:
    heartbeat(tasks, 3600, on_start=True)

    await leaders().tick()
    await clock.advance(1800)
    await leaders().tick()
    assert await times(stage) == [0]

    await clock.advance(1800)
    await leaders().tick()
    assert await times(stage) == [0, 3600]


async def test_what_no_leader_was_there_for_is_made_up_for_by_one_run(
    stage: Stage, tasks: Tasks, leaders: Any, clock: FakeClock
) -> None:
    heartbeat(tasks, 3600)
    await leaders().tick()

    await clock.advance(10 * 3600 + 60)
    for _ in range(2):
        await leaders().tick()

    assert await times(stage) == [3600]


async def test_a_durable_schedule_that_was_changed_begins_anew(
    stage: Stage, tasks: Tasks, leader: Leading, leaders: Any, clock: FakeClock
) -> None:
    heartbeat(tasks, 3600)
    await leaders().tick()
    changed = Tasks()
    heartbeat(changed, 7200)
    stage.tasks = changed

    await clock.advance(3600)
    await leaders().tick()
    assert await times(stage) == []

    await clock.advance(7200)
    await leaders().tick()
    assert await times(stage) == [3600 + 7200]


async def test_a_run_that_was_not_stored_stays_due_for_the_next_leader(
    stage: Stage, tasks: Tasks, leaders: Any, clock: FakeClock, flaky: Flaky
) -> None:
    heartbeat(tasks, 3600)
    await leaders().tick()
    await clock.advance(3600)
    flaky.before = _insert_fails
    with pytest.raises(StorageUnavailable):
        await leaders().tick()

    flaky.before = _nothing
    await leaders().tick()
    assert await times(stage) == [3600]


async def _insert_fails(verb: str) -> None:
    if verb == "insert":
        raise StorageUnavailable("The storage is away.")


async def _nothing(verb: str) -> None: ...
