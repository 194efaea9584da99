"""What a task logs stays with its job, an entry for each attempt, and never more than there is room for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from engine.stage import Stage
from ferryman import keep_logs
from ferryman.errors import ConfigError
from ferryman.job import Job
from ferryman.task import Tasks

logger = logging.getLogger("letters")


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    logger.setLevel(logging.INFO)
    yield
    logger.handlers.clear()


@pytest.fixture
def keeps(stage: Stage) -> Any:
    """Keep what reaches the logger of letters, and nothing but its sentences."""

    def keep(**said: Any) -> None:
        stage.middleware = [keep_logs("letters", form="%(message)s", **said)]
        stage.make_executor()

    return keep


async def logged(stage: Stage, id: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await stage.get(id)).metadata["river:log"]
    return entries


async def again(stage: Stage, id: str) -> None:
    """Run a job that waits for its retry once more."""
    await stage.clock.advance(1_000_000)
    await stage.storage.jobs.promote(limit=1, now=stage.clock.now())
    (taken,) = await stage.take()
    stage.executor.start([taken])
    await stage.finished(taken)


async def test_each_attempt_has_an_entry_whatever_became_of_it(stage: Stage, tasks: Tasks, keeps: Any) -> None:
    @tasks.task("mail", backoff="1m")
    async def mail(job: Job) -> None:
        logger.info("attempt %d", job.attempt)
        logger.warning("no stämps")
        if job.attempt == 1:
            raise ValueError

    keeps()
    id = (await stage.run(mail.job())).job.id
    await again(stage, id)

    assert await logged(stage, id) == [
        {"attempt": 1, "log": "attempt 1\nno stämps\n"},
        {"attempt": 2, "log": "attempt 2\nno stämps\n"},
    ]


async def test_what_threads_log_is_kept_and_what_others_log_is_not(stage: Stage, tasks: Tasks, keeps: Any) -> None:
    @tasks.task("mail")
    def mail() -> None:
        logger.info("from the thread")

    keeps()
    logger.info("before")
    id = (await stage.run(mail.job())).job.id
    logger.info("behind")

    assert await logged(stage, id) == [{"attempt": 1, "log": "from the thread\n"}]


async def test_a_silent_attempt_leaves_what_is_there_as_it_is(stage: Stage, tasks: Tasks, keeps: Any) -> None:
    @tasks.task("mail", backoff="1m")
    async def mail(job: Job) -> None:
        if job.attempt == 1:
            logger.info("once")
            raise ValueError

    keeps()
    id = (await stage.run(mail.job())).job.id
    await again(stage, id)

    assert await logged(stage, id) == [{"attempt": 1, "log": "once\n"}]


async def test_the_oldest_attempts_go_first_and_the_newest_stays_whole(stage: Stage, tasks: Tasks, keeps: Any) -> None:
    @tasks.task("mail", backoff="1m")
    async def mail(job: Job) -> None:
        logger.info(str(job.attempt) * 100)
        raise ValueError

    keeps(most=300)
    id = (await stage.run(mail.job())).job.id
    await again(stage, id)
    await again(stage, id)
    assert [entry["attempt"] for entry in await logged(stage, id)] == [2, 3]

    keeps(most=10)
    await again(stage, id)
    assert await logged(stage, id) == [{"attempt": 4, "log": "4" * 100 + "\n"}]


async def test_of_one_attempt_two_mebibytes_are_kept(stage: Stage, tasks: Tasks, keeps: Any) -> None:
    @tasks.task("mail")
    async def mail() -> None:
        for _ in range(5):
            logger.info("ä" * 300_000)

    keeps()
    (entry,) = await logged(stage, (await stage.run(mail.job())).job.id)

    assert 2 * 1024 * 1024 - 2 <= len(entry["log"].encode()) <= 2 * 1024 * 1024 + 2


async def test_a_limit_that_no_reader_would_take_is_refused() -> None:
    with pytest.raises(ConfigError, match="67,108,864"):
        keep_logs(most=64 * 1024 * 1024 + 1)
