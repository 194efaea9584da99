"""What others wrote badly into River's tables on Postgres fails its own job at most, and what is large stays exact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ferryman.errors import Forbidden, InvalidJob, SchemaOutOfDate
from ferryman.job import JobRef, State
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Retention
from storage._sync.acts import answer, run, states, store, take
from storage.places import PLACES, OnPostgres
from storage.samples import EVERYTHING, NOW, cancelled, completed, discarded, failed, later, mail, released, snoozed


@pytest.fixture
def place(tmp_path: Path, shared: Path) -> Iterator[Any]:
    with PLACES["river-postgres18"](tmp_path, shared) as place:
        yield place


@pytest.fixture
def storage(place: OnPostgres) -> Iterator[Storage]:
    with place.open() as storage:
        yield storage


@pytest.fixture
def db(place: OnPostgres) -> Iterator[psycopg.Connection[Any]]:
    """Another program, which may write anything."""
    with psycopg.connect(place.location.url, autocommit=True) as connection:
        yield connection


def change(db: psycopg.Connection[Any], ref: JobRef, column: str, value: str) -> None:
    """Write a column of a job; the value is SQL."""
    db.execute(f"update river_job set {column} = {value} where id = {ref.id}")  # type: ignore[arg-type]


def column(db: psycopg.Connection[Any], ref: JobRef, name: str) -> Any:
    return db.execute(f"select {name} from river_job where id = {ref.id}").fetchall()[0][0]  # type: ignore[arg-type]


OUTCOMES = {
    "completed": completed,
    "completed with output": lambda job: completed(job, b'{"sent":3}'),
    "discarded": discarded,
    "cancelled": cancelled,
    "released": released,
    "failed": lambda job: failed(job, again=later(hours=1)),
    "snoozed": lambda job: snoozed(job, until=later(hours=1)),
}
each_outcome = pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)

METADATA = ["[]", '["cancel_attempted_at"]', "7", '"snoozes"', "true", "null"]
each_metadata = pytest.mark.parametrize("metadata", METADATA)


@each_outcome
@each_metadata
def test_metadata_that_is_no_object_keeps_no_batch_from_being_written(storage, db, metadata: str, outcome) -> None:
    odd = store(storage)
    store(storage)
    change(db, odd, "metadata", f"'{metadata}'")

    first, second = storage.jobs.finish([outcome(job) for job in take(storage)], now=NOW)

    assert first is second is not None
    assert column(db, odd, "metadata") == json.loads(metadata)


@each_metadata
def test_metadata_that_is_no_object_stops_no_chore_and_no_person(storage, db, metadata: str) -> None:
    odd = store(storage, mail(state=State.SCHEDULED, scheduled_at=later(seconds=60)))
    change(db, odd, "metadata", f"'{metadata}'")

    assert storage.jobs.promote(limit=9, now=later(seconds=60)) == 1
    (job,) = take(storage, now=later(seconds=60))
    assert storage.jobs.cancel(job.ref, now=NOW).state is State.RUNNING
    stuck = storage.jobs.stuck(older_than=later() - later(hours=-1), limit=9, now=later(hours=2))
    assert storage.jobs.rescue([failed(each, again=NOW) for each in stuck], now=later(hours=2)) == [State.RETRYABLE]
    assert storage.jobs.discard(job.ref, now=NOW).state is State.DISCARDED
    assert storage.jobs.retry(job.ref, now=NOW).state is State.AVAILABLE
    storage.jobs.finish([completed(job) for job in take(storage)], now=NOW)
    storage.jobs.prune_own(Retention(kinds={"fax": 60}), limit=9, now=later(days=2))
    assert [each.ref for each in storage.jobs.list(EVERYTHING).items] == [odd]
    assert storage.jobs.prune(Retention(), limit=9, now=later(days=2)) == 1


def test_a_loser_of_its_unique_key_may_have_metadata_that_is_no_object(storage, db) -> None:
    first, second = store(storage), store(storage, mail(state=State.SCHEDULED, scheduled_at=NOW))
    for ref in (first, second):
        change(db, ref, "metadata", "'[]'")
    change(db, second, "state", "'retryable'")
    change(db, first, "unique_key", "'k'")
    change(db, first, "unique_states", "B'00000001'")
    db.execute("update river_job set unique_key = 'k', unique_states = B'10000000' where id = %s", [second.id])

    assert storage.jobs.promote(limit=9, now=later(hours=1)) == 1
    assert State.RETRYABLE not in states(storage)


ERRORS = [
    "array['7'::jsonb]",
    "array['null'::jsonb, '[1]', '\"text\"']",
    "array[null::jsonb]",
    'array[\'{"at": 5, "attempt": "x", "error": []}\'::jsonb]',
    "'{}'",
]


@pytest.mark.parametrize("errors", ERRORS)
def test_errors_of_a_broken_client_stop_nothing(storage, db, errors: str) -> None:
    ref = store(storage)
    change(db, ref, "errors", errors)
    before = len(column(db, ref, "errors"))

    (job,) = take(storage)
    assert len(job.errors) == before
    assert storage.jobs.finish([failed(job, again=NOW, text="new")], now=NOW) == [State.AVAILABLE]

    assert storage.jobs.get(ref).errors[-1].error == "new"
    assert len(column(db, ref, "errors")) == before + 1


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "4713-01-01 BC", "294276-12-31"])
@pytest.mark.parametrize("name", ["created_at", "attempted_at", "scheduled_at"])
def test_times_that_no_clock_shows_stop_nothing(storage, db, name: str, moment: str) -> None:
    ref, sound = store(storage), store(storage)
    change(db, ref, name, f"'{moment}'")
    if name == "scheduled_at" and not moment.startswith("-") and not moment.endswith("BC"):
        change(db, ref, "state", "'scheduled'")  # never due
        assert [job.ref for job in take(storage)] == [sound]
    else:
        taken = take(storage)
        assert {job.ref for job in taken} == {ref, sound}
        assert storage.jobs.finish([completed(job) for job in taken], now=NOW) == [State.COMPLETED] * 2

    storage.jobs.promote(limit=9, now=NOW)
    assert storage.jobs.get(ref).ref == ref
    assert len(storage.jobs.list(EVERYTHING).items) == 2
    assert storage.queues.list()


@pytest.mark.parametrize("moment", ["infinity", "-infinity"])
def test_a_job_that_runs_since_ever_is_taken_back_and_one_that_finished_so_is_deleted(storage, db, moment) -> None:
    job = run(storage)
    change(db, job.ref, "attempted_at", f"'{moment}'")
    stuck = storage.jobs.stuck(older_than=later(hours=1) - later(), limit=9, now=later(hours=2))
    rescued = storage.jobs.rescue([failed(each, again=NOW) for each in stuck], now=later(hours=2))
    assert rescued == ([State.RETRYABLE] if moment == "-infinity" else [])

    done = run(storage)
    storage.jobs.finish([completed(done)], now=NOW)
    change(db, done.ref, "finalized_at", f"'{moment}'")
    assert storage.jobs.prune(Retention(), limit=9, now=later(days=2)) == (moment == "-infinity")


NUMBERS = f'{{"big":{2**63},"huge":{10**40},"order":{2**53 + 1}}}'


def test_integers_past_what_floats_hold_come_back_exact(storage, db) -> None:
    ref = store(storage, mail(args=NUMBERS.encode(), metadata=json.loads(NUMBERS)))

    (job,) = take(storage)
    assert json.loads(job.args) == json.loads(NUMBERS)
    assert json.loads(job.raw_metadata).items() >= json.loads(NUMBERS).items()

    storage.jobs.finish([completed(job, NUMBERS.encode())], now=NOW)
    kept = json.loads(storage.jobs.get(ref).raw_metadata)
    assert kept["output"] == json.loads(NUMBERS)
    assert kept["order"] == 2**53 + 1


def test_more_attempts_than_the_column_holds_are_as_many_as_it_holds(storage) -> None:
    assert storage.jobs.get(store(storage, mail(max_attempts=40_000))).max_attempts == 32_767


def test_a_name_may_be_as_long_as_river_allows_and_no_longer(storage) -> None:
    queue, kind = "q" * 64, "k" * 127
    storage.queues.announce([queue])
    job = run(storage, mail(queue=queue, kind=kind))
    storage.queues.pause(queue)

    assert (job.queue, job.kind) == (queue, kind)
    for wrong in (mail(queue="q" * 65), mail(kind="k" * 128)):
        with pytest.raises(InvalidJob, match="does not suit River"):
            answer(storage, wrong)


def test_any_number_of_tags_is_kept(storage) -> None:
    tags = tuple(f"tag{number}" for number in range(33))

    assert storage.jobs.get(store(storage, mail(tags=tags))).tags == tags


# The tables


def test_tables_that_are_newer_than_this_version_are_refused_with_what_to_do(storage, place: OnPostgres, db) -> None:
    db.execute("insert into river_migration (line, version) values ('main', 99)")
    try:
        with pytest.raises(SchemaOutOfDate, match="99"), place.open():
            pass
    finally:
        db.execute("delete from river_migration where version = 99")


def test_tables_that_are_older_than_needed_are_refused_with_what_to_type(storage, place: OnPostgres) -> None:
    storage.schema.migrate("main", up=False, target=6)
    with pytest.raises(SchemaOutOfDate, match=r"migration 6 .* needs 7\. Run: ferryman migrate up"), place.open():
        pass
    storage.schema.migrate("main", up=True)


@pytest.fixture
def stranger(place: OnPostgres, db) -> Iterator[OnPostgres]:
    """The same tables, for a role that may see which migrations there are, and nothing else."""
    role = f"stranger_{db.info.backend_pid}"
    db.execute(f"create role {role} login")
    db.execute(f"grant select on river_migration to {role}")
    try:
        yield OnPostgres(place.location.url.replace("//ferryman@", f"//{role}@"))
    finally:
        db.execute(f"drop owned by {role}")
        db.execute(f"drop role {role}")


ACTS = {
    "fetch": take,
    "insert": store,
    "beat": lambda storage: storage.queues.announce(["default"]),
    "elect": lambda storage: storage.leaders.elect("ada", term=None),
    "list": lambda storage: storage.jobs.list(EVERYTHING),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_right_that_is_missing_is_said_with_what_to_grant(stranger: OnPostgres, act) -> None:
    with (
        stranger.open() as storage,
        pytest.raises(Forbidden, match=r"permission denied .* Grant the user"),
    ):
        act(storage)
