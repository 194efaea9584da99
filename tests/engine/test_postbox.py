"""Jobs that are enqueued at the same time share a write; who is at fault alone hears of it."""

from __future__ import annotations

import asyncio

import pytest

from engine.stage import Flaky
from ferryman.client._async.client import AsyncClient
from ferryman.errors import InvalidJob, StorageUnavailable
from ferryman.job import Inserted, NewJob
from ferryman.storage.filters import JobFilter


@pytest.fixture
def client(flaky: Flaky) -> AsyncClient:
    async def opened() -> Flaky:
        return flaky

    return AsyncClient(opened)  # type: ignore[arg-type]


async def test_jobs_that_come_at_the_same_time_share_a_write(client: AsyncClient, flaky: Flaky) -> None:
    stored = await asyncio.gather(*(client.enqueue(NewJob(kind="mail")) for _ in range(50)))

    assert flaky.calls == ["insert"]
    assert len({each.ref for each in stored}) == 50


async def test_a_job_that_is_refused_keeps_no_other_out(client: AsyncClient, flaky: Flaky) -> None:
    jobs = [NewJob(kind="mail"), NewJob(kind=""), NewJob(kind="mail")]

    answers = await asyncio.gather(*map(client.enqueue, jobs), return_exceptions=True)

    assert [type(answer) for answer in answers] == [Inserted, InvalidJob, Inserted]


async def test_what_may_have_been_stored_is_not_sent_a_second_time(client: AsyncClient, flaky: Flaky) -> None:
    stored = flaky._storage.jobs.insert

    async def lost(*said: object, **more: object) -> None:
        await stored(*said, **more)
        raise StorageUnavailable("The answer did not come.")

    flaky.jobs.insert = lost
    answers = await asyncio.gather(*(client.enqueue(NewJob(kind="mail")) for _ in range(3)), return_exceptions=True)

    assert [type(answer) for answer in answers] == [StorageUnavailable] * 3
    assert sum((await flaky._storage.jobs.count(JobFilter())).values()) == 3
