# /// script
# requires-python = ">=3.11"
# dependencies = ["arq"]
# ///
"""arq: one process, as many jobs at a time as we have slots."""

import asyncio
from typing import Any

from arq import create_pool, run_worker
from arq.connections import RedisSettings
from counted import JOBS, SLOTS, URL, counted

redis = RedisSettings.from_dsn(URL)


async def noop(ctx: dict[str, Any], n: int) -> None:
    counted()


class Settings:
    functions = (noop,)
    redis_settings = redis
    max_jobs = SLOTS
    keep_result = 0
    poll_delay = 0.01


async def _enqueue() -> None:
    pool = await create_pool(redis)
    for n in range(JOBS):
        await pool.enqueue_job("noop", n)


def enqueue() -> None:
    asyncio.run(_enqueue())


def work() -> None:
    run_worker(Settings)
