# /// script
# requires-python = ">=3.11"
# dependencies = ["pgqueuer[asyncpg]", "uvloop"]
# ///
"""pgqueuer: one process over a pool of asyncpg, as many jobs at a time as we have slots."""

import asyncpg
import uvloop
from counted import JOBS, SLOTS, URL, counted
from pgqueuer import PgQueuer
from pgqueuer.models import Job
from pgqueuer.queries import Queries

BATCH = 1_000


async def _enqueue() -> None:
    async with asyncpg.create_pool(URL) as pool:
        queries = Queries.from_asyncpg_pool(pool)
        await queries.install()
        for _ in range(0, JOBS, BATCH):
            await queries.enqueue(["noop"] * BATCH, [b"{}"] * BATCH, [0] * BATCH)


async def _work() -> None:
    async with asyncpg.create_pool(URL) as pool:
        queue = PgQueuer.from_asyncpg_pool(pool)

        @queue.entrypoint("noop")
        async def noop(job: Job) -> None:
            counted()

        await queue.run(batch_size=SLOTS, max_concurrent_tasks=2 * SLOTS)


def enqueue() -> None:
    uvloop.run(_enqueue())


def work() -> None:
    uvloop.run(_work())
