"""Tokens that running jobs hold, as asynq's `x/rate` keeps them (spec/asynq.md 10.4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ferryman import ConfigError, Ferryman, Job, Unsupported
from ferryman.outcome import Completed, Snoozed
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.times import seconds
from ferryman.testing import run_until_empty
from servers import Servers
from storage.samples import NOW, later


@pytest.fixture
async def jobs(servers: Servers) -> AsyncIterator[Ferryman]:
    async with Ferryman(servers.url) as jobs:
        yield jobs


async def test_no_more_hold_a_token_than_there_are(storage: AsyncRedisStorage, redis: Any) -> None:
    def acquire(holder: str) -> Any:
        return storage.semaphores.acquire("crm", holder, most=2, until=later(minutes=5), now=NOW)

    assert [await acquire(holder) for holder in ("a", "b", "c")] == [True, True, False]
    assert await acquire("a")  # it has one: a job that is tried again must not wait for itself
    until = float(seconds(later(minutes=5)))
    assert redis.zrange("asynq:sema:crm", 0, -1, withscores=True) == [(b"a", until), (b"b", until)]

    await storage.semaphores.release("crm", "b")

    assert await acquire("c")


async def test_a_token_whose_time_is_up_is_free(storage: AsyncRedisStorage) -> None:
    await storage.semaphores.acquire("crm", "dead", most=1, until=later(minutes=1), now=NOW)

    at = [later(minutes=1), later(minutes=1, seconds=1)]
    taken = [await storage.semaphores.acquire("crm", "next", most=1, until=later(minutes=9), now=now) for now in at]

    assert taken == [False, True]


async def test_a_job_that_finds_no_token_is_put_off_and_gives_back_the_one_it_finds(
    jobs: Ferryman, storage: AsyncRedisStorage, redis: Any
) -> None:
    crm, held = jobs.semaphore("crm", 1), []

    @jobs.task("sync", retries=0)
    async def sync(job: Job) -> None:
        async with crm.token(job, wait="1h"):
            held.extend(redis.zrange("asynq:sema:crm", 0, -1))

    stored = await sync.enqueue()
    await storage.semaphores.acquire("crm", "somebody", most=1, until=datetime.now(UTC) + timedelta(minutes=1))
    (turned_away,) = await run_until_empty(jobs)
    await storage.semaphores.release("crm", "somebody")
    await jobs.admin.jobs.retry(stored.ref)
    (done,) = await run_until_empty(jobs)

    assert (type(turned_away.outcome), type(done.outcome)) == (Snoozed, Completed)
    assert held == [stored.ref.id.encode()]
    assert not redis.exists("asynq:sema:crm")


async def test_plain_functions_have_it_too(jobs: Ferryman, redis: Any) -> None:
    crm, held = jobs.sync.semaphore("crm", 1), []

    @jobs.task("sync", timeout="1m")
    def sync(job: Job) -> None:
        with crm.token(job):
            held.append(redis.zcard("asynq:sema:crm"))

    await sync.enqueue()
    await run_until_empty(jobs)

    assert (held, redis.zcard("asynq:sema:crm")) == ([1], 0)


@pytest.mark.parametrize(("scope", "most"), [(" ", 1), ("crm", 0)])
def test_a_semaphore_that_lets_nobody_in_is_refused(scope: str, most: int) -> None:
    with pytest.raises(ConfigError):
        Ferryman("redis://127.0.0.1:1").semaphore(scope, most)


async def test_elsewhere_it_is_refused_with_the_way_out() -> None:
    async with Ferryman("sqlite://") as jobs:

        @jobs.task("sync", retries=0)
        async def sync(job: Job) -> None:
            async with jobs.semaphore("crm", 1).token(job):
                ...

        await sync.enqueue()
        (done,) = await run_until_empty(jobs)

    assert done.outcome.error.error.startswith(f'{Unsupported.__qualname__}: The semaphore "crm" needs Redis.')
