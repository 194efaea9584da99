"""What others ask of a worker is found out, by a notice or without."""

from __future__ import annotations

import asyncio

import pytest

from engine.stage import Stage
from ferryman.engine.requests import Requests
from ferryman.events import JobFinished, QueuePaused, QueueResumed
from ferryman.job import JobRef
from ferryman.outcome import Cancelled
from ferryman.storage.values import QueueChanged
from ferryman.task import Tasks
from ferryman.testing import Recorder


class Asked(Requests):
    """Requests to a worker of two queues; counts how often it was told to look for jobs."""

    def __init__(self, stage: Stage) -> None:
        self.looks = 0
        executor = stage.executor
        super().__init__(
            stage.storage, ("default", "mail"), lambda: executor.running, executor.cancel, self._look, stage.seen.bus
        )

    def _look(self) -> None:
        self.looks += 1


@pytest.fixture
async def asked(stage: Stage) -> Asked:
    await stage.storage.queues.announce(["default", "mail"], now=stage.clock.now())
    asked = Asked(stage)
    await asked.tick()
    return asked


def told(seen: Recorder) -> list[object]:
    return [event for event in seen.events if isinstance(event, QueuePaused | QueueResumed)]


def test_a_pause_is_told_once_however_often_it_is_said(asked: Asked, seen: Recorder) -> None:
    for queue, paused in [("default", True), ("*", True), ("default", True), ("*", False), ("mail", False)]:
        asked.hear(QueueChanged(queue, paused))

    assert told(seen) == [
        QueuePaused("default"),
        QueuePaused("mail"),
        QueueResumed("default"),
        QueueResumed("mail"),
    ]


def test_other_queues_and_other_changes_are_passed_over(asked: Asked, seen: Recorder) -> None:
    asked.hear(QueueChanged("elsewhere", True))
    assert asked.looks == 0

    asked.hear(QueueChanged("mail"))

    assert (told(seen), asked.looks) == ([], 1)


async def test_a_pause_that_nobody_told_of_is_found(asked: Asked, stage: Stage, seen: Recorder) -> None:
    await stage.storage.queues.pause("mail", now=stage.clock.now())
    await asked.tick()
    await asked.tick()
    asked.hear(QueueChanged("mail", True))
    await stage.storage.queues.resume("*", now=stage.clock.now())
    await asked.tick()

    assert told(seen) == [QueuePaused("mail"), QueueResumed("mail")]


async def test_a_queue_that_was_paused_before_is_no_news(stage: Stage, seen: Recorder) -> None:
    await stage.storage.queues.announce(["mail"], now=stage.clock.now())
    await stage.storage.queues.pause("mail", now=stage.clock.now())

    await Asked(stage).tick()

    assert told(seen) == []


async def test_a_running_job_is_stopped_though_the_notice_was_lost(stage: Stage, tasks: Tasks, asked: Asked) -> None:
    @tasks.task("wait")
    async def wait() -> None:
        await asyncio.Event().wait()

    attempt = await stage.begin(wait.job())
    await stage.begin(wait.job())
    await stage.storage.jobs.cancel(JobRef(attempt.job.id), now=stage.clock.now())

    await asked.tick()

    async with stage.writing():
        ended = await stage.seen.wait_for(JobFinished)
    assert (ended.job.id, type(ended.outcome)) == (attempt.job.id, Cancelled)
    await stage.executor.drain(0, asyncio.Event())
