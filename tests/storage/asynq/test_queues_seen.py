"""Queues at a glance, when somebody has made something else of a key."""

from __future__ import annotations

from typing import Any

from ferryman.job import State
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from storage.samples import NOW, mail


async def test_a_queue_that_cannot_be_read_says_so_and_the_others_stay(storage: AsyncRedisStorage, redis: Any) -> None:
    await storage.jobs.insert([mail(), mail(queue="broken")], now=NOW)
    redis.set("asynq:{broken}:retry", "not a zset")

    broken, default = await storage.queues.glance(cap=9, now=NOW)

    assert (broken.name, "WRONGTYPE" in broken.unreadable) == ("broken", True)
    assert default.counts == {State.AVAILABLE: 1}


async def test_jobs_in_groups_and_the_days_attempts_are_counted(storage: AsyncRedisStorage) -> None:
    await storage.jobs.insert([mail(group="daily"), mail(group="weekly"), mail(group="weekly")], now=NOW)

    (queue,) = await storage.queues.glance(cap=9, now=NOW)

    assert queue.counts == {State.PENDING: 3}
    assert queue.today is not None
    assert (queue.today.day, queue.today.processed) == (NOW.date(), 0)
