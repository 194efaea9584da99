# /// script
# requires-python = ">=3.11"
# dependencies = ["taskiq", "taskiq-redis"]
# ///
"""taskiq: one process, on a list in Redis."""

import asyncio

from counted import JOBS, SLOTS, URL, command, counted
from taskiq_redis import ListQueueBroker

broker = ListQueueBroker(url=URL)


@broker.task
async def noop(n: int) -> None:
    counted()


async def _enqueue() -> None:
    await broker.startup()
    for n in range(JOBS):
        await noop.kiq(n)
    await broker.shutdown()


def enqueue() -> None:
    asyncio.run(_enqueue())


def work() -> None:
    options = ("--workers", "1", "--max-async-tasks", str(SLOTS), "--log-level", "ERROR")
    command("taskiq", "worker", "taskiq_peer:broker", *options)
