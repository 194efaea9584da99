"""Taking jobs: while there is room, in order of the queues' weights, until told to stop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine.stage import Flaky, Stage
from ferryman.engine.fetcher import Fetcher, shares
from ferryman.errors import StorageUnavailable
from ferryman.events import JobFinished, JobsFetched, JobStarted, StorageBack, StorageLost
from ferryman.job import JobRef, NewJob, State
from ferryman.outcome import Cancelled, Released
from ferryman.storage.filters import JobFilter
from ferryman.task import Task, Tasks
from ferryman.testing import FakeClock, Recorder


@asynccontextmanager
async def fetching(fetcher: Fetcher) -> AsyncIterator[asyncio.Task[None]]:
    """Run a fetcher beside the block, and stop it at its end."""
    running = asyncio.create_task(fetcher.run())
    try:
        yield running
    finally:
        fetcher.stop()
        await running


@pytest.fixture
def gate() -> asyncio.Event:
    """What jobs of `wait` wait for."""
    return asyncio.Event()


@pytest.fixture
def wait(tasks: Tasks, gate: asyncio.Event) -> Task[[], None]:
    """A job that ends when the gate opens."""

    @tasks.task("wait")
    async def wait() -> None:
        await gate.wait()

    return wait


@pytest.fixture(autouse=True, params=[False, True], ids=["one at a time", "the next ahead"])
def ahead(request: pytest.FixtureRequest, stage: Stage) -> bool:
    """Whether the storage wants to be asked for the next jobs while the last ones begin: all else stays the same."""
    stage.storage.fetches_ahead = request.param
    return bool(request.param)


async def counts(stage: Stage) -> dict[State, int]:
    return dict(await stage.storage.jobs.count(JobFilter()))


# Ahead


async def test_the_next_are_on_their_way_before_the_last_begin(
    stage: Stage, wait: Task[[], None], flaky: Flaky, gate: asyncio.Event, seen: Recorder
) -> None:
    stage.storage.fetches_ahead = True
    await stage.store(*[wait.job()] * 20)
    asked_before: list[int] = []

    async def note(verb: str) -> None:
        if verb == "fetch":
            asked_before.append(len(seen.of(JobStarted)))

    flaky.before = note
    async with stage.writing(), fetching(stage.fetcher()):
        for _ in range(10):
            await seen.wait_for(JobStarted)
        gate.set()

    assert asked_before[:2] == [0, 0]


async def test_jobs_that_run_for_long_leave_both_halves_of_the_turn_to_the_others(
    stage: Stage, wait: Task[[], None], gate: asyncio.Event, seen: Recorder
) -> None:
    stage.storage.fetches_ahead = True
    await stage.store(*[wait.job()] * 6)
    fetcher = stage.fetcher()

    async with stage.writing(), fetching(fetcher):
        for _ in range(6):
            await seen.wait_for(JobStarted)
        await stage.store(*[wait.job()] * 20)
        fetcher.nudge()
        for _ in range(4):
            await seen.wait_for(JobStarted)
        taken = [event.count for event in seen.of(JobsFetched)]
        gate.set()

    assert taken == [5, 1, 2, 2]


async def test_what_is_on_its_way_when_told_to_stop_is_begun_all_the_same(
    stage: Stage, tasks: Tasks, seen: Recorder
) -> None:
    """The storage has handed these jobs over: nobody else would run them."""
    stage.storage.fetches_ahead = True
    fetcher = stage.fetcher()

    @tasks.task("mail")
    async def mail() -> None:
        fetcher.stop()

    await stage.store(*[mail.job()] * 20)

    async with stage.writing():
        await fetcher.run()
        for _ in range(10):
            await seen.wait_for(JobFinished)

    assert (await counts(stage))[State.AVAILABLE] == 10


# Room


async def test_it_never_takes_more_jobs_than_there_are_free_slots(
    stage: Stage, wait: Task[[], None], gate: asyncio.Event, seen: Recorder
) -> None:
    await stage.store(*[wait.job()] * 5)
    stage.make_executor(slots=2)

    async with stage.writing(), fetching(stage.fetcher()):
        for _ in range(2):
            await seen.wait_for(JobStarted)
        assert await counts(stage) == {State.AVAILABLE: 3, State.RUNNING: 2}
        gate.set()
        for _ in range(5):
            await seen.wait_for(JobFinished)

    assert sum(event.count for event in seen.of(JobsFetched)) == 5
    assert max(event.count for event in seen.of(JobsFetched)) <= 2


async def test_a_nudge_is_enough_to_look_again(stage: Stage, wait: Task[[], None], seen: Recorder) -> None:
    stage.executor.slots = 1
    fetcher = stage.fetcher(poll=3600)
    async with fetching(fetcher):
        await stage.store(wait.job())
        fetcher.nudge()

        await seen.wait_for(JobStarted)

        stage.executor.cancel(stage.executor.running[0].job.ref)


async def test_without_a_nudge_it_polls(
    stage: Stage, wait: Task[[], None], seen: Recorder, gate: asyncio.Event
) -> None:
    gate.set()
    async with fetching(stage.fetcher(poll=0.001)):
        await stage.store(wait.job())

        await seen.wait_for(JobStarted)


async def test_too_many_unwritten_outcomes_keep_it_from_taking_more(
    stage: Stage, tasks: Tasks, flaky: Flaky, seen: Recorder
) -> None:
    @tasks.task("mail")
    async def mail() -> None: ...

    await stage.store(*[mail.job()] * 30)
    fetcher = stage.fetcher()
    fetcher._most_unwritten = 20

    async with fetching(fetcher):
        for _ in range(20):
            await seen.wait_for(JobStarted)
        fetcher.nudge()
        for _ in range(3):
            assert await counts(stage) == {State.AVAILABLE: 10, State.RUNNING: 20}

        async with stage.writing():
            await stage.completer.written()
            fetcher.nudge()
            for _ in range(30):
                await seen.wait_for(JobFinished)


# Stopping


async def test_stop_is_heard_while_all_slots_are_taken(stage: Stage, wait: Task[[], None], seen: Recorder) -> None:
    await stage.store(wait.job())
    stage.make_executor(slots=1)
    fetcher = stage.fetcher(poll=3600)
    running = asyncio.create_task(fetcher.run())
    await seen.wait_for(JobStarted)

    fetcher.stop()
    await asyncio.wait_for(running, 60)

    assert stage.executor.free == 0
    stage.executor.cancel(stage.executor.running[0].job.ref)


async def test_stop_is_heard_while_there_is_nothing_to_do(stage: Stage) -> None:
    fetcher = stage.fetcher(poll=3600)
    running = asyncio.create_task(fetcher.run())
    await asyncio.sleep(0)

    fetcher.stop()

    await asyncio.wait_for(running, 60)


async def test_stop_before_the_start_takes_nothing(stage: Stage, wait: Task[[], None]) -> None:
    await stage.store(wait.job())
    fetcher = stage.fetcher()
    fetcher.stop()

    await fetcher.run()

    assert await counts(stage) == {State.AVAILABLE: 1}


async def test_a_quiet_fetcher_takes_nothing_more_and_stays(
    stage: Stage, wait: Task[[], None], gate: asyncio.Event, seen: Recorder
) -> None:
    stage.make_executor(slots=1)
    await stage.store(wait.job(), wait.job())
    fetcher = stage.fetcher()
    async with stage.writing(), fetching(fetcher) as running:
        await seen.wait_for(JobStarted)

        fetcher.quiet = True
        gate.set()
        await seen.wait_for(JobFinished)
        fetcher.nudge()
        await asyncio.sleep(0)

        assert await counts(stage) == {State.AVAILABLE: 1, State.COMPLETED: 1}
        assert not running.done()


async def held_in_flight(stage: Stage, flaky: Flaky, fetcher: Fetcher) -> tuple[asyncio.Task[None], asyncio.Event]:
    """Run a fetcher up to the middle of a fetch; return what it runs in, and what lets the fetch go on."""
    go_on, asked = asyncio.Event(), asyncio.Event()

    async def before(name: str) -> None:
        if name == "fetch":
            asked.set()
            await go_on.wait()

    flaky.before = before
    running = asyncio.create_task(fetcher.run())
    await asked.wait()
    return running, go_on


async def test_jobs_that_come_after_stop_was_said_are_run(
    stage: Stage, flaky: Flaky, wait: Task[[], None], gate: asyncio.Event, seen: Recorder
) -> None:
    gate.set()
    await stage.store(wait.job())
    fetcher = stage.fetcher()
    running, go_on = await held_in_flight(stage, flaky, fetcher)

    fetcher.stop()
    go_on.set()
    await running

    await seen.wait_for(JobStarted)


@pytest.mark.parametrize("times", [1, 2])
async def test_cancelling_a_fetch_in_flight_loses_no_job(
    stage: Stage, flaky: Flaky, wait: Task[[], None], times: int
) -> None:
    (id,) = await stage.store(wait.job())
    running, go_on = await held_in_flight(stage, flaky, stage.fetcher())

    for _ in range(times):
        running.cancel()
        await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait([running])

    assert running.cancelled()
    (attempt,) = stage.executor.running
    assert attempt.job.id == id
    await stage.executor.drain(0, asyncio.Event())
    assert (await stage.finished(attempt.job)).outcome == Released()


async def test_cancelling_a_fetch_that_fails_is_still_being_cancelled(stage: Stage, flaky: Flaky) -> None:
    running, go_on = await held_in_flight(stage, flaky, stage.fetcher())

    flaky.break_down()
    running.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait([running])

    assert running.cancelled()


async def test_a_job_that_is_cancelled_on_its_way_here_never_runs(
    stage: Stage, flaky: Flaky, wait: Task[[], None], seen: Recorder
) -> None:
    first, second = await stage.store(wait.job(), wait.job())
    fetcher = stage.fetcher()
    running, go_on = await held_in_flight(stage, flaky, fetcher)

    fetcher.cancel(JobRef(first))
    fetcher.stop()
    go_on.set()
    await running

    assert (await seen.wait_for(JobStarted, lambda event: event.job.id == second)).job.attempt == 1
    async with stage.writing():
        ended = await seen.wait_for(JobFinished, lambda event: event.job.id == first)
    assert isinstance(ended.outcome, Cancelled)
    assert [attempt.job.id for attempt in stage.executor.running] == [second]


# A burst, and a number of jobs


async def test_a_burst_ends_when_nothing_is_left(stage: Stage, tasks: Tasks, seen: Recorder) -> None:
    @tasks.task("mail")
    async def mail() -> None: ...

    await stage.store(*[mail.job()] * 25)

    async with stage.writing():
        await stage.fetcher(burst=True).run()

    assert await counts(stage) == {State.COMPLETED: 25}


async def test_a_burst_runs_what_its_jobs_enqueue(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("parent")
    async def parent() -> None:
        await stage.store(NewJob(kind="child"))

    @tasks.task("child")
    async def child() -> None: ...

    await stage.store(parent.job())
    async with stage.writing():
        await stage.fetcher(burst=True).run()

    assert await counts(stage) == {State.COMPLETED: 2}


async def test_a_burst_runs_again_what_is_to_be_tried_at_once(
    stage: Stage, flaky: Flaky, tasks: Tasks, seen: Recorder
) -> None:
    @tasks.task("mail", retries=1, backoff=0)
    async def mail() -> None:
        raise ValueError("no such mailbox")

    async def before(name: str) -> None:
        if name == "finish" and flaky.calls.count("finish") == 1:  # two fetches overtake the first writing
            await flaky.asked("fetch", 3)

    flaky.before = before
    await stage.store(mail.job())
    async with stage.writing():
        await stage.fetcher(burst=True).run()

    assert await counts(stage) == {State.DISCARDED: 1}


async def test_a_burst_without_jobs_ends_at_once(stage: Stage) -> None:
    await stage.fetcher(burst=True).run()


async def test_it_ends_after_a_number_of_jobs(stage: Stage, tasks: Tasks, seen: Recorder) -> None:
    @tasks.task("mail")
    async def mail() -> None: ...

    await stage.store(*[mail.job()] * 10)

    async with stage.writing():
        await stage.fetcher(max_jobs=3).run()
        for _ in range(3):
            await seen.wait_for(JobFinished)

    assert await counts(stage) == {State.AVAILABLE: 7, State.COMPLETED: 3}


# Kinds


async def test_only_its_kinds_are_taken(stage: Stage, wait: Task[[], None], gate: asyncio.Event) -> None:
    gate.set()
    await stage.store(wait.job(), NewJob(kind="written-in-go"))

    async with stage.writing():
        await stage.fetcher(burst=True, kinds=frozenset({"wait"})).run()

    assert await counts(stage) == {State.COMPLETED: 1, State.AVAILABLE: 1}


async def test_every_kind_is_taken_when_it_is_told_so(stage: Stage) -> None:
    await stage.store(NewJob(kind="written-in-go", max_attempts=1))

    async with stage.writing():
        await stage.fetcher(burst=True, kinds=None).run()

    assert await counts(stage) == {State.DISCARDED: 1}


# Queues


def test_one_queue_gets_all_the_room() -> None:
    assert shares({"default": 3}, 7, strict=False) == [("default", 7)]


def test_strictly_the_heaviest_goes_first_and_may_fill_the_room() -> None:
    queues = {"low": 1, "critical": 6, "default": 3}

    assert shares(queues, 7, strict=True) == [("critical", 7), ("default", 7), ("low", 7)]


def test_by_weight_each_queue_gets_its_share() -> None:
    queues = {"low": 1, "critical": 6, "default": 3}

    for _ in range(50):
        assert dict(shares(queues, 10, strict=False)) == queues


@pytest.mark.parametrize("room", [1, 2, 5, 13, 100])
def test_shares_fill_the_room_and_no_more(room: int) -> None:
    for _ in range(50):
        assert sum(most for _, most in shares({"low": 1, "critical": 6, "default": 3}, room, strict=False)) == room


def test_over_time_a_queue_is_first_as_often_as_it_weighs() -> None:
    first = Counter(shares({"low": 1, "critical": 6, "default": 3}, 1, strict=False)[0][0] for _ in range(4_000))

    assert 0.55 < first["critical"] / 4_000 < 0.65
    assert 0.25 < first["default"] / 4_000 < 0.35
    assert 0.07 < first["low"] / 4_000 < 0.13


@pytest.mark.parametrize("slots", [1, 2, 10])
@pytest.mark.parametrize("where", ["low", "critical"])
async def test_what_one_queue_leaves_goes_to_the_next_at_once(
    stage: Stage, wait: Task[[], None], slots: int, where: str, seen: Recorder
) -> None:
    stage.make_executor(slots=slots)
    await stage.store(*[wait.using(queue=where).job()] * 10)

    async with fetching(stage.fetcher(queues={"low": 1, "critical": 6, "default": 3}, poll=3600)):
        for _ in range(slots):
            await seen.wait_for(JobStarted)
        for attempt in stage.executor.running:
            stage.executor.cancel(attempt.job.ref)


async def test_strictly_the_lighter_queue_waits_until_the_heavier_is_empty(
    stage: Stage, tasks: Tasks, seen: Recorder
) -> None:
    @tasks.task("mail")
    async def mail() -> None: ...

    stage.make_executor(slots=2)
    await stage.store(*[mail.using(queue="low").job()] * 3, *[mail.using(queue="critical").job()] * 3)
    async with stage.writing():
        await stage.fetcher(queues={"low": 1, "critical": 6}, strict=True, burst=True).run()

    order = [event.job.queue for event in seen.of(JobStarted)]
    assert order == ["critical"] * 3 + ["low"] * 3


async def test_a_second_question_that_fails_loses_nothing_of_the_first(
    stage: Stage, flaky: Flaky, wait: Task[[], None], gate: asyncio.Event, seen: Recorder
) -> None:
    gate.set()
    await stage.store(*[wait.using(queue="low").job()] * 10)

    async def before(name: str) -> None:
        if name == "fetch" and flaky.calls.count("fetch") == 2:
            raise StorageUnavailable("The storage is away.")

    flaky.before = before
    fetcher = stage.fetcher(queues={"low": 1, "critical": 1}, poll=0.001)
    async with stage.writing(), fetching(fetcher):
        for _ in range(10):
            await seen.wait_for(JobFinished)


# Outages


async def test_an_outage_is_told_once_and_so_is_its_end(
    stage: Stage, flaky: Flaky, wait: Task[[], None], gate: asyncio.Event, seen: Recorder, clock: FakeClock
) -> None:
    gate.set()
    await stage.store(wait.job())
    flaky.break_down()
    fetcher = stage.fetcher()

    async with stage.writing(), fetching(fetcher):
        await seen.wait_for(StorageLost)
        for times in range(2, 5):
            fetcher.nudge()
            await flaky.asked("fetch", times)
        flaky.recover()
        fetcher.nudge()
        await seen.wait_for(JobFinished)

    assert [type(event) for event in seen.events if isinstance(event, StorageLost | StorageBack)] == [
        StorageLost,
        StorageBack,
    ]


async def test_it_asks_less_and_less_often_while_the_storage_is_away(stage: Stage) -> None:
    fetcher: Any = stage.fetcher(poll=1.0)
    pauses = []
    for failures in range(8):
        fetcher._failures = failures
        pauses.append(fetcher._pause())

    assert pauses == [1.0, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
