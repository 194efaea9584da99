# Generated from tests/storage/_async/test_schedules.py by tools/unasync.py: change that file and run `make sync`.
"""What is enqueued by the clock, as workers say it."""

from __future__ import annotations

from datetime import timedelta

from ferryman.storage._sync.protocol import Storage
from ferryman.storage.infos import PeriodicInfo, ScheduleInfo, WorkerInfo
from storage.samples import NOW, later, mail

MINUTE = timedelta(minutes=1)


def worker(id: str, *schedules: ScheduleInfo) -> WorkerInfo:
    return WorkerInfo(id=id, host="box", pid=1, started_at=NOW, queues={"default": 1}, schedules=schedules)


HOURLY = ScheduleInfo(id="hourly", spec="@every 1h", job=mail(queue="low"), next_at=later(hours=1), last_at=NOW)
DAILY = ScheduleInfo(id="daily", spec="0 8 * * *", job=mail(), next_at=later(hours=20))


def test_schedules_are_listed_with_last_and_next_run(storage: Storage) -> None:
    storage.workers.beat(worker("one", HOURLY, DAILY), expires_in=MINUTE, now=NOW)

    assert storage.workers.schedules(now=NOW) == [
        PeriodicInfo(id="daily", spec="0 8 * * *", kind="mail", next_at=later(hours=20)),
        PeriodicInfo(id="hourly", spec="@every 1h", kind="mail", queue="low", next_at=later(hours=1), last_at=NOW),
    ]


def test_a_schedule_that_several_workers_share_is_listed_once(storage: Storage) -> None:
    for id in ("one", "two"):
        storage.workers.beat(worker(id, HOURLY), expires_in=MINUTE, now=NOW)

    assert [entry.id for entry in storage.workers.schedules(now=NOW)] == ["hourly"]


def test_the_schedules_of_a_worker_that_died_are_gone(storage: Storage) -> None:
    storage.workers.beat(worker("one", HOURLY), expires_in=MINUTE, now=NOW)

    assert storage.workers.schedules(now=later(minutes=5)) == []


def test_without_workers_there_are_none(storage: Storage) -> None:
    assert storage.workers.schedules(now=NOW) == []
