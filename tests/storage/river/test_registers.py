"""River's small tables, queues and the leader, and our register of workers beside them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from ferryman.job import State
from ferryman.storage.filters import JobFilter
from ferryman.storage.infos import WorkerInfo
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from storage._sync.acts import store
from storage.samples import NOW, later, mail, mail_at

DAY = timedelta(days=1)


# Queues


def test_a_queue_that_nobody_works_any_more_is_forgotten(storage: SqliteStorage) -> None:
    storage.queues.announce(["old", "older", "paused"], now=NOW)
    storage.queues.pause("paused", now=NOW)
    storage.queues.announce(["fresh"], now=later(hours=1))

    assert storage.queues.prune(older_than=DAY, limit=9, now=later(days=1)) == 0
    assert storage.queues.prune(older_than=DAY, limit=2, now=later(days=1, seconds=1)) == 2
    assert storage.queues.prune(older_than=DAY, limit=2, now=later(days=1, seconds=1)) == 1
    assert [queue.name for queue in storage.queues.list()] == ["fresh"]


def test_a_queue_that_is_worked_on_is_kept(storage: SqliteStorage) -> None:
    storage.queues.announce(["bulk"], now=NOW)
    storage.queues.announce(["bulk"], now=later(hours=23))

    assert storage.queues.prune(older_than=DAY, limit=9, now=later(days=1, hours=1)) == 0


def test_a_queues_row_is_touched_as_rivers_clients_do(storage: SqliteStorage, db) -> None:
    def times():
        return [
            str(text)[11:19]
            for text in db.execute("select created_at, paused_at, updated_at from river_queue").fetchone()
        ]

    storage.queues.announce(["bulk"], now=NOW)
    storage.queues.pause("bulk", now=later(minutes=1))
    storage.queues.pause("bulk", now=later(minutes=2))
    assert times() == ["12:00:00", "12:01:00", "12:01:00"]

    storage.queues.resume("bulk", now=later(minutes=3))
    storage.queues.resume("*", now=later(minutes=4))
    assert times() == ["12:00:00", "", "12:03:00"]


def test_jobs_available_ahead_of_their_time_count_as_waiting_since_then(storage: SqliteStorage) -> None:
    store(storage, mail_at(later(minutes=1)))
    storage.jobs.promote(limit=9, now=later(seconds=57))

    assert storage.queues.get("default").oldest == later(minutes=1)


def test_a_list_can_be_narrowed_by_when_jobs_were_created(storage: SqliteStorage) -> None:
    first, second, third = [store(storage, now=later(minutes=minutes)) for minutes in (0, 1, 2)]

    def found(**times):
        which = JobFilter(**times)
        refs = [job.ref for job in storage.jobs.list(which).items]
        assert sum(storage.jobs.count(which).values()) == len(refs)
        return refs

    assert found(since=later(minutes=1)) == [third, second]
    assert found(before=later(minutes=1)) == [first]
    assert found(since=later(minutes=1), before=later(minutes=2)) == [second]


def test_ids_beyond_what_a_float_holds_are_exact(storage: SqliteStorage) -> None:
    first, second = [store(storage, mail(id=id)) for id in ("9007199254740993", "9007199254740994")]

    assert [storage.jobs.get(ref).id for ref in (first, second)] == ["9007199254740993", "9007199254740994"]
    page = storage.jobs.list(JobFilter(), limit=1)
    assert page.items[0].ref == second
    assert [job.ref for job in storage.jobs.list(JobFilter(), cursor=page.next).items] == [first]
    assert storage.jobs.cancel(first, now=NOW).state is State.CANCELLED


# The leader


def leader(db) -> tuple[str, ...]:
    found = db.execute("select leader_id, elected_at, expires_at, name from river_leader").fetchone()
    return tuple(found) if found else ()


def test_a_leader_holds_the_row_for_fifteen_seconds(storage: SqliteStorage, db) -> None:
    term = storage.leaders.elect("ada", term=None, now=NOW)

    assert leader(db) == ("ada", "2026-11-21 12:00:00.000", "2026-11-21 12:00:15.000", "default")
    storage.leaders.elect("ada", term=term, now=later(seconds=15))
    assert leader(db)[2] == "2026-11-21 12:00:30.000"


def test_a_lease_is_over_the_moment_after_it_runs_out(storage: SqliteStorage) -> None:
    storage.leaders.elect("ada", term=None, now=NOW)

    assert storage.leaders.elect("bob", term=None, now=later(seconds=15)) is None
    assert storage.leaders.elect("bob", term=None, now=later(seconds=15, milliseconds=1)) is not None


def test_who_resigned_has_left_no_row(storage: SqliteStorage, db) -> None:
    term = storage.leaders.elect("ada", term=None, now=NOW)
    storage.leaders.resign("ada", term=term)

    assert leader(db) == ()


@pytest.mark.parametrize("written", ["2026-11-21 12:00:00.12", "2026-11-21T12:00:00.120Z", "2026-11-21 12:00:00.120"])
def test_a_term_is_known_in_any_spelling(storage: SqliteStorage, db, written: str) -> None:
    term = storage.leaders.elect("ada", term=None, now=later(milliseconds=120))
    db.execute("update river_leader set elected_at = ?", (written,))

    assert storage.leaders.elect("ada", term=term, now=later(seconds=5)) == written


# Workers


def test_a_worker_is_listed_with_all_that_it_said(storage: SqliteStorage) -> None:
    worker = WorkerInfo(
        id="ada:41:f3",
        host="ada",
        pid=41,
        started_at=NOW,
        queues={"bulk": 1},
        kinds=("mail", "fax"),
        concurrency=10,
        status="stopping",
        version="1.2",
    )
    storage.workers.beat(worker, expires_in=timedelta(minutes=1), now=later(seconds=9.5))

    assert storage.workers.list(now=NOW) == [msgspec.structs.replace(worker, beat_at=later(seconds=9.5))]


def test_a_worker_of_another_version_does_not_hide_the_others(storage: SqliteStorage, db) -> None:
    worker = WorkerInfo(id="ada", host="ada", pid=41, started_at=NOW)
    storage.workers.beat(worker, expires_in=timedelta(minutes=1), now=NOW)
    for id, info in (("new", '{"id":"new","host":"new","pid":"forty","more":[]}'), ("odd", "[]"), ("bad", "not json")):
        db.execute(
            "insert into ferryman_worker (id, info, started_at, beat_at, expires_at) values (?, ?, ?, ?, ?)",
            (id, info, "2026-11-21 12:00:00.000", "2026-11-21 12:00:00.000", "2026-11-21 13:00:00.000"),
        )

    assert [found.id for found in storage.workers.list(now=NOW)] == ["ada"]


def test_a_worker_that_has_been_silent_for_long_leaves_no_row(storage: SqliteStorage, db) -> None:
    ada = WorkerInfo(id="ada", host="ada", pid=41, started_at=NOW)
    bob = msgspec.structs.replace(ada, id="bob")
    storage.workers.beat(ada, expires_in=timedelta(minutes=1), now=NOW)
    storage.workers.beat(bob, expires_in=timedelta(minutes=1), now=later(hours=2))

    assert [tuple(each) for each in db.execute("select id from ferryman_worker")] == [("bob",)]
