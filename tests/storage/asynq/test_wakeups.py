"""Hearing of jobs and cancellations without polling, on every way in which Redis is run (spec/wakeup.md)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ferryman import Ferryman, Worker
from ferryman.engine.listener import Listener
from ferryman.engine.outage import Outage, Report
from ferryman.errors import StorageUnavailable
from ferryman.events import JobFinished, JobStarted, Listening, ServiceFailed
from ferryman.job import JobRef
from ferryman.outcome import Cancelled, Completed
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import QUEUES, QueueKeys
from ferryman.storage.asynq.messages import TASK, TaskMessage
from ferryman.storage.asynq.urls import Address
from ferryman.storage.asynq.wakeup import Line, keys_of
from ferryman.storage.values import CancelRequested, HowWoken, JobsAvailable
from ferryman.testing import FakeClock, Recorder
from servers import SERVERS, Servers, wait_until
from storage._async.acts import run, store, take
from storage.ears import AsyncEar
from storage.samples import NOW, mail

EVERY_WAY = pytest.mark.parametrize("servers", SERVERS, indirect=True)


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> Servers:
    found = SERVERS[getattr(request, "param", "valkey")]()
    found.flush()
    return found


class Go:
    """A program that only knows asynq: it enqueues and tells nobody."""

    def __init__(self, redis: Any) -> None:
        self.redis = redis
        self.count = 0

    def enqueue(self, queue: str = "default", kind: str = "mail") -> str:
        self.count += 1
        keys, message = QueueKeys(queue), TaskMessage(kind, b"{}", f"go-{self.count}", queue, retry=25, timeout=1800)
        self.redis.sadd(QUEUES, queue)
        self.redis.hset(keys.task(message.id), mapping={"msg": TASK.encode(message), "state": "pending"})
        self.redis.lpush(keys.pending, message.id)
        return message.id


@pytest.fixture
def go(redis: Any) -> Go:
    return Go(redis)


async def hungry(storage: AsyncRedisStorage, *queues: str) -> None:
    """Fetch until the queues give nothing."""
    wanted = [(queue, 10) for queue in queues or ("default",)]
    while await storage.jobs.fetch(wanted, limit=10 * len(wanted), kinds=None, worker="ada", now=NOW):
        continue


async def settled(ear: AsyncEar, redis: Any) -> int:
    """Wait until all that was said before has been heard, and return how often that was a reason to look for jobs.

    Replies and messages come over one connection, in order.
    """
    before = len(ear.heard)
    for _ in range(2):
        redis.publish("asynq:cancel", "fence")
        await ear.next(CancelRequested)
    return sum(isinstance(notice, JobsAvailable) for notice in ear.heard[before:])


@EVERY_WAY
async def test_no_job_is_missed_however_it_falls(storage: AsyncRedisStorage, go: Go) -> None:
    """Between a fetch that finds nothing and the next there is no moment in which a job goes unheard."""
    queues = ("default", "bulk", "quick")
    async with AsyncEar(storage) as ear:
        await hungry(storage, *queues)
        for number in range(300):
            if number % 3:
                await asyncio.sleep(random.random() / 1000)
            go.enqueue(random.choice(queues))
            await ear.next(JobsAvailable)
            await hungry(storage, *queues)

    assert go.count == 300


@EVERY_WAY
async def test_jobs_that_are_there_when_listening_begins_are_heard_of(storage: AsyncRedisStorage, go: Go) -> None:
    go.enqueue()
    async with AsyncEar(storage) as ear:
        assert await ear.next(JobsAvailable) in (JobsAvailable(), JobsAvailable("default"))


async def test_a_queue_that_nobody_here_asks_for_wakes_nobody(storage: AsyncRedisStorage, go: Go) -> None:
    go.enqueue("elsewhere")
    async with AsyncEar(storage) as ear:
        await hungry(storage, "default")
        await settled(ear, go.redis)

        go.enqueue("elsewhere")

        assert await settled(ear, go.redis) == 0


async def test_a_paused_queue_that_holds_a_job_does_not_spin(
    storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage, go: Go
) -> None:
    go.enqueue()
    await elsewhere.queues.pause("default", now=NOW)
    async with AsyncEar(storage) as ear:
        await hungry(storage)
        await settled(ear, go.redis)

        for _ in range(10):
            await hungry(storage)

        assert await settled(ear, go.redis) == 0
        await elsewhere.queues.resume("default", now=NOW)
        await ear.next(JobsAvailable)


async def test_what_comes_into_a_paused_queue_wakes_nobody_again_and_again(
    storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage, go: Go
) -> None:
    go.enqueue()
    await elsewhere.queues.pause("default", now=NOW)
    async with AsyncEar(storage) as ear:
        woken = 0
        for _ in range(10):
            await hungry(storage)
            woken += await settled(ear, go.redis)
            go.enqueue()
            woken += await settled(ear, go.redis)

    assert woken <= 2


def test_a_queue_that_was_resumed_while_nobody_looked_is_looked_at() -> None:
    line = Line([QueueKeys("default").pending], keys_of(["default"]))
    line.greeted(line.greeting[0], None)
    assert [words[0] for words in line.arm()] == ["EXISTS", "LLEN"]
    assert (line.hear(1), line.hear(5)) == (None, None)  # it is paused and holds five
    line.hear(None)

    assert [words[0] for words in line.arm()] == ["EXISTS"]
    assert line.hear(0) == JobsAvailable("default")


async def test_a_database_that_is_emptied_wakes_whoever_waits(storage: AsyncRedisStorage, redis: Any) -> None:
    async with AsyncEar(storage) as ear:
        await hungry(storage)
        await settled(ear, redis)

        redis.flushall()

        await ear.next(JobsAvailable)


async def test_a_queue_key_of_the_wrong_type_does_not_end_the_listening(storage: AsyncRedisStorage, go: Go) -> None:
    go.redis.set(QueueKeys("broken").pending, "what?")
    await storage.queues.announce(["broken", "default"], now=NOW)
    async with AsyncEar(storage) as ear:
        await settled(ear, go.redis)

        go.enqueue()

        await ear.next(JobsAvailable)


# Cancellations


@EVERY_WAY
async def test_any_program_can_ask_for_a_running_job_to_stop(storage: AsyncRedisStorage, redis: Any) -> None:
    async with AsyncEar(storage) as ear:
        redis.publish("asynq:cancel", "m1")

        assert await ear.next(CancelRequested) == CancelRequested(JobRef("m1"))


async def test_a_cancellation_is_heard_while_all_slots_are_busy(storage: AsyncRedisStorage, redis: Any) -> None:
    """Then nothing is fetched, so nobody is hungry."""
    async with AsyncEar(storage) as ear:
        await hungry(storage)
        await store(storage)
        await ear.next(JobsAvailable)

        redis.publish("asynq:cancel", "m1")

        assert (await ear.next(CancelRequested)).ref.id == "m1"


# Connections that are lost


async def test_when_the_connection_is_lost_listening_ends_and_can_begin_anew(
    storage: AsyncRedisStorage, go: Go
) -> None:
    async with AsyncEar(storage) as ear:
        await settled(ear, go.redis)

        go.redis.client_kill_filter(skipme=True)

        with pytest.raises(StorageUnavailable):
            await ear.next(CancelRequested)
    async with AsyncEar(storage) as ear:
        await hungry(storage)
        go.enqueue()
        await ear.next(JobsAvailable)


def listens(redis: Any) -> bool:
    """Whether anybody is subscribed to anything."""
    return any(client["sub"] == "1" for client in redis.client_list())


async def test_closing_leaves_no_connection_and_no_task_behind(storage: AsyncRedisStorage, redis: Any) -> None:
    before = len(asyncio.all_tasks())
    async with AsyncEar(storage) as ear:
        await settled(ear, redis)
        assert listens(redis)

    assert len(asyncio.all_tasks()) == before
    wait_until(lambda: not listens(redis))


async def test_listening_can_be_cancelled_at_any_moment(storage: AsyncRedisStorage) -> None:
    """Up to Python 3.11 redis-py's writes may swallow a cancellation, and a worker that stops would wait for ever."""

    async def listen() -> None:
        async for _ in storage.notices.listen():
            pass

    for number in range(100):
        listening = asyncio.create_task(listen())
        await asyncio.sleep(number % 20 / 4000)
        listening.cancel()
        done, _ = await asyncio.wait({listening}, timeout=60)
        assert done


# Users that may not


@pytest.fixture
def user(servers: Servers, redis: Any) -> Iterator[Callable[..., Address]]:
    """Make users who lack some right."""

    def make(*rules: str) -> Address:
        redis.execute_command("ACL", "SETUSER", "ada", "reset", "on", ">secret", "~*", "&*", "+@all", *rules)
        return Address.parse(servers.url.replace("redis://", "redis://ada:secret@"))

    yield make
    redis.execute_command("ACL", "DELUSER", "ada")


async def test_without_the_right_to_track_it_polls_and_still_hears_cancellations(
    user: Callable[..., Address], redis: Any
) -> None:
    async with AsyncRedisStorage(user("-client|tracking")) as storage, AsyncEar(storage) as ear:
        how = await ear.next(HowWoken)
        redis.publish("asynq:cancel", "m1")

        assert (how.by, "client|tracking" in how.lacking) == ("polling", True)
        assert (await ear.next(CancelRequested)).ref.id == "m1"


async def test_without_the_right_to_listen_it_hears_of_jobs_and_says_what_it_cannot(
    user: Callable[..., Address], go: Go
) -> None:
    async with AsyncRedisStorage(user("resetchannels")) as storage, AsyncEar(storage) as ear:
        how = await ear.next(HowWoken)
        await hungry(storage)
        go.enqueue()

        assert (how.by, "&asynq:cancel" in how.lacking) == ("tracked reads", True)
        await ear.next(JobsAvailable)


async def test_how_it_hears_is_said_once_however_often_it_begins_anew(user: Callable[..., Address], redis: Any) -> None:
    seen, clock = Recorder(), FakeClock(NOW)
    async with AsyncRedisStorage(user("-client|tracking")) as storage:
        report = Report("listener", Outage(clock, seen.bus))
        nothing: Any = lambda *said: None  # noqa: E731 - five of the same
        listener = Listener(storage, {"default"}, *[nothing] * 5, clock, seen.bus, report)
        listening = asyncio.create_task(listener.run())
        said = await seen.wait_for(Listening)
        for _ in range(2):
            await asyncio.to_thread(wait_until, lambda: listens(redis))
            redis.client_kill_filter(skipme=True)
            await seen.wait_for(ServiceFailed)
            await clock.advance(1)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    assert (said.by, "ACL SETUSER" in said.lacking) == ("polling", True)
    assert seen.of(Listening) == [said]


# The whole


@asynccontextmanager
async def working(servers: Servers, seen: Recorder, **settings: Any) -> AsyncIterator[Worker]:
    """A worker that never polls, so that it finds only what it hears of."""
    async with Ferryman(servers.url) as jobs:
        for event in (JobStarted, JobFinished, Listening):
            jobs.events.subscribe(event, seen.bus.publish)

        @jobs.task("mail")
        async def mail() -> None: ...

        @jobs.task("long")
        async def long() -> None:
            await asyncio.Event().wait()

        async with asyncio.timeout(60), jobs.worker(poll_interval=3600, shutdown_timeout=0, **settings) as worker:
            await seen.wait_for(Listening)
            yield worker


@EVERY_WAY
async def test_a_worker_that_waits_takes_what_go_enqueues_at_once(servers: Servers, go: Go) -> None:
    seen = Recorder()
    async with working(servers, seen):
        for _ in range(20):
            id = go.enqueue()
            finished = await seen.wait_for(JobFinished)

            assert (finished.job.id, type(finished.outcome)) == (id, Completed)


async def test_a_job_that_go_cancels_is_stopped(servers: Servers, go: Go) -> None:
    seen = Recorder()
    async with working(servers, seen):
        id = go.enqueue(kind="long")
        await seen.wait_for(JobStarted)

        go.redis.publish("asynq:cancel", id)

        assert isinstance((await seen.wait_for(JobFinished)).outcome, Cancelled)


async def test_a_worker_whose_connections_are_killed_takes_jobs_again(servers: Servers, go: Go) -> None:
    seen = Recorder()
    async with working(servers, seen):
        go.redis.client_kill_filter(skipme=True)

        go.enqueue()

        assert isinstance((await seen.wait_for(JobFinished)).outcome, Completed)


async def test_a_running_job_is_found_by_its_bare_id(storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage) -> None:
    job = await run(storage, mail())
    async with AsyncEar(storage) as ear:
        await elsewhere.jobs.cancel(JobRef(job.id), now=NOW)

        assert (await ear.next(CancelRequested)).ref.id == job.id
    assert await take(storage) == []
