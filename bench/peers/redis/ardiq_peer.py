# /// script
# requires-python = ">=3.12"
# dependencies = ["ardiq"]
# ///
"""ardiq: a worker in Rust that calls Python."""

import asyncio

from ardiq import Ardiq
from counted import JOBS, SLOTS, URL, counted

app = Ardiq(redis_url=URL, concurrency=SLOTS)


@app.task()
async def noop(n: int) -> None:
    counted()


async def _enqueue() -> None:
    await app.enqueue_many(noop.prepare(n) for n in range(JOBS))


def enqueue() -> None:
    asyncio.run(_enqueue())


def work() -> None:
    asyncio.run(app.run())
