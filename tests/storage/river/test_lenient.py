"""What other programs wrote badly fails its own job at most, and never a queue (spec/river-conformance.md 2.12)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tables import change, decoded, notifications, row

from ferryman.job import FINAL, State
from ferryman.storage.filters import JobFilter
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from ferryman.storage.values import Retention
from storage._sync.acts import run, store, take
from storage.samples import EVERYTHING, NOW, cancelled, completed, discarded, failed, later, released, snoozed

HOUR = timedelta(hours=1)
JUNK = {"text": "not json", "bytes": b"\xff\x00\xfe", "empty": ""}
COLUMNS = ["args", "attempted_by", "errors", "metadata", "tags"]

each_column = pytest.mark.parametrize("column", COLUMNS)
each_junk = pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)


@pytest.fixture
def damaged(storage: SqliteStorage, db, column: str, junk):
    """The address of a job with junk in one column."""
    ref = store(storage)
    change(db, ref, **{column: junk})
    return ref


@each_column
@each_junk
def test_a_damaged_job_keeps_nobody_else_from_being_taken(storage: SqliteStorage, db, damaged, column, junk) -> None:
    sound = store(storage)

    assert [job.ref for job in take(storage)] == [damaged, sound]
    assert row(db, damaged)[column] == junk


@each_column
@each_junk
@pytest.mark.parametrize(
    "outcome",
    [
        completed,
        discarded,
        cancelled,
        released,
        lambda job: failed(job, again=later(hours=1)),
        lambda job: snoozed(job, until=later(hours=1)),
    ],
    ids=["completed", "discarded", "cancelled", "released", "failed", "snoozed"],
)
def test_a_damaged_job_ends_as_any_other(storage: SqliteStorage, db, damaged, column, junk, outcome) -> None:
    store(storage)
    jobs = take(storage)

    first, second = storage.jobs.finish([outcome(job) for job in jobs], now=NOW)

    assert first is second is not None
    if column != "errors":
        assert row(db, damaged)[column] == junk


@each_column
@each_junk
def test_a_damaged_job_can_be_rescued(storage: SqliteStorage, damaged, column, junk) -> None:
    take(storage)
    stuck = storage.jobs.stuck(older_than=HOUR, limit=9, now=later(hours=2))

    assert storage.jobs.rescue([failed(job, again=later(hours=3)) for job in stuck], now=later(hours=2)) == [
        State.RETRYABLE
    ]


@each_column
@each_junk
def test_a_damaged_job_can_be_looked_at_and_acted_on(storage: SqliteStorage, damaged, column, junk) -> None:
    assert storage.jobs.get(damaged).ref == damaged
    assert [job.ref for job in storage.jobs.list(EVERYTHING).items] == [damaged]
    assert storage.jobs.cancel(damaged, now=NOW).state is State.CANCELLED
    assert storage.jobs.retry(damaged, now=NOW).state is State.AVAILABLE
    assert storage.jobs.discard(damaged, now=NOW).state is State.DISCARDED
    assert storage.jobs.delete(damaged).state in FINAL


@each_column
@each_junk
def test_a_damaged_job_goes_when_its_time_is_over(storage: SqliteStorage, damaged, column, junk) -> None:
    storage.jobs.finish([completed(job) for job in take(storage)], now=NOW)

    assert storage.jobs.prune_own(Retention(kinds={"fax": 60}), limit=9, now=later(days=2)) == 0
    assert storage.jobs.prune(Retention(), limit=9, now=later(days=2)) == 1


@each_junk
def test_an_output_that_has_no_place_is_let_go(storage: SqliteStorage, db, junk) -> None:
    job = run(storage)
    change(db, job.ref, metadata=junk)

    assert storage.jobs.finish([completed(job, b'{"sent":3}')], now=NOW) == [State.COMPLETED]
    assert row(db, job.ref)["metadata"] == junk


def test_arguments_that_are_no_json_are_handed_over_as_they_are(storage: SqliteStorage, db) -> None:
    change(db, store(storage), args="not json")
    change(db, store(storage), args=b"\xff\x00\xfe")

    assert [job.args for job in take(storage)] == [b"not json", b"\xff\x00\xfe"]


def test_json_text_is_as_good_as_binary_json(storage: SqliteStorage, db) -> None:
    ref = store(storage)
    change(db, ref, args=b'{"a": [1, null]}', tags='["eu-west"]', metadata=b'{"order": 7}', errors='[{"error": "x"}]')

    (job,) = take(storage)

    assert (job.args, job.tags, job.metadata) == (b'{"a":[1,null]}', ("eu-west",), {"order": 7})
    assert [error.error for error in job.errors] == ["x"]


# Errors


def test_damaged_errors_become_the_first_of_the_new_ones(storage: SqliteStorage, db) -> None:
    job = run(storage)
    change(db, job.ref, errors="not json")

    assert [error.error for error in storage.jobs.get(job.ref).errors] == ["not json"]
    storage.jobs.finish([discarded(job, "new")], now=NOW)

    first, second = decoded(db, job.ref, "errors")
    assert (first, second["error"]) == ("not json", "new")


def test_every_entry_counts_and_those_that_can_be_read_are(storage: SqliteStorage, db) -> None:
    ref = store(storage)
    old = '{"at":"yesterday","attempt":"3","error":"old","trace":[1]}'
    good = '{"at":"2026-11-21T11:00:00.5+01:00","attempt":2,"error":"no route","trace":"frame","more":[]}'
    change(db, ref, errors=f'[1, "text", null, {{"at": 5}}, {old}, {good}]')

    (job,) = take(storage)

    assert len(job.errors) == 6
    assert [error.error for error in job.errors] == ["1", "text", "null", "", "old", "no route"]
    assert (job.errors[4].at.year, job.errors[4].attempt, job.errors[4].trace) == (1, 3, "[1]")
    assert (job.error.at, job.error.attempt, job.error.trace) == (later(hours=-2, seconds=0.5), 2, "frame")


@pytest.mark.parametrize(
    ("errors", "count"), [("[]", 0), ("null", 1), ('"text"', 1), ("7", 1), ('{"error": "one"}', 1), (None, 0)]
)
def test_errors_that_are_no_list_are_one(storage: SqliteStorage, db, errors, count: int) -> None:
    ref = store(storage)
    change(db, ref, errors=errors)

    (job,) = take(storage)

    assert len(job.errors) == count
    assert storage.jobs.finish([discarded(job)], now=NOW) == [State.DISCARDED]


# The other columns


@pytest.mark.parametrize("tags", ["null", "[]", "{}", "7", "[1, 2]", '["eu-west", 1]'])
def test_tags_that_are_no_list_of_texts_are_none(storage: SqliteStorage, db, tags: str) -> None:
    ref = store(storage)
    change(db, ref, tags=tags)

    assert storage.jobs.get(ref).tags == take(storage)[0].tags == ()


@pytest.mark.parametrize("names", ["null", "7", "[1]", '{"worker": 1}', '"ada"'])
def test_whatever_stands_in_attempted_by_the_job_is_taken(storage: SqliteStorage, db, names: str) -> None:
    ref = store(storage)
    change(db, ref, attempted_by=names)

    assert len(take(storage)) == 1
    assert storage.jobs.get(ref).state is State.RUNNING


@pytest.mark.parametrize(
    "metadata",
    [
        "null",
        "7",
        "[]",
        '["ferryman:timeout"]',
        '{"ferryman:timeout": "soon"}',
        '{"ferryman:deadline": "never", "ferryman:headers": [1]}',
        '{"ferryman:retention": "a while"}',
        '{"snoozes": [1]}',
        '{"river:rescue_count": "often"}',
    ],
)
def test_metadata_of_any_shape_stops_nothing(storage: SqliteStorage, db, metadata: str) -> None:
    ref = store(storage)
    change(db, ref, metadata=metadata)

    (job,) = take(storage)
    storage.jobs.finish([snoozed(job, until=later(seconds=60))], now=NOW)
    storage.jobs.promote(limit=9, now=later(seconds=60))
    (job,) = take(storage, now=later(seconds=60))
    assert storage.jobs.finish([completed(job, b"1")], now=NOW) == [State.COMPLETED]
    storage.jobs.prune(Retention(), limit=9, now=later(days=2))
    storage.jobs.prune_own(Retention(), limit=9, now=later(days=2))


@pytest.mark.parametrize("column", ["created_at", "attempted_at", "finalized_at"])
def test_a_time_that_nobody_can_read_is_none(storage: SqliteStorage, db, column: str) -> None:
    ref = store(storage)
    storage.jobs.cancel(ref, now=NOW)
    change(db, ref, **{column: "yesterday"})

    assert getattr(storage.jobs.get(ref), column) is None
    assert len(storage.jobs.list(JobFilter()).items) == 1


def test_a_stuck_job_with_a_time_of_another_form_is_rescued_all_the_same(storage: SqliteStorage, db) -> None:
    job = run(storage)
    change(db, job.ref, attempted_at="2026-11-21 12:00:00.123456789 +0000 UTC")
    (lost,) = storage.jobs.stuck(older_than=HOUR, limit=9, now=later(hours=2))

    assert storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2)) == [State.RETRYABLE]


def test_a_queue_of_any_name_can_be_paused(storage: SqliteStorage, db) -> None:
    change(db, store(storage), queue='odd "name"')

    storage.queues.pause('odd "name"', now=NOW)

    assert take(storage, 'odd "name"') == []
    assert notifications(db)[-1] == ("river_control", {"action": "pause", "queue": 'odd "name"'})
