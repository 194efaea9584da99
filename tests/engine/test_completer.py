"""Writing what became of jobs: in batches, through outages and refusals, and to the last one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from engine.stage import Flaky, Stage
from ferryman.engine import completer as module
from ferryman.errors import SchemaOutOfDate, StorageError, StorageUnavailable
from ferryman.events import JobFinished, ServiceBack, ServiceFailed, StorageBack, StorageLost
from ferryman.job import AttemptError, Job, NewJob, State
from ferryman.outcome import Completed, Discarded, Finished, Outcome, Retry
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.filters import JobFilter
from ferryman.testing import FakeClock, Recorder


async def running(stage: Stage, count: int = 1) -> list[Job]:
    """Store jobs and take them."""
    await stage.store(*[NewJob(kind="mail")] * count)
    return await stage.take(count)


def end(stage: Stage, jobs: list[Job], outcome: Outcome | None = None) -> None:
    for job in jobs:
        stage.completer.add(Finished(job, outcome or Completed()), 0.5)


async def counts(stage: Stage) -> dict[State, int]:
    return dict(await stage.storage.jobs.count(JobFilter()))


def held_up(flaky: Flaky) -> tuple[asyncio.Event, asyncio.Event]:
    """Hold a writing in the middle: return what is set when it is there, and what lets it go on."""
    there, go_on = asyncio.Event(), asyncio.Event()

    async def before(name: str) -> None:
        if name == "finish":
            there.set()
            await go_on.wait()

    flaky.before = before
    return there, go_on


# Batches


async def test_what_ends_together_is_written_together(stage: Stage, flaky: Flaky) -> None:
    end(stage, await running(stage, 100))

    await stage.completer.flush()

    assert flaky.calls.count("finish") == 1
    assert await counts(stage) == {State.COMPLETED: 100}


async def test_while_one_batch_is_written_the_next_gathers(stage: Stage, flaky: Flaky, seen: Recorder) -> None:
    jobs = await running(stage, 10)
    there, go_on = held_up(flaky)
    async with stage.writing():
        end(stage, jobs[:1])
        await there.wait()
        end(stage, jobs[1:])
        go_on.set()
        for _ in range(10):
            await seen.wait_for(JobFinished)

    assert flaky.calls.count("finish") == 2


async def test_a_writing_that_somebody_holds_up_is_told_of_once_and_so_is_its_end(
    stage: Stage, flaky: Flaky, seen: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SLOW", 0.01)
    _, go_on = held_up(flaky)
    async with stage.writing():
        end(stage, await running(stage, 2))
        told = await seen.wait_for(ServiceFailed)
        go_on.set()
        await seen.wait_for(ServiceBack)

    assert (told.service, str(told.error)[:24]) == ("completer", "2 outcomes wait for 0.01")
    assert await counts(stage) == {State.COMPLETED: 2}
    assert len(seen.of(ServiceFailed)) == 1


async def test_an_outcome_whose_row_somebody_holds_is_written_later_and_keeps_no_other_waiting(
    stage: Stage, storage: AsyncStorage, seen: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, free = await running(stage, 2)
    finish, is_held = storage.jobs.finish, True

    async def finish_what_is_free(finished: list[Finished], **said: Any) -> list[State | None]:
        return [
            State.RUNNING if is_held and each.job == held else (await finish([each], **said))[0] for each in finished
        ]

    monkeypatch.setattr(storage.jobs, "finish", finish_what_is_free)
    monkeypatch.setattr(module, "_SLOW", 0.3)
    async with stage.writing():
        end(stage, [held, free])
        assert (await seen.wait_for(JobFinished)).job == free
        assert str((await seen.wait_for(ServiceFailed)).error)[:12] == "1 outcomes w"
        is_held = False
        assert await seen.wait_for(JobFinished) == JobFinished(held, Completed(), State.COMPLETED, 0.5)
        await seen.wait_for(ServiceBack)


async def test_what_is_being_written_counts_as_unwritten(stage: Stage, flaky: Flaky) -> None:
    there, go_on = held_up(flaky)
    end(stage, await running(stage, 3))
    assert stage.completer.backlog == 3

    async with stage.writing():
        await there.wait()
        assert stage.completer.backlog == 3
        go_on.set()
        await stage.completer.written()

    assert stage.completer.backlog == 0


async def test_a_job_that_is_no_longer_ours_is_told_as_such(stage: Stage, clock: FakeClock, seen: Recorder) -> None:
    (job,) = await running(stage)
    rescued = Finished(job, Discarded(AttemptError(clock.now(), 1, "lost")))
    job_with_time = await stage.get(job.id)
    await stage.storage.jobs.rescue([Finished(job_with_time, rescued.outcome)], now=clock.now())

    end(stage, [job])
    await stage.completer.flush()

    assert [(event.job, event.state) for event in seen.of(JobFinished)] == [(job, None)]
    assert await counts(stage) == {State.DISCARDED: 1}


# Nothing is lost


async def test_cancelling_it_in_the_middle_of_a_write_loses_no_outcome(stage: Stage, flaky: Flaky) -> None:
    end(stage, await running(stage, 3))
    there, _ = held_up(flaky)
    writing = asyncio.create_task(stage.completer.run())
    await there.wait()

    writing.cancel()
    await asyncio.wait([writing])
    assert stage.completer.backlog == 3

    flaky.before = lambda name: asyncio.sleep(0)
    async with stage.completer:
        pass
    assert await counts(stage) == {State.COMPLETED: 3}


async def test_what_is_put_back_stays_in_front(stage: Stage, flaky: Flaky, seen: Recorder) -> None:
    first, second = await running(stage, 2)
    there, go_on = held_up(flaky)
    end(stage, [first])
    writing = asyncio.create_task(stage.completer.run())
    await there.wait()
    end(stage, [second])
    writing.cancel()
    await asyncio.wait([writing])

    go_on.set()
    await stage.completer.flush()

    assert [event.job for event in seen.of(JobFinished)] == [first, second]


@pytest.mark.parametrize("error", [StorageUnavailable("It is away."), SchemaOutOfDate("Run: ferryman migrate up")])
async def test_an_outage_loses_no_outcome(
    stage: Stage, flaky: Flaky, clock: FakeClock, seen: Recorder, error: StorageError
) -> None:
    jobs = await running(stage, 3)
    flaky.broken = error
    async with stage.writing():
        end(stage, jobs)
        await seen.wait_for(StorageLost)
        for _ in range(10):
            await clock.advance(5)
        flaky.recover()
        await clock.advance(5)
        for _ in range(3):
            await seen.wait_for(JobFinished)

    assert await counts(stage) == {State.COMPLETED: 3}
    told = [type(event) for event in seen.events if isinstance(event, StorageLost | StorageBack | ServiceFailed)]
    assert told == [StorageLost, StorageBack]


async def test_it_tries_less_and_less_often(stage: Stage, flaky: Flaky, clock: FakeClock, seen: Recorder) -> None:
    tried: list[timedelta] = []

    async def before(name: str) -> None:
        tried.append(clock.now() - start)

    end(stage, await running(stage))
    start, flaky.before = clock.now(), before
    flaky.break_down()
    async with stage.writing():
        await seen.wait_for(StorageLost)
        await clock.advance(20)

    assert [after.total_seconds() for after in tried] == [0, 0.2, 0.7, 1.7, 3.7, 8.7, 13.7, 18.7]


async def test_after_an_outage_it_is_as_patient_as_before(
    stage: Stage, flaky: Flaky, clock: FakeClock, seen: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    answers = iter([False, False, False, True, False, True])
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def before(name: str) -> None:
        flaky.broken = None if next(answers) else StorageUnavailable("It is away.")

    monkeypatch.setattr(clock, "sleep", sleep)
    end(stage, await running(stage, 2))
    flaky.before = before
    async with stage.writing():
        for _ in range(2):
            await seen.wait_for(JobFinished)

    assert slept == [0.2, 0.5, 1.0, 0.2]


async def test_an_outage_while_stopping_is_waited_out_for_a_moment(
    stage: Stage, flaky: Flaky, clock: FakeClock, seen: Recorder
) -> None:
    end(stage, await running(stage))
    flaky.break_down()
    closing = asyncio.create_task(stage.completer.__aexit__(None, None, None))
    await seen.wait_for(StorageLost)

    flaky.recover()
    await clock.advance(0.2)
    await closing

    assert await counts(stage) == {State.COMPLETED: 1}


async def test_an_outage_does_not_keep_a_worker_from_stopping(
    stage: Stage, flaky: Flaky, clock: FakeClock, seen: Recorder
) -> None:
    end(stage, await running(stage))
    flaky.break_down()
    closing = asyncio.create_task(stage.completer.__aexit__(None, None, None))
    await seen.wait_for(StorageLost)

    await clock.advance(0.7)
    await closing

    assert flaky.calls.count("finish") == 3
    assert stage.completer.backlog == 1
    assert len(seen.of(StorageLost)) == 1


async def test_waiting_for_the_last_outcomes_ends_with_an_outage(stage: Stage, flaky: Flaky, seen: Recorder) -> None:
    end(stage, await running(stage))
    flaky.break_down()

    async with stage.writing():
        await stage.completer.written()

    assert stage.completer.backlog == 1


# Refusals


def refusing(flaky: Flaky, stage: Stage, error: Exception, refused: Any) -> None:
    """Make the storage refuse every batch with an outcome for which `refused` is true."""
    finish = flaky.jobs.finish

    async def choosy(finished: list[Finished], **said: Any) -> Any:
        if any(refused(each) for each in finished):
            raise error
        return await finish(finished, **said)

    flaky.jobs.finish = choosy


NO_NUL = StorageError("The storage takes no NUL.")


@pytest.mark.parametrize("error", [NO_NUL, ValueError("a mistake of ours")])
async def test_an_outcome_that_is_refused_keeps_no_other_from_being_written(
    stage: Stage, flaky: Flaky, seen: Recorder, error: Exception
) -> None:
    refusing(flaky, stage, error, lambda each: each.outcome == Completed(b'"\\u0000"'))
    first, second, third = await running(stage, 3)
    end(stage, [first])
    end(stage, [second], Completed(b'"\\u0000"'))
    end(stage, [third])

    async with stage.writing():
        for _ in range(3):
            await seen.wait_for(JobFinished)

    assert await counts(stage) == {State.COMPLETED: 3}
    assert seen.of(ServiceFailed) == [ServiceFailed("completer", error)]
    assert seen.of(StorageLost) == []


async def test_a_refused_error_is_written_in_plain_words(
    stage: Stage, flaky: Flaky, clock: FakeClock, seen: Recorder
) -> None:
    refusing(flaky, stage, NO_NUL, lambda each: "\0" in each.outcome.error.error)
    (job,) = await running(stage)
    end(stage, [job], Retry(clock.now() + timedelta(hours=1), AttemptError(clock.now(), 1, "café \0", "trace")))

    async with stage.writing():
        assert (await seen.wait_for(JobFinished)).state is State.RETRYABLE

    stored = await stage.get(job.id)
    assert stored.error is not None
    assert stored.error.error == "caf? ?"


async def test_an_outcome_that_is_refused_in_every_form_is_left_to_the_rescuer(
    stage: Stage, flaky: Flaky, seen: Recorder
) -> None:
    bad, good = await running(stage, 2)
    refusing(flaky, stage, NO_NUL, lambda each: each.job == bad)
    end(stage, [bad], Completed(b"1"))
    end(stage, [good])

    async with stage.writing():
        await seen.wait_for(JobFinished)
        await stage.completer.written()

    assert await counts(stage) == {State.RUNNING: 1, State.COMPLETED: 1}
    assert len(seen.of(ServiceFailed)) == 2


async def test_batches_grow_again_after_a_refusal(stage: Stage, flaky: Flaky, seen: Recorder) -> None:
    jobs = await running(stage, 10)
    refusing(flaky, stage, NO_NUL, lambda each: each.outcome == Completed(b"1"))
    async with stage.writing():
        end(stage, jobs[:1], Completed(b"1"))
        await stage.completer.written()
        before = flaky.calls.count("finish")
        end(stage, jobs[1:])
        await stage.completer.written()

    assert flaky.calls.count("finish") == before + 1
    assert module.BATCH >= 1_000
