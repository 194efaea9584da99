"""River's notification table: what we write for others, and what we read (spec/river.md 3.7, 8.2, 9)."""

from __future__ import annotations

import pytest
from tables import notifications

from ferryman.job import JobRef, State
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from ferryman.storage.river.verbs.insert import NoticeLimiter
from ferryman.storage.values import CancelRequested, JobsAvailable, LeaderResigned, QueueChanged, ResignRequested
from storage._sync.acts import run, store
from storage.ears import Ear
from storage.samples import NOW, completed, later, mail, mail_at


def test_an_insert_tells_each_queue_once(storage: SqliteStorage, db) -> None:
    storage.jobs.insert([mail(queue="bulk"), mail(queue="quick"), mail(queue="bulk")], now=NOW)

    assert notifications(db) == [("river_insert", {"queue": "bulk"}), ("river_insert", {"queue": "quick"})]
    assert db.execute("select payload from river_notification").fetchone()[0] == '{"queue": "bulk"}'


def test_what_cannot_be_taken_yet_is_not_told(storage: SqliteStorage, db) -> None:
    store(storage, mail_at(later(hours=1)))
    store(storage, mail(state=State.PENDING))

    assert notifications(db) == []


def test_a_queue_is_told_again_only_after_a_while(storage: SqliteStorage, db) -> None:
    for _ in range(5):
        store(storage)
    store(storage, mail(queue="bulk"))

    told = [payload["queue"] for _, payload in notifications(db)]
    assert (told[0], told[-1]) == ("default", "bulk")
    assert told.count("default") < 5


def test_the_limit_is_per_queue_and_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [50.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    limiter = NoticeLimiter(seconds=0.1)

    assert [limiter.allows("a"), limiter.allows("a"), limiter.allows("b")] == [True, False, True]
    clock[0] += 0.0999
    assert not limiter.allows("a")
    clock[0] += 0.0002
    assert limiter.allows("a")


def test_a_refused_insert_tells_nothing(storage: SqliteStorage, db) -> None:
    store(storage, mail(id="7001", queue="bulk"))

    with pytest.raises(Exception, match="7001"):
        store(storage, mail(id="7001", queue="quick"))

    assert notifications(db) == [("river_insert", {"queue": "bulk"})]


def test_cancelling_a_running_job_tells_its_worker(storage: SqliteStorage, db) -> None:
    job = run(storage, mail(queue="bulk"))
    storage.jobs.cancel(job.ref, now=NOW)

    payload = {"action": "cancel", "job_id": int(job.id), "queue": "bulk"}
    assert notifications(db)[1:] == [("river_control", payload)]


def test_cancelling_a_job_that_waits_is_told_too(storage: SqliteStorage, db) -> None:
    ref = store(storage, mail(queue="bulk"))
    storage.jobs.cancel(ref, now=NOW)
    storage.jobs.cancel(ref, now=NOW)

    payload = {"action": "cancel", "job_id": int(ref.id), "queue": "bulk"}
    assert notifications(db)[1:] == [("river_control", payload)]


def test_cancelling_a_finished_job_tells_nobody(storage: SqliteStorage, db) -> None:
    job = run(storage)
    storage.jobs.finish([completed(job)], now=NOW)
    storage.jobs.cancel(job.ref, now=NOW)

    assert [topic for topic, _ in notifications(db)] == ["river_insert"]


def test_pausing_resuming_and_asking_to_resign_is_told(storage: SqliteStorage, db) -> None:
    storage.queues.announce(["bulk"], now=NOW)
    storage.queues.pause("bulk", now=NOW)
    storage.queues.resume("*", now=NOW)
    term = storage.leaders.elect("ada", term=None, now=NOW)
    storage.notices.request_resign()
    storage.leaders.resign("ada", term=term)
    storage.leaders.resign("ada", term=term)

    assert notifications(db) == [
        ("river_control", {"action": "pause", "queue": "bulk"}),
        ("river_control", {"action": "resume", "queue": "*"}),
        ("river_leadership", {"action": "request_resign", "leader_id": ""}),
    ]


def test_notices_are_deleted_when_all_have_had_five_minutes_to_read_them(storage: SqliteStorage, db) -> None:
    storage.queues.pause("*", now=NOW)
    storage.queues.resume("*", now=later(seconds=1))

    assert storage.notices.prune(now=later(minutes=5)) == 0
    assert storage.notices.prune(now=later(minutes=5, seconds=1)) == 1
    assert [payload["action"] for _, payload in notifications(db)] == ["resume"]


# What other programs write


def tell(db, topic: str, payload: str) -> None:
    db.execute("insert into river_notification (topic, payload) values (?, ?)", (topic, payload))


@pytest.mark.parametrize(
    ("topic", "payload", "notice"),
    [
        ("river_insert", '{"queue": "bulk"}', JobsAvailable("bulk")),
        ("river_control", '{"action" : "cancel", "job_id" : 5, "queue" : "bulk"}', CancelRequested(JobRef("5"))),
        ("river_control", '{"action":"pause","queue":"bulk"}', QueueChanged("bulk", True)),
        ("river_control", '{"action":"resume","queue":"*"}', QueueChanged("*", False)),
        ("river_control", '{"action":"metadata_changed","metadata":{},"queue":"bulk"}', QueueChanged("bulk")),
        ("river_leadership", '{"leader_id":"ada","action":"resigned"}', LeaderResigned("ada")),
        ("river_leadership", '{"action":"request_resign","leader_id":""}', ResignRequested()),
    ],
)
def test_what_rivers_clients_say_is_understood(storage: SqliteStorage, db, topic, payload, notice) -> None:
    with Ear(storage) as ear:
        tell(db, topic, payload)

        while ear.next(type(notice)) != notice:
            pass


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("river_control", "not json"),
        ("river_control", "[]"),
        ("river_control", '{"action":"dance","queue":"bulk"}'),
        ("river_control", '{"action":"cancel","job_id":"five"}'),
        ("river_insert", '{"queue":5}'),
        ("river_weather", '{"action":"pause","queue":"bulk"}'),
    ],
)
def test_what_nobody_understands_is_passed_over(storage: SqliteStorage, db, topic: str, payload: str) -> None:
    with Ear(storage) as ear:
        tell(db, topic, payload)
        tell(db, "river_leadership", '{"action":"request_resign","leader_id":""}')
        ear.next(ResignRequested)

    assert set(ear.heard) <= {JobsAvailable(), ResignRequested()}


def test_however_many_notices_come_at_once_all_are_heard(storage: SqliteStorage, db) -> None:
    with Ear(storage) as ear:
        db.execute("begin")
        for number in range(1_200):
            tell(db, "river_control", f'{{"action":"pause","queue":"queue-{number}"}}')
        db.execute("commit")

        heard = [ear.next(QueueChanged).queue for _ in range(1_200)]

    assert heard == [f"queue-{number}" for number in range(1_200)]


def test_any_write_of_another_program_is_a_hint_that_there_may_be_jobs(storage: SqliteStorage, db) -> None:
    with Ear(storage) as ear:
        db.execute("insert into river_job (kind) values ('mail')")

        assert ear.next(JobsAvailable) == JobsAvailable()
