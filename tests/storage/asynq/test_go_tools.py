"""What asynq's tools show of our workers, and we of Go's (spec/asynq.md 2.2 to 2.4, 3.15, 4.4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from ferryman.job import JobRef, NewJob
from ferryman.storage.asynq import keys
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.messages import (
    SCHEDULER_ENTRY,
    SERVER_INFO,
    WORKER_INFO,
    SchedulerEntry,
    ServerInfo,
    Timestamp,
    WorkerInfo,
)
from ferryman.storage.asynq.times import seconds
from ferryman.storage.filters import JobFilter
from ferryman.storage.infos import Running, ScheduleInfo
from ferryman.storage.infos import WorkerInfo as Worker
from storage._async.acts import run
from storage.samples import NOW, later

TEN_SECONDS = timedelta(seconds=10)
ADA = Worker(
    id="ada_2026_11_21T12_00_00_000000",
    host="ada",
    pid=41,
    started_at=NOW,
    queues={"critical": 6, "low": 1},
    kinds=("mail",),
    concurrency=10,
    strict=True,
    version="1.0",
)
MAILING = Running(
    ref=JobRef("m1", "critical"), kind="mail", args=b'{"to":"ada"}', since=later(seconds=1), until=later(minutes=30)
)
NIGHTLY = ScheduleInfo(
    id="nightly",
    spec="0 3 * * *",
    job=NewJob(kind="report", args=b"{}", queue="low", max_attempts=4, timeout=90.0),
    next_at=later(hours=15),
    last_at=later(hours=-9),
)


def servers_key(redis: Any) -> str:
    (key,) = redis.zrange(keys.SERVERS, 0, -1)
    return str(key.decode())


async def test_a_worker_is_shown_as_a_server_with_all_that_go_says_of_its_own(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    working = replace(ADA, running=(MAILING,))

    await storage.workers.beat(working, expires_in=TEN_SECONDS, now=later(seconds=5))

    key = servers_key(redis)
    host, pid, id = key.removeprefix("asynq:servers:{").removesuffix("}").split(":")
    assert (host, pid, len(id)) == ("ada", "41", 36)
    assert SERVER_INFO.decode(redis.get(key)) == ServerInfo(
        host="ada",
        pid=41,
        server_id=id,
        concurrency=10,
        queues={"critical": 6, "low": 1},
        strict_priority=True,
        status="active",
        start_time=Timestamp.of(NOW),
        active_worker_count=1,
    )
    assert WORKER_INFO.decode(redis.hget(key.replace("servers", "workers"), "m1")) == WorkerInfo(
        host="ada",
        pid=41,
        server_id=id,
        task_id="m1",
        task_type="mail",
        task_payload=b'{"to":"ada"}',
        queue="critical",
        start_time=Timestamp.of(later(seconds=1)),
        deadline=Timestamp.of(later(minutes=30)),
    )


async def test_a_worker_shows_only_what_it_works_on_now(storage: AsyncRedisStorage, redis: Any) -> None:
    await storage.workers.beat(replace(ADA, running=(MAILING,)), expires_in=TEN_SECONDS, now=NOW)

    await storage.workers.beat(ADA, expires_in=TEN_SECONDS, now=later(seconds=5))

    assert not redis.exists(servers_key(redis).replace("servers", "workers"))


async def test_a_heartbeat_counts_for_ten_seconds(storage: AsyncRedisStorage, redis: Any) -> None:
    await storage.workers.beat(ADA, expires_in=TEN_SECONDS, now=NOW)

    key = servers_key(redis)
    assert redis.zscore(keys.SERVERS, key) == redis.zscore(keys.WORKERS, key.replace("servers", "workers"))
    assert redis.zscore(keys.SERVERS, key) == seconds(later(seconds=10))
    assert 8 < redis.ttl(key) <= 10
    assert not redis.exists(key.replace("servers", "workers"))  # nothing runs


async def test_a_state_has_asynqs_word(storage: AsyncRedisStorage, redis: Any) -> None:
    words = []
    for status in ("active", "quiet", "stopping"):
        await storage.workers.beat(replace(ADA, status=status), expires_in=TEN_SECONDS, now=NOW)
        words.append(SERVER_INFO.decode(redis.get(servers_key(redis))).status)

    assert words == ["active", "stopped", "closed"]


async def test_a_worker_that_leaves_takes_all_that_it_wrote_with_it(storage: AsyncRedisStorage, redis: Any) -> None:
    await storage.workers.beat(ADA, expires_in=TEN_SECONDS, now=NOW)

    await storage.workers.leave(ADA.id)

    assert redis.keys("*") == []


async def test_what_died_long_ago_is_forgotten(storage: AsyncRedisStorage, redis: Any) -> None:
    redis.zadd(keys.SERVERS, {"asynq:servers:{bob:7:1}": seconds(later(hours=-2))})
    redis.zadd(keys.SCHEDULERS, {"asynq:schedulers:{bob:7:2}": seconds(later(hours=-2))})

    await storage.workers.beat(ADA, expires_in=TEN_SECONDS, now=NOW)

    assert redis.zcard(keys.SERVERS) == 1
    assert redis.zcard(keys.SCHEDULERS) == 0


async def test_a_server_of_gos_is_listed_beside_ours(storage: AsyncRedisStorage, redis: Any) -> None:
    name = "bob:7:0d2c"
    info = ServerInfo("bob", 7, "0d2c", 4, {"default": 3}, status="stopped", start_time=Timestamp.of(NOW))
    task = WorkerInfo("bob", 7, "0d2c", "m2", "fax", b"\x00", "default", Timestamp.of(NOW), Timestamp.of(None))
    redis.set(keys.server(name), SERVER_INFO.encode(info))
    redis.hset(keys.workers(name), "m2", WORKER_INFO.encode(task))
    redis.hset(keys.workers(name), "m3", b"\xff")
    redis.zadd(keys.SERVERS, {keys.server(name): seconds(later(seconds=10))})
    redis.zadd(keys.SERVERS, {keys.server("gone:8:1"): seconds(later(seconds=10))})

    (bob,) = await storage.workers.list(now=later(seconds=2))

    assert (bob.id, bob.host, bob.pid, bob.started_at, bob.beat_at) == (name, "bob", 7, NOW, NOW)
    assert (bob.queues, bob.concurrency, bob.status) == ({"default": 3}, 4, "quiet")
    assert bob.running == (Running(ref=JobRef("m2", "default"), kind="fax", args=b"\x00", since=NOW),)


async def test_what_only_our_workers_know_of_themselves_is_listed_too(storage: AsyncRedisStorage) -> None:
    await storage.workers.beat(replace(ADA, running=(MAILING,)), expires_in=TEN_SECONDS, now=NOW)

    assert await storage.workers.list(now=NOW) == [replace(ADA, running=(MAILING,), beat_at=NOW)]


async def test_a_running_job_shows_who_runs_it_since_when(storage: AsyncRedisStorage) -> None:
    """A lease says only until when, and is extended with every heartbeat."""
    job = await run(storage, now=NOW)
    running = Running(ref=job.ref, kind=job.kind, since=NOW)
    await storage.jobs.extend([job.ref], worker="ada", now=later(minutes=10))
    await storage.workers.beat(replace(ADA, running=(running,)), expires_in=TEN_SECONDS, now=NOW)

    shown = await storage.jobs.get(job.ref)
    (listed,) = (await storage.jobs.list(JobFilter())).items

    assert (shown.attempted_at, shown.attempted_by[0][:7]) == (NOW, "ada:41:")
    assert listed == shown


# Schedules


async def test_a_schedule_is_listed_with_options_that_go_can_read(storage: AsyncRedisStorage, redis: Any) -> None:
    """Defect D14: a text without a parenthesis crashes them."""
    await storage.workers.beat(replace(ADA, schedules=(NIGHTLY,)), expires_in=TEN_SECONDS, now=NOW)

    ((key, score),) = redis.zrange(keys.SCHEDULERS, 0, -1, withscores=True)
    assert score == seconds(later(seconds=10))
    assert 8 < redis.ttl(key) <= 10
    assert [SCHEDULER_ENTRY.decode(entry) for entry in redis.lrange(key, 0, -1)] == [
        SchedulerEntry(
            id="nightly",
            spec="0 3 * * *",
            task_type="report",
            task_payload=b"{}",
            enqueue_options=('Queue("low")', "MaxRetry(3)", "Timeout(1m30s)"),
            next_enqueue_time=Timestamp.of(later(hours=15)),
            prev_enqueue_time=Timestamp.of(later(hours=-9)),
        )
    ]


async def test_a_schedule_of_many_workers_is_listed_once(storage: AsyncRedisStorage, redis: Any) -> None:
    """asynq's schedulers each enqueue a tick; of ours one does."""
    for pid in (41, 42):
        worker = replace(ADA, id=f"ada_{pid}", pid=pid, schedules=(NIGHTLY,))
        await storage.workers.beat(worker, expires_in=TEN_SECONDS, now=NOW)

    (key,) = redis.zrange(keys.SCHEDULERS, 0, -1)
    assert redis.llen(key) == 1
