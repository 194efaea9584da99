"""Queues at a glance, when somebody has made something else of a key."""

from __future__ import annotations

from typing import Any

from ferryman.job import State
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import QUEUES, QueueKeys
from ferryman.storage.asynq.urls import Address
from servers import cluster
from storage.samples import NOW, mail

KEYS = QueueKeys("default")


async def test_a_queue_that_cannot_be_read_says_so_and_the_others_stay(storage: AsyncRedisStorage, redis: Any) -> None:
    await storage.jobs.insert([mail(), mail(queue="broken")], now=NOW)
    redis.set("asynq:{broken}:retry", "not a zset")

    broken, default = await storage.queues.glance(cap=9, now=NOW)

    assert (broken.name, "WRONGTYPE" in broken.unreadable) == ("broken", True)
    assert default.counts == {State.AVAILABLE: 1}


async def test_what_is_no_text_among_the_queues_keeps_none_of_the_others_back(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    await storage.jobs.insert([mail()], now=NOW)
    redis.sadd(QUEUES, b"\xff\xfe")

    assert [queue.name for queue in await storage.queues.glance(cap=9, now=NOW)] == ["default"]


async def test_jobs_in_groups_and_the_days_attempts_are_counted(storage: AsyncRedisStorage) -> None:
    await storage.jobs.insert([mail(group="daily"), mail(group="weekly"), mail(group="weekly")], now=NOW)

    (queue,) = await storage.queues.glance(cap=9, now=NOW)

    assert queue.counts == {State.PENDING: 3}
    assert queue.today is not None
    assert (queue.today.day, queue.today.processed) == (NOW.date(), 0)


# One by one


async def test_a_queues_memory_groups_and_totals_are_known(storage: AsyncRedisStorage, redis: Any) -> None:
    await storage.jobs.insert([mail(group="daily"), mail(group="weekly"), mail(group="weekly")], now=NOW)
    redis.mset({KEYS.processed: 7, KEYS.failed: 2})
    small = await storage.queues.details("default")
    await storage.jobs.insert([mail(args=b"x" * 10_000)], now=NOW)

    large = await storage.queues.details("default")

    assert (small.groups, small.processed, small.failed) == ({"daily": 1, "weekly": 2}, 7, 2)
    assert small.memory is not None
    assert large.memory is not None
    assert 10_000 < large.memory - small.memory < 15_000
    assert (small.slot, small.nodes) == (None, ())


async def test_where_memory_is_nobodys_business_the_rest_is_known(storage: AsyncRedisStorage, redis: Any) -> None:
    await storage.jobs.insert([mail(group="daily")], now=NOW)
    redis.execute_command("ACL", "SETUSER", "default", "-memory")
    try:
        found = await storage.queues.details("default")
    finally:
        redis.execute_command("ACL", "SETUSER", "default", "+memory")

    assert (found.memory, found.groups) == (None, {"daily": 1})


async def test_a_cluster_says_where_a_queue_is_kept() -> None:
    servers = cluster()
    servers.flush()
    async with AsyncRedisStorage(Address.parse(servers.url)) as storage:
        await storage.jobs.insert([mail()], now=NOW)

        found = await storage.queues.details("default")

    assert found.slot == servers.nodes[0].command("CLUSTER", "KEYSLOT", KEYS.pending)
    assert [node.command("EXISTS", KEYS.pending) for node in servers.nodes if found.nodes[0].endswith(f":{node.port}")]
