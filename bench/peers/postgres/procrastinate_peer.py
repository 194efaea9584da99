# /// script
# requires-python = ">=3.11"
# dependencies = ["procrastinate", "psycopg[binary]"]
# ///
"""procrastinate: one process, as many jobs at a time as we have slots."""

import asyncio

from counted import JOBS, SLOTS, URL, counted
from procrastinate import App, PsycopgConnector

app = App(connector=PsycopgConnector(conninfo=URL, max_size=20))
BATCH = 1_000


@app.task(name="noop")
async def noop(n: int) -> None:
    counted()


async def _enqueue() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for first in range(0, JOBS, BATCH):
            await noop.batch_defer_async(*({"n": n} for n in range(first, first + BATCH)))


async def _work() -> None:
    async with app.open_async():
        await app.run_worker_async(concurrency=SLOTS)


def enqueue() -> None:
    asyncio.run(_enqueue())


def work() -> None:
    asyncio.run(_work())
