"""Ids that stand in a queue without a task are found, and how to be rid of them is said."""

from __future__ import annotations

from typing import Any

from ferryman.findings import Finding, Level
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import QueueKeys
from storage._async.acts import run
from storage.samples import NOW, later, mail, mail_at

KEYS = QueueKeys("default")


async def stray(storage: AsyncRedisStorage) -> Finding:
    (found,) = [each for each in await storage.health.check(production=False) if each.id == "R-STRAY"]
    return found


async def test_where_every_id_has_its_task_nothing_is_wrong(storage: AsyncRedisStorage) -> None:
    await run(storage)
    await storage.jobs.insert([mail(), mail_at(later(hours=1))], now=NOW)

    found = await stray(storage)

    assert (found.level, "each of 3 ids" in found.text) == (Level.OK, True)


async def test_an_id_without_a_task_is_told_with_the_command_that_removes_it(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    await storage.jobs.insert([mail(), mail()], now=NOW)
    redis.lpush(KEYS.pending, "lost")

    found = await stray(storage)

    assert (found.level, found.fix) == (Level.WARNING, f"redis-cli LREM '{KEYS.pending}' 0 lost")
    redis.lrem(KEYS.pending, 0, "lost")
    redis.zadd(KEYS.archived, {"gone": 1})
    assert (await stray(storage)).fix == f"redis-cli ZREM '{KEYS.archived}' gone"


async def test_a_key_that_cannot_be_read_is_said(storage: AsyncRedisStorage, redis: Any) -> None:
    await storage.jobs.insert([mail()], now=NOW)
    redis.set(KEYS.retry, "not a zset")

    assert "cannot be looked at" in (await stray(storage)).text
