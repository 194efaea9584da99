# Generated from tests/storage/_async/test_snapshot.py by tools/unasync.py: change that file and run `make sync`.
"""The cheap facts of a storage, all at once, each failing by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ferryman.admin._sync.admin import Admin
from ferryman.errors import StorageError
from ferryman.job import State
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.infos import Running, ScheduleInfo, WorkerInfo
from ferryman.storage.values import Feature
from storage._sync.acts import run, store, take
from storage.samples import NOW, discarded, later, mail, mail_at

MINUTE = timedelta(minutes=1)


def admin_of(storage: Storage) -> Admin:
    def open() -> Storage:
        return storage

    return Admin(open)


def give_up(storage: Storage, count: int) -> None:
    """Store jobs that have failed for good."""
    for _ in range(count):
        store(storage, mail())
    jobs = take(storage, limit=count)
    storage.jobs.finish([discarded(job) for job in jobs], now=NOW)


def test_a_snapshot_has_queues_workers_and_schedules_together(storage: Storage) -> None:
    give_up(storage, 2)
    running = run(storage)
    store(storage, mail(queue="bulk"), now=later(seconds=-41))
    store(storage, mail_at(later(hours=1)))
    worker = WorkerInfo(
        id="w1",
        host="box",
        pid=1,
        started_at=NOW,
        queues={"default": 1},
        concurrency=5,
        running=(Running(ref=running.ref, kind="mail"),),
        schedules=(ScheduleInfo(id="report", spec="@every 1h", job=mail()),),
    )
    storage.workers.beat(worker, expires_in=MINUTE, now=NOW)
    storage.leaders.elect("w1", term=None, now=NOW)

    there = admin_of(storage).snapshot(now=NOW)

    assert there.missing == {}
    bulk, default = there.queues or ()
    assert (bulk.name, bulk.counts, bulk.oldest) == ("bulk", {State.AVAILABLE: 1}, later(seconds=-41))
    assert default.counts == {State.RUNNING: 1, State.SCHEDULED: 1, State.DISCARDED: 2}
    assert (there.ready, there.failed, there.oldest) == (1, 2, later(seconds=-41))
    assert (there.busy, there.slots, [entry.id for entry in there.periodic or ()]) == (1, 5, ["report"])
    assert there.leader == ("w1" if Feature.LEADERS in storage.features else None)


def test_ended_jobs_are_counted_up_to_a_cap_where_each_must_be_looked_at(storage: Storage) -> None:
    give_up(storage, 3)

    there = admin_of(storage).snapshot(cap=2, now=NOW)

    counted = 2 if Feature.SCHEMA in storage.features else 3
    assert (there.failed, there.is_capped(State.DISCARDED)) == (counted, counted == 2)


def test_the_queues_at_a_glance_are_those_of_the_list(storage: Storage) -> None:
    storage.queues.announce(["quick", "bulk"], now=NOW)
    storage.queues.pause("bulk", now=NOW)
    store(storage, mail(queue="other"))

    seen, listed = storage.queues.glance(cap=9, now=NOW), storage.queues.list()

    assert [(queue.name, queue.counts, queue.paused_at, queue.oldest) for queue in seen] == [
        (queue.name, queue.counts, queue.paused_at, queue.oldest) for queue in listed
    ]


def test_a_part_that_cannot_be_read_says_why_and_keeps_no_other_back(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(storage, mail())

    def broken(**said: Any) -> Any:
        raise StorageError("The table of workers is away.")

    monkeypatch.setattr(storage.workers, "list", broken)
    monkeypatch.setattr(storage.workers, "schedules", broken)

    there = admin_of(storage).snapshot()

    assert there.missing == dict.fromkeys(["workers", "periodic"], "The table of workers is away.")
    assert (there.workers, there.slots, there.ready) == (None, None, 1)


def test_a_storage_says_in_words_what_it_can_do(storage: Storage) -> None:
    told = admin_of(storage).capabilities()

    assert told.able("priorities") == (Feature.PRIORITIES in storage.features)
    assert told.able("groups") == (storage.groups is not None)
    assert all(item.words for item in told.items)
