"""The worker processes."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.infos import WorkerInfo
from storage.samples import NOW, later

MINUTE = timedelta(minutes=1)

ADA = WorkerInfo(id="ada:41:f3", host="ada", pid=41, started_at=NOW, queues={"bulk": 1, "quick": 6}, concurrency=10)
BOB = WorkerInfo(id="bob:52:0c", host="bob", pid=52, started_at=later(seconds=5), queues={"bulk": 1}, concurrency=2)


async def test_a_worker_that_beats_is_listed_with_what_it_says(storage: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=MINUTE, now=later(seconds=9))

    (worker,) = await storage.workers.list(now=later(seconds=10))

    assert (worker.id, worker.host, worker.pid, worker.started_at) == ("ada:41:f3", "ada", 41, NOW)
    assert (worker.queues, worker.concurrency, worker.status) == ({"bulk": 1, "quick": 6}, 10, "active")


async def test_the_latest_beat_is_what_counts(storage: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)
    stopping = msgspec.structs.replace(ADA, status="stopping")

    await storage.workers.beat(stopping, expires_in=MINUTE, now=later(seconds=30))

    (worker,) = await storage.workers.list(now=later(seconds=89))
    assert worker.status == "stopping"


async def test_workers_are_listed_in_the_order_in_which_they_started(storage: AsyncStorage) -> None:
    await storage.workers.beat(BOB, expires_in=MINUTE, now=later(seconds=5))
    await storage.workers.beat(ADA, expires_in=MINUTE, now=later(seconds=6))

    assert [worker.id for worker in await storage.workers.list(now=later(seconds=7))] == [ADA.id, BOB.id]


async def test_a_worker_that_beats_no_more_is_not_alive(storage: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)
    await storage.workers.beat(BOB, expires_in=MINUTE, now=later(seconds=30))

    assert [worker.id for worker in await storage.workers.list(now=later(seconds=61))] == [BOB.id]


async def test_a_worker_that_leaves_is_gone_at_once(storage: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)
    await storage.workers.beat(BOB, expires_in=MINUTE, now=later(seconds=5))

    await storage.workers.leave(ADA.id)
    await storage.workers.leave("nobody")

    assert [worker.id for worker in await storage.workers.list(now=later(seconds=6))] == [BOB.id]


async def test_a_worker_that_fell_silent_without_a_word_is_lost_for_an_hour(storage: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)
    await storage.workers.beat(BOB, expires_in=MINUTE, now=later(seconds=30))

    assert [worker.id for worker in await storage.workers.lost(now=later(seconds=59))] == []
    assert [worker.id for worker in await storage.workers.lost(now=later(seconds=61))] == [ADA.id]
    assert [worker.id for worker in await storage.workers.lost(now=later(seconds=120))] == [BOB.id, ADA.id]
    assert [worker.id for worker in await storage.workers.lost(now=later(hours=2))] == []


async def test_a_worker_that_left_is_not_lost(storage: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)

    await storage.workers.leave(ADA.id)

    assert await storage.workers.lost(now=later(seconds=61)) == []


async def test_other_programs_see_the_workers(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    await storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)

    assert [worker.id for worker in await elsewhere.workers.list(now=NOW)] == [ADA.id]
