"""What is broken in Redis, or was written by somebody else: a clear error, and nothing lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from ferryman import Ferryman
from ferryman.engine.rescuer import Rescuer
from ferryman.errors import StorageError, StorageUnavailable
from ferryman.events import JobFinished, JobsRescued
from ferryman.job import JobRef, NewJob, State
from ferryman.options import unique_for
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import QUEUES, QueueKeys
from ferryman.storage.asynq.messages import TASK
from ferryman.storage.asynq.times import seconds
from ferryman.storage.infos import WorkerInfo
from ferryman.storage.values import Retention
from ferryman.task import Tasks
from ferryman.testing import FakeClock, Recorder, run_until_empty
from servers import Servers
from storage._async.acts import run, states, store, take
from storage.samples import (
    EVERYTHING,
    NOW,
    cancelled,
    completed,
    discarded,
    failed,
    kept_mail,
    later,
    mail,
    mail_at,
    released,
    snoozed,
)

KEYS = QueueKeys("default")


def everything(redis: Any) -> dict[bytes, bytes]:
    """Return all that Redis holds, each key as it would be dumped."""
    return {key: redis.dump(key) for key in redis.keys("*")}


# Payloads that are not JSON


@pytest.mark.parametrize("payload", [b"", b"\xff\x00", b"id=7", b"{", b"[1", b"nul", "é".encode("latin-1")])
async def test_a_payload_that_is_no_json_fails_its_job_and_is_kept_as_it_is(
    servers: Servers, redis: Any, payload: bytes
) -> None:
    async with Ferryman(servers.url) as jobs:

        @jobs.task("mail")
        async def mail(to: str) -> None: ...

        stored = await jobs.enqueue(NewJob(kind="mail", args=payload))
        (done,) = await run_until_empty(jobs)
        job = await jobs.admin.jobs.get(stored.ref)

    assert (done.state, job.state, job.args) == (State.DISCARDED, State.DISCARDED, payload)
    assert "InvalidArguments" in job.error.error


async def test_a_payload_that_is_no_json_can_be_listed_and_tried_again(storage: AsyncRedisStorage) -> None:
    job = await run(storage, mail(args=b"\xff\x00"))
    await storage.jobs.finish([discarded(job)], now=NOW)

    (listed,) = (await storage.jobs.list(EVERYTHING)).items
    await storage.jobs.retry(job.ref, now=NOW)
    (again,) = await take(storage)

    assert listed.args == again.args == b"\xff\x00"


# Fields that a later version of asynq writes

UNKNOWN = b"\x82\x01\x03new\x88\x01\x2a"  # field 16, a text, and field 17, a number


async def from_the_future(storage: AsyncRedisStorage, redis: Any, **said: Any) -> JobRef:
    """Store a task with fields that nobody here knows."""
    ref = await store(storage, mail(**said))
    redis.hset(KEYS.task(ref.id), "msg", redis.hget(KEYS.task(ref.id), "msg") + UNKNOWN)
    return ref


@pytest.mark.parametrize(
    "outcome",
    [
        lambda job: failed(job, again=later(hours=1)),
        lambda job: snoozed(job, until=later(hours=1)),
        discarded,
        cancelled,
        completed,
        released,
    ],
    ids=["retry", "snooze", "archive", "cancel", "complete", "requeue"],
)
async def test_fields_that_nobody_here_knows_stay_with_the_job(
    storage: AsyncRedisStorage, redis: Any, outcome: Any
) -> None:
    ref = await from_the_future(storage, redis, retention=3600.0)
    (job,) = await take(storage)

    await storage.jobs.finish([outcome(job)], now=NOW)

    assert redis.hget(KEYS.task(ref.id), "msg").endswith(UNKNOWN)


async def test_fields_that_nobody_here_knows_stay_when_a_person_cancels(storage: AsyncRedisStorage, redis: Any) -> None:
    ref = await from_the_future(storage, redis)

    await storage.jobs.cancel(ref, now=NOW)

    assert TASK.decode(redis.hget(KEYS.task(ref.id), "msg")).unknown == UNKNOWN


# Keys of the wrong type


@pytest.mark.parametrize("key", ["pending", "active", "lease"])
async def test_a_queue_that_cannot_be_read_keeps_its_jobs_and_holds_up_no_other(
    storage: AsyncRedisStorage, redis: Any, key: str
) -> None:
    ref = await store(storage)
    other = await store(storage, mail(queue="other"))
    wrong = getattr(KEYS, key)
    if key == "pending":
        redis.delete(wrong)
    redis.set(wrong, "what?")
    before = everything(redis)

    both = [("default", 5), ("other", 5)]
    taken = await storage.jobs.fetch(both, limit=10, kinds=None, worker="ada", now=NOW)
    with pytest.raises(StorageError, match=f"refused dequeue with .*{wrong}.*WRONGTYPE"):
        await take(storage)

    assert [job.ref for job in taken] == [other]
    assert {name: dump for name, dump in everything(redis).items() if b"{default}" in name} == {
        name: dump for name, dump in before.items() if b"{default}" in name
    }
    assert redis.exists(KEYS.task(ref.id))


NEW_JOBS = {
    "pending": mail(),
    "scheduled": mail_at(later(hours=1)),
    "groups": mail(group="news"),
    "unique": mail(unique=unique_for("1h")),
}
NEW_JOBS_GO_TO = ("pending", "scheduled", "groups")


@pytest.mark.parametrize(
    ("kind", "broken"),
    [("pending", "pending"), *((kind, key) for kind in ("scheduled", "groups", "unique") for key in NEW_JOBS_GO_TO)],
)
async def test_jobs_that_a_queue_cannot_take_are_refused_and_none_of_them_is_stored(
    storage: AsyncRedisStorage, redis: Any, kind: str, broken: str
) -> None:
    redis.set(getattr(KEYS, broken), "what?")
    before = everything(redis)

    with pytest.raises(StorageError, match=rf"{broken}.*WRONGTYPE"):
        await storage.jobs.insert([mail(queue="a"), NEW_JOBS[kind], mail(queue="z")], now=NOW)
    assert everything(redis) == before

    with pytest.raises(StorageError, match=rf"{broken}.*WRONGTYPE"):
        await storage.jobs.insert([NEW_JOBS[kind]], now=NOW)
    redis.srem(QUEUES, "default")
    assert everything(redis) == before


OUTCOMES = {
    "retry": lambda job: failed(job, again=later(hours=1)),
    "scheduled": lambda job: snoozed(job, until=later(hours=1)),
    "archived": discarded,
    "completed": completed,
    "pending": released,
}


@pytest.mark.parametrize("broken", [*OUTCOMES, "active", "lease"])
async def test_an_outcome_that_a_queue_cannot_take_is_refused_and_can_be_written_later(
    storage: AsyncRedisStorage, redis: Any, broken: str
) -> None:
    job = await run(storage, kept_mail())
    outcome = OUTCOMES.get(broken, completed)(job)
    key = getattr(KEYS, broken)
    if redis.exists(key):
        redis.rename(key, f"{key}:aside")
    redis.set(key, "what?")
    before = everything(redis)

    with pytest.raises(StorageError, match="WRONGTYPE"):
        await storage.jobs.finish([outcome], now=NOW)
    assert everything(redis) == before

    redis.delete(key)
    if redis.exists(f"{key}:aside"):
        redis.rename(f"{key}:aside", key)
    assert (await storage.jobs.finish([outcome], now=NOW))[0] is not None


@pytest.mark.parametrize("broken", ["pending", "groups"])
async def test_jobs_that_are_due_wait_on_where_they_cannot_go(
    storage: AsyncRedisStorage, redis: Any, broken: str
) -> None:
    ref = await store(storage, mail_at(later(minutes=1)))
    redis.set(getattr(KEYS, broken), "what?")

    with pytest.raises(StorageError, match="WRONGTYPE"):
        await storage.jobs.promote(limit=10, now=later(minutes=2))

    assert redis.zscore(KEYS.scheduled, ref.id) is not None


async def test_a_grouped_job_that_is_due_waits_on_where_its_group_cannot_take_it(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    ref = await store(storage, mail_at(later(minutes=1), group="news"))
    redis.set(KEYS.group("news"), "what?")

    with pytest.raises(StorageError, match="WRONGTYPE"):
        await storage.jobs.promote(limit=10, now=later(minutes=2))

    assert redis.zscore(KEYS.scheduled, ref.id) is not None


# Hashes that have vanished


async def test_a_running_job_whose_hash_has_vanished_is_let_go_of(storage: AsyncRedisStorage, redis: Any) -> None:
    job, other = await run(storage), await run(storage)
    redis.delete(KEYS.task(job.id))

    (lost,) = await storage.jobs.stuck(older_than=later() - NOW, limit=10, now=later(minutes=2))

    assert lost.ref == other.ref
    assert (redis.lrange(KEYS.active, 0, -1), redis.zrange(KEYS.lease, 0, -1)) == ([other.id.encode()],) * 2


@pytest.mark.parametrize("state", ["completed", "archived"])
async def test_an_ended_job_whose_hash_has_vanished_is_cleared_in_time(
    storage: AsyncRedisStorage, redis: Any, state: str
) -> None:
    await storage.queues.announce(["default"])
    redis.zadd(getattr(KEYS, state), {"gone": seconds(NOW)})
    ref = await store(storage)

    await storage.jobs.prune(Retention(), limit=10, now=later(days=100))
    await storage.jobs.discard(ref, now=later(days=100))

    assert redis.zscore(getattr(KEYS, state), "gone") is None


# Clocks that differ by a minute


async def test_a_job_is_not_lost_between_workers_whose_clocks_differ_by_a_minute(
    storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage
) -> None:
    """The other takes it back at once, as Go would; then only the other's word counts, and the job is done once."""
    ahead = FakeClock(later(minutes=1))
    job = await run(storage, kept_mail(), now=NOW)
    seen, tasks = Recorder(), Tasks()
    tasks.task("mail")(lambda: None)
    await Rescuer(elsewhere, tasks, later() - NOW, None, None, "leave", ahead, seen.bus).tick()
    assert seen.of(JobsRescued) == [JobsRescued(1)]

    await storage.jobs.extend([job.ref], worker="ada", now=later(seconds=1))
    assert await storage.jobs.finish([completed(job)], now=later(seconds=1)) == [None]

    assert await states(storage) == {State.RETRYABLE: 1}
    assert (await elsewhere.jobs.get(job.ref)).error.error == "asynq: task lease expired"


async def test_a_worker_whose_clock_is_a_minute_ahead_keeps_its_jobs(
    storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage
) -> None:
    job = await run(storage, now=later(minutes=1))

    assert await elsewhere.jobs.stuck(older_than=later() - NOW, limit=10, now=later(seconds=30)) == []

    assert await storage.jobs.finish([completed(job)], now=later(minutes=1)) == [State.COMPLETED]


# A server that forgot the scripts, or has no room


async def test_scripts_that_the_server_forgets_mid_run_cost_nothing(servers: Servers, redis: Any) -> None:
    async with Ferryman(servers.url) as jobs:
        seen = Recorder(jobs.events)

        @jobs.task("mail")
        async def mail() -> None:
            redis.script_flush()

        async with jobs.worker(poll_interval=0.01, concurrency=3):
            refs = {(await mail.enqueue()).ref for _ in range(30)}
            done = [await seen.wait_for(JobFinished) for _ in refs]

    assert {event.job.ref for event in done} == refs
    assert {event.state for event in done} == {State.COMPLETED}


@pytest.fixture
def full(redis: Any) -> Any:
    """Return how to fill the memory; afterwards there is room again."""
    yield lambda: redis.config_set("maxmemory", 1)
    redis.config_set("maxmemory", 0)


async def test_in_a_full_memory_enqueueing_is_refused_and_what_is_there_is_worked(
    storage: AsyncRedisStorage, redis: Any, full: Any
) -> None:
    await storage.jobs.insert([mail()] * 4 + [kept_mail()] * 2, now=NOW)
    taken = await take(storage, limit=3)
    full()

    for job in NEW_JOBS.values():
        with pytest.raises(StorageUnavailable, match=r"is out of memory. Raise its maxmemory.*OOM"):
            await storage.jobs.insert([job], now=NOW)
    await storage.jobs.extend([job.ref for job in taken], worker="ada", now=later(seconds=9))
    taken += await take(storage, now=later(seconds=9))
    outcomes = [failed(taken[0], again=later(seconds=10)), discarded(taken[1]), released(taken[2])]
    outcomes += [completed(job) for job in taken[3:]]
    written = await storage.jobs.finish(outcomes, now=later(seconds=9))
    await storage.jobs.promote(limit=10, now=later(seconds=10))

    assert written == [State.RETRYABLE, State.DISCARDED, State.AVAILABLE] + [State.COMPLETED] * 3
    assert await states(storage) == {State.AVAILABLE: 2, State.DISCARDED: 1, State.COMPLETED: 2}


async def test_in_a_full_memory_a_running_job_stays_its_workers(
    storage: AsyncRedisStorage, redis: Any, full: Any
) -> None:
    job = await run(storage)
    full()

    await storage.jobs.extend([job.ref], worker="ada", now=later(minutes=10))

    assert redis.zscore(KEYS.lease, job.id) == seconds(later(minutes=10, seconds=30))


# Workers


async def test_a_worker_that_nobody_can_read_hides_no_other(storage: AsyncRedisStorage, redis: Any) -> None:
    well = WorkerInfo(id="w-well", host="well", pid=1, started_at=NOW)
    odd = replace(well, id="w-odd", host="odd")
    for each in (well, odd):
        await storage.workers.beat(each, expires_in=timedelta(minutes=1), now=NOW)
    (ours,) = redis.keys("ferryman:{odd:*:worker")

    redis.set(ours, '{"a later version": true}')
    as_tools_see_it = [worker.host for worker in await storage.workers.list(now=NOW)]
    redis.set(*redis.keys("asynq:servers:{odd:*"), b"\xff\xff")

    assert sorted(as_tools_see_it) == ["odd", "well"]
    assert [worker.host for worker in await storage.workers.list(now=NOW)] == ["well"]
    assert [worker.host for worker in await storage.workers.lost(now=later(minutes=2))] == ["well"]
