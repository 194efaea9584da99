# Generated from tests/storage/_async/test_workers.py by tools/unasync.py: change that file and run `make sync`.
"""The worker processes."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from ferryman.storage._sync.protocol import Storage
from ferryman.storage.infos import WorkerInfo
from storage.samples import NOW, later

MINUTE = timedelta(minutes=1)

ADA = WorkerInfo(id="ada:41:f3", host="ada", pid=41, started_at=NOW, queues={"bulk": 1, "quick": 6}, concurrency=10)
BOB = WorkerInfo(id="bob:52:0c", host="bob", pid=52, started_at=later(seconds=5), queues={"bulk": 1}, concurrency=2)


def test_a_worker_that_beats_is_listed_with_what_it_says(storage: Storage) -> None:
    storage.workers.beat(ADA, expires_in=MINUTE, now=later(seconds=9))

    (worker,) = storage.workers.list(now=later(seconds=10))

    assert (worker.id, worker.host, worker.pid, worker.started_at) == ("ada:41:f3", "ada", 41, NOW)
    assert (worker.queues, worker.concurrency, worker.status) == ({"bulk": 1, "quick": 6}, 10, "active")


def test_the_latest_beat_is_what_counts(storage: Storage) -> None:
    storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)
    stopping = msgspec.structs.replace(ADA, status="stopping")

    storage.workers.beat(stopping, expires_in=MINUTE, now=later(seconds=30))

    (worker,) = storage.workers.list(now=later(seconds=89))
    assert worker.status == "stopping"


def test_workers_are_listed_in_the_order_in_which_they_started(storage: Storage) -> None:
    storage.workers.beat(BOB, expires_in=MINUTE, now=later(seconds=5))
    storage.workers.beat(ADA, expires_in=MINUTE, now=later(seconds=6))

    assert [worker.id for worker in storage.workers.list(now=later(seconds=7))] == [ADA.id, BOB.id]


def test_a_worker_that_beats_no_more_is_not_alive(storage: Storage) -> None:
    storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)
    storage.workers.beat(BOB, expires_in=MINUTE, now=later(seconds=30))

    assert [worker.id for worker in storage.workers.list(now=later(seconds=61))] == [BOB.id]


def test_a_worker_that_leaves_is_gone_at_once(storage: Storage) -> None:
    storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)
    storage.workers.beat(BOB, expires_in=MINUTE, now=later(seconds=5))

    storage.workers.leave(ADA.id)
    storage.workers.leave("nobody")

    assert [worker.id for worker in storage.workers.list(now=later(seconds=6))] == [BOB.id]


def test_a_worker_that_fell_silent_without_a_word_is_lost_for_an_hour(storage: Storage) -> None:
    storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)
    storage.workers.beat(BOB, expires_in=MINUTE, now=later(seconds=30))

    assert [worker.id for worker in storage.workers.lost(now=later(seconds=59))] == []
    assert [worker.id for worker in storage.workers.lost(now=later(seconds=61))] == [ADA.id]
    assert [worker.id for worker in storage.workers.lost(now=later(seconds=120))] == [BOB.id, ADA.id]
    assert [worker.id for worker in storage.workers.lost(now=later(hours=2))] == []


def test_a_worker_that_left_is_not_lost(storage: Storage) -> None:
    storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)

    storage.workers.leave(ADA.id)

    assert storage.workers.lost(now=later(seconds=61)) == []


def test_other_programs_see_the_workers(storage: Storage, elsewhere: Storage) -> None:
    storage.workers.beat(ADA, expires_in=MINUTE, now=NOW)

    assert [worker.id for worker in elsewhere.workers.list(now=NOW)] == [ADA.id]
