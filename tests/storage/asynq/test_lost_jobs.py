"""Jobs whose worker died: a lease that ran out says so, whatever else is known of them (spec/asynq.md 4.5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ferryman.engine.rescuer import Rescuer
from ferryman.events import JobFinished, JobsRescued
from ferryman.job import State
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.task import Tasks
from ferryman.testing import FakeClock, Recorder
from storage._async.acts import run
from storage.samples import NOW, later, mail


@pytest.fixture
def seen() -> Recorder:
    return Recorder()


@pytest.fixture
def rescuer(storage: AsyncRedisStorage, seen: Recorder) -> Rescuer:
    """One that knows how to mail and nothing else, a minute after noon."""
    tasks = Tasks()

    @tasks.task("mail", timeout="6h")
    async def mail() -> None: ...

    return Rescuer(storage, tasks, timedelta(hours=7), None, 300.0, "leave", FakeClock(later(seconds=61)), seen.bus)


@pytest.mark.parametrize(
    "said",
    [{}, {"timeout": 0.0}, {"timeout": 21_600.0}, {"kind": "fax"}],
    ids=["any", "may take for ever", "may take hours", "of a kind that nobody knows"],
)
async def test_a_job_whose_lease_ran_out_is_tried_again(
    storage: AsyncRedisStorage, rescuer: Rescuer, seen: Recorder, said: dict[str, Any]
) -> None:
    job = await run(storage, mail(**said), now=NOW)

    await rescuer.tick()

    lost = await storage.jobs.get(job.ref)
    assert (lost.state, lost.error.error) == (State.RETRYABLE, "asynq: task lease expired")
    assert seen.of(JobsRescued) == [JobsRescued(1)]
    assert [(event.job.ref, event.state) for event in seen.of(JobFinished)] == [(job.ref, State.RETRYABLE)]


async def test_a_job_whose_worker_is_alive_is_left_to_it(
    storage: AsyncRedisStorage, rescuer: Rescuer, seen: Recorder
) -> None:
    job = await run(storage, now=NOW)
    await storage.jobs.extend([job.ref], worker="ada", now=later(seconds=5))

    await rescuer.tick()

    assert (await storage.jobs.get(job.ref)).state is State.RUNNING
    assert seen.events == []
