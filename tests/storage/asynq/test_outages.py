"""A server that is killed, or still loads its data: nothing is lost, and the worker goes on by itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ferryman import Ferryman
from ferryman.errors import StorageUnavailable
from ferryman.events import JobFinished, StorageBack, StorageLost
from ferryman.job import NewJob, State
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.filters import JobFilter
from ferryman.testing import Recorder
from servers import Server, program, wait_until

KEYS = QueueKeys("default")


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the test's own that has on its disk whatever it has answered for."""
    server = Server(program(), "appendonly yes", "appendfsync always").start()
    yield server
    server.kill()


QUICK: dict[str, Any] = {"poll_interval": 0.05, "rescue_interval": 0.1, "schedule_interval": 0.1}


@pytest.mark.slow
async def test_a_server_that_is_killed_mid_run_loses_no_job_and_none_is_done_twice(server: Server) -> None:
    ran: Counter[str] = Counter()
    async with Ferryman(server.url) as jobs:
        seen = Recorder(jobs.events)

        @jobs.task("mail", backoff="0s")
        async def mail(number: int) -> None:
            ran[str(number)] += 1

        await jobs.enqueue_many([mail.job(number) for number in range(500)])
        async with asyncio.timeout(60), jobs.worker(concurrency=10, **QUICK):
            for _ in range(100):
                await seen.wait_for(JobFinished)
            await asyncio.to_thread(server.kill)
            await seen.wait_for(StorageLost)
            await asyncio.to_thread(server.start)
            await seen.wait_for(StorageBack, within=60)
            while (await jobs.admin.jobs.count(JobFilter())).get(State.AVAILABLE, 0):
                await seen.wait_for(JobFinished)
            # What was taken by an answer that got lost is taken back a minute later, but for this.
            await asyncio.to_thread(age_leases, server)
            await asyncio.to_thread(wait_until, lambda: not server.command("KEYS", KEYS.task_prefix + "*"))

    assert set(ran) == {str(number) for number in range(500)}
    done = Counter(event.job.ref for event in seen.of(JobFinished) if event.state is State.COMPLETED)
    assert set(done.values()) == {1}
    processed, failed = (int(server.command("GET", key) or 0) for key in (KEYS.processed, KEYS.failed))
    assert processed - failed == 500


def age_leases(server: Server) -> None:
    for id in server.command("ZRANGE", KEYS.lease, 0, -1):
        server.command("ZADD", KEYS.lease, "XX", 1, id)


@pytest.mark.slow
async def test_a_server_that_loads_its_data_says_so_and_the_worker_waits_for_it(server: Server) -> None:
    async with Ferryman(server.url) as jobs:
        seen = Recorder(jobs.events)

        @jobs.task("mail")
        async def mail() -> None: ...

        await jobs.enqueue_many([NewJob(kind="mail", queue="another")] * 4_000)
        async with asyncio.timeout(60), jobs.worker(**QUICK):
            server.stop()
            await seen.wait_for(StorageLost)
            # It looks at who asks after every thousand commands of its file; each now takes some time.
            with (server.folder / "redis.conf").open("a") as settings:
                settings.write("key-load-delay 250\n")
            starting = asyncio.create_task(asyncio.to_thread(server.start))
            while "is still loading its data" not in (refused := await refusal(jobs)):
                assert not starting.done(), refused
            await starting

            stored = await mail.enqueue()
            done = await seen.wait_for(JobFinished)

        assert (done.job.ref, done.state) == (stored.ref, State.COMPLETED)
        assert await jobs.admin.jobs.count(JobFilter(queues=("another",))) == {State.AVAILABLE: 4_000}


async def refusal(jobs: Ferryman) -> str:
    try:
        await jobs.enqueue(NewJob(kind="mail"))
    except StorageUnavailable as error:
        return str(error)
    return ""
