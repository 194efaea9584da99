"""asynq's own defects that are not repeated here, where another test does not show it (spec/asynq.md 11.3).

Each test that shows one says which in its docstring; the last one here asks that none is left out.
"""

from __future__ import annotations

import asyncio
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from protobuf_twins import twin_of

from ferryman import Ferryman
from ferryman.engine.completer import Completer
from ferryman.errors import InvalidJob, StorageUnavailable, WrongState
from ferryman.events import JobFinished
from ferryman.job import State
from ferryman.outcome import Completed
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import QUEUES, QueueKeys
from ferryman.storage.asynq.messages import TASK
from ferryman.storage.asynq.tasks import NO_LIMIT
from ferryman.testing import FakeClock, Recorder
from servers import Servers
from storage._async.acts import run, store, take
from storage.samples import NOW, completed, discarded, failed, kept_mail, later, mail, released

KEYS = QueueKeys("default")


def everything(redis: Any) -> dict[bytes, bytes]:
    """Return all that Redis holds, each key as it would be dumped."""
    return {key: redis.dump(key) for key in redis.keys("*")}


async def test_an_outcome_that_could_not_be_written_is_written_later(storage: AsyncRedisStorage, redis: Any) -> None:
    """Defect D1: asynq tries again with a context that is cancelled, so the job runs a second time."""
    job = await run(storage)
    seen = Recorder()
    completer = Completer(storage, FakeClock(NOW), seen.bus)
    completer.add(completed(job), 0.0)

    redis.config_set("min-replicas-to-write", 1)
    try:
        with pytest.raises(StorageUnavailable, match="NOREPLICAS"):
            await completer.flush()
    finally:
        redis.config_set("min-replicas-to-write", 0)
    await completer.flush()

    assert [event.state for event in seen.of(JobFinished)] == [State.COMPLETED]
    assert not redis.exists(KEYS.task(job.id), KEYS.active, KEYS.lease)


OUTCOMES = [
    pytest.param(completed, id="done"),
    pytest.param(lambda job: failed(job, again=later(hours=1)), id="retry"),
    pytest.param(discarded, id="archive"),
    pytest.param(released, id="requeue"),
]


@pytest.mark.parametrize("keep", [mail, kept_mail], ids=["deleted", "kept"])
@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_an_outcome_of_a_job_that_is_not_ours_any_more_changes_nothing(
    storage: AsyncRedisStorage, redis: Any, keep: Any, outcome: Any
) -> None:
    """Defect D7: asynq's scripts take the job off the list of those that run before they refuse."""
    job = await run(storage, keep())
    redis.zrem(KEYS.lease, job.id)
    before = everything(redis)

    assert await storage.jobs.finish([outcome(job)], now=NOW) == [None]

    assert everything(redis) == before


async def test_an_id_whose_task_has_vanished_is_dropped_and_holds_nobody_up(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    """Defect D8: asynq makes a hash of it, takes the queue for empty, and keeps the id as running for ever."""
    redis.lpush(KEYS.pending, "gone")
    ref = await store(storage)

    assert [job.ref for job in await take(storage)] == [ref]

    assert not redis.exists(KEYS.task("gone"))
    assert (redis.lrange(KEYS.active, 0, -1), redis.zrange(KEYS.lease, 0, -1)) == ([ref.id.encode()],) * 2


async def test_a_due_id_whose_task_has_vanished_is_dropped(storage: AsyncRedisStorage, redis: Any) -> None:
    """Defect D8, of the forwarder: it makes a hash of it too."""
    await storage.queues.announce(["default"])
    redis.zadd(KEYS.scheduled, {"gone": 1})

    await storage.jobs.promote(limit=10, now=NOW)

    assert not redis.exists(KEYS.task("gone"), KEYS.pending, KEYS.scheduled)


async def test_a_result_brings_no_task_back_that_has_vanished(storage: AsyncRedisStorage, redis: Any) -> None:
    """Defect D20: asynq's result writer makes a hash of it."""
    job = await run(storage, kept_mail())
    redis.delete(KEYS.task(job.id))

    assert await storage.jobs.finish([completed(job, b'"sent"')], now=NOW) == [None]

    assert not redis.exists(KEYS.task(job.id), KEYS.active, KEYS.lease, KEYS.completed)


async def test_a_queue_that_somebody_removed_is_listed_again_with_its_next_job(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    """Defect D10: asynq's client remembers that it is listed, and nobody sees the job."""
    await store(storage)
    redis.srem(QUEUES, "default")

    await store(storage)

    assert (await storage.queues.get("default")).counts == {State.AVAILABLE: 2}


async def test_an_error_that_is_no_text_is_kept_as_far_as_it_is(storage: AsyncRedisStorage, redis: Any) -> None:
    """Defect D15: asynq cannot encode it, so the job stays as it is until its lease has run out."""
    job = await run(storage)

    states = await storage.jobs.finish([failed(job, again=later(hours=1), text="no file \udcff.txt")], now=NOW)

    assert states == [State.RETRYABLE]
    stored = TASK.decode(redis.hget(KEYS.task(job.id), "msg"))
    assert stored.error_msg == "no file ?.txt"
    assert twin_of(stored).error_msg == "no file ?.txt"


async def test_times_below_a_second_and_no_limit_mean_what_they_say(storage: AsyncRedisStorage) -> None:
    """Defect D16: asynq makes 0 of them, which stands for half an hour, and for keeping nothing."""
    await storage.jobs.insert([mail(timeout=0.2, retention=0.2), mail(timeout=0.0)], now=NOW)

    short, endless = await take(storage)

    assert (short.timeout, short.retention) == (1.0, 1.0)
    assert (endless.timeout, endless.message.timeout) == (0.0, NO_LIMIT)


async def test_more_attempts_than_the_format_can_count_are_refused(storage: AsyncRedisStorage) -> None:
    """Defect D17: asynq's number becomes negative, and the first failure the last."""
    with pytest.raises(InvalidJob, match="max_attempts"):
        await storage.jobs.insert([mail(max_attempts=2**31 + 1)], now=NOW)

    ref = await store(storage, mail(max_attempts=2**31))
    assert (await storage.jobs.get(ref)).max_attempts == 2**31


async def test_jobs_start_and_end_while_a_heartbeat_hangs(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Defect D23: asynq hands each start and end to its heartbeater, and waits."""
    hangs, go_on = threading.Event(), threading.Event()

    def beat(*said: Any, **more: Any) -> None:
        hangs.set()
        go_on.wait(60)

    monkeypatch.setattr("ferryman.storage.asynq._sync.parts.RedisWorkers.beat", beat)
    async with Ferryman(servers.url) as jobs:
        seen = Recorder(jobs.events)

        @jobs.task("mail")
        async def mail() -> None: ...

        async with jobs.worker(poll_interval=0.01):
            await asyncio.to_thread(hangs.wait, 60)
            await mail.enqueue()
            try:
                assert type((await seen.wait_for(JobFinished)).outcome) is Completed
            finally:
                go_on.set()


@pytest.mark.parametrize("job", [kept_mail(), mail(group="digest")], ids=["completed", "in a group"])
async def test_a_queue_that_holds_any_job_is_not_removed(storage: AsyncRedisStorage, job: Any) -> None:
    """Defect D9: asynq looks neither at completed tasks nor at those in groups, and leaves them to nobody."""
    ref = await store(storage, job)
    await storage.jobs.finish([completed(each) for each in await take(storage)], now=NOW)

    with pytest.raises(WrongState, match="holds 1"):
        await storage.queues.delete("default")

    assert (await storage.jobs.get(ref)).ref == ref


async def test_a_queue_that_is_removed_leaves_nothing_that_stays(storage: AsyncRedisStorage, redis: Any) -> None:
    """Defect D9: asynq's leaves its counters and whether it was paused to the next queue of that name."""
    await storage.jobs.finish([completed(await run(storage))], now=NOW)
    failing = await run(storage)
    await storage.jobs.finish([discarded(failing)], now=NOW)
    await storage.jobs.delete(failing.ref)
    await storage.queues.pause("default", now=NOW)

    await storage.queues.delete("default")

    assert [key for key in redis.keys("*{default}*") if redis.ttl(key) == -1] == []
    assert not redis.exists(QUEUES)


def test_every_defect_has_a_test_that_names_it() -> None:
    tests = Path(__file__).parents[2]
    texts = [path.read_text(encoding="utf-8") for path in tests.rglob("test_*.py")]
    named = {
        number for text in texts for said in re.findall(r"[Dd]efects? (D[^:.]*)", text) for number in _numbers(said)
    }

    assert named >= set(range(1, 25))


def _numbers(said: str) -> list[int]:
    return [int(number) for number in re.findall(r"D(\d+)", said)]
