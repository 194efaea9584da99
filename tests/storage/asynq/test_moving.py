"""Nodes change under a running program: a Cluster's keys move, a Sentinel names another master."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from ferryman import Ferryman
from ferryman.errors import StorageUnavailable
from ferryman.events import JobFinished, StorageBack, StorageLost
from ferryman.job import State
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq._sync.storage import RedisStorage
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.urls import Address
from ferryman.testing import Recorder
from servers import MASTER, Server, Servers, cluster, program
from storage._async.acts import store, take
from storage.samples import NOW, completed, failed, kept_mail, later, mail, mail_at

PENDING = QueueKeys("default").pending


class Move:
    """The way of one queue's slot from the node that has it to another."""

    def __init__(self, servers: Servers) -> None:
        self.slot = servers.nodes[0].command("CLUSTER", "KEYSLOT", PENDING)
        self.all = servers.nodes
        self.old = next(node for node in servers.nodes if self._keeps(node))
        self.new = next(node for node in servers.nodes if node is not self.old)

    def begin(self) -> None:
        self.new.command("CLUSTER", "SETSLOT", self.slot, "IMPORTING", self._id(self.old))
        self.old.command("CLUSTER", "SETSLOT", self.slot, "MIGRATING", self._id(self.new))

    def some(self, keys: Sequence[str | bytes]) -> None:
        self.old.command("MIGRATE", "127.0.0.1", self.new.port, "", 0, 5000, "KEYS", *keys)

    def end(self) -> None:
        while keys := self.old.command("CLUSTER", "GETKEYSINSLOT", self.slot, 100):
            self.some(keys)
        for node in (self.new, self.old, *self.all):
            node.command("CLUSTER", "SETSLOT", self.slot, "NODE", self._id(self.new))

    def _id(self, node: Server) -> str:
        return str(node.command("CLUSTER", "MYID").decode())

    def _keeps(self, node: Server) -> bool:
        ranges = node.command("CLUSTER", "SLOTS")
        return any(first <= self.slot <= last and port == node.port for first, last, (_, port, *_), *_ in ranges)


@pytest.fixture
def move() -> Iterator[Move]:
    """One that has not begun, on an empty Cluster."""
    servers = cluster()
    servers.flush()
    return Move(servers)


@pytest.fixture
def address() -> Address:
    return Address.parse(cluster().url)


async def test_jobs_are_found_where_they_have_moved_to(move: Move, address: Address) -> None:
    async with AsyncRedisStorage(address) as storage:
        ref = await store(storage)
        move.begin()
        move.end()

        another = await store(storage)
        taken = await take(storage)
        states = await storage.jobs.finish([completed(job) for job in taken], now=NOW)

    assert [job.ref for job in taken] == [ref, another]
    assert states == [State.COMPLETED] * 2
    assert move.new.command("EXISTS", QueueKeys("default").processed)


def test_code_that_blocks_finds_them_too(move: Move, address: Address) -> None:
    with RedisStorage(address) as storage:
        storage.jobs.insert([mail()], now=NOW)
        move.begin()
        move.end()

        assert len(storage.jobs.fetch([("default", 9)], limit=9, kinds=None, worker="ada", now=NOW)) == 1


async def test_while_they_move_it_is_said_so_and_nothing_is_lost(move: Move, address: Address) -> None:
    async with AsyncRedisStorage(address) as storage:
        ref = await store(storage)
        move.begin()
        try:
            with pytest.raises(StorageUnavailable, match="is moving these keys to another node"):
                await store(storage, mail(id="refused"))
        finally:
            move.end()

        assert [job.ref for job in await take(storage)] == [ref]


@pytest.mark.parametrize("moved", ["task", "others"])
async def test_what_happens_to_jobs_that_have_moved_in_part_happens_later(
    move: Move, address: Address, moved: str
) -> None:
    keys = QueueKeys("default")
    async with AsyncRedisStorage(address) as storage:
        await storage.jobs.insert([mail(group="news"), kept_mail(), kept_mail()], now=NOW)
        due = await store(storage, mail_at(later(seconds=1)))
        running, failing = await take(storage)
        names = [keys.task(ref.id) for ref in (due, running.ref, failing.ref)]
        move.begin()
        move.some(names if moved == "task" else [keys.groups, keys.active])

        outcomes = [completed(running), failed(failing, again=later(hours=1))]
        with pytest.raises(StorageUnavailable, match="is moving these keys to another node"):
            await storage.jobs.promote(limit=10, now=later(minutes=1))
        with pytest.raises(StorageUnavailable, match="is moving these keys to another node"):
            await storage.jobs.finish(outcomes, now=later(minutes=1))
        move.end()

        assert await storage.jobs.promote(limit=10, now=later(minutes=1)) == 1
        states = await storage.jobs.finish(outcomes, now=later(minutes=1))
    assert states == [State.COMPLETED, State.RETRYABLE]


@pytest.fixture
def watched() -> Iterator[tuple[Server, Server, Server]]:
    """A Sentinel, the master that it watches, and a server that could be it."""
    master, other = Server(program()).start(), Server(program()).start()
    watch = f"sentinel monitor {MASTER} 127.0.0.1 {master.port} 1"
    guard = Server(program(), watch, mode="--sentinel").start()
    yield guard, master, other
    for server in (guard, master, other):
        server.kill()


async def test_a_worker_follows_its_sentinel_to_another_master(watched: tuple[Server, Server, Server]) -> None:
    guard, master, other = watched
    async with Ferryman(f"redis+sentinel://127.0.0.1:{guard.port}/{MASTER}") as jobs:
        seen = Recorder(jobs.events)

        @jobs.task("mail")
        async def mail() -> None: ...

        async with asyncio.timeout(60), jobs.worker(poll_interval=0.05):
            await mail.enqueue()
            await seen.wait_for(JobFinished)
            master.kill()
            await seen.wait_for(StorageLost)
            guard.command("SENTINEL", "REMOVE", MASTER)
            guard.command("SENTINEL", "MONITOR", MASTER, "127.0.0.1", other.port, 1)
            await seen.wait_for(StorageBack, within=60)
            await mail.enqueue()
            done = await seen.wait_for(JobFinished)

    assert done.state is State.COMPLETED
    assert other.command("GET", QueueKeys("default").processed) == b"1"
