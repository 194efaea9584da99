"""Unique jobs over their life in River's tables (spec/river.md 3.5, 3.6, 6.5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tables import change, decoded, notifications, row

from ferryman.errors import DuplicateJob
from ferryman.job import State, Unique
from ferryman.options import unique_for
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from storage._sync.acts import answer, run, states, store, take
from storage.samples import NOW, cancelled, completed, discarded, failed, later, mail, mail_at

HOURLY = unique_for("1h")
BY_ARGS = Unique(by_args=True)


def test_the_next_hour_has_a_job_of_its_own(storage: SqliteStorage) -> None:
    assert not answer(storage, mail(unique=HOURLY), now=later(minutes=1)).duplicate
    assert answer(storage, mail(unique=HOURLY), now=later(minutes=59)).duplicate
    assert not answer(storage, mail(unique=HOURLY), now=later(minutes=60)).duplicate


def test_the_hour_of_a_job_for_later_is_its_own(storage: SqliteStorage) -> None:
    assert not answer(storage, mail(unique=HOURLY)).duplicate
    assert not answer(storage, mail_at(later(minutes=90), unique=HOURLY)).duplicate
    assert answer(storage, mail(unique=HOURLY), now=later(minutes=100)).duplicate


def test_a_job_that_is_unique_at_all_has_no_hour(storage: SqliteStorage) -> None:
    store(storage, mail(unique=unique_for(True)))

    assert answer(storage, mail(unique=unique_for(True)), now=later(days=300)).duplicate


@pytest.mark.parametrize(
    ("outcome", "kept_out"),
    [(completed, True), (cancelled, False), (discarded, False)],
    ids=["done", "stopped", "lost"],
)
def test_rivers_own_states_keep_others_out_even_after_completion(
    storage: SqliteStorage, outcome, kept_out: bool
) -> None:
    storage.jobs.finish([outcome(run(storage, mail(unique=BY_ARGS)))], now=NOW)

    assert answer(storage, mail(unique=BY_ARGS)).duplicate is kept_out


def test_a_duplicate_of_another_kind_leaves_the_kind_alone(storage: SqliteStorage) -> None:
    anything = Unique(by_args=True, exclude_kind=True)
    first = answer(storage, mail(unique=anything))

    second = answer(storage, mail(kind="fax", unique=anything))

    assert (second.duplicate, second.ref) == (True, first.ref)
    assert storage.jobs.get(first.ref).kind == "mail"


def test_a_duplicate_still_tells_its_queue(storage: SqliteStorage, db) -> None:
    store(storage, mail(unique=BY_ARGS, queue="bulk"))
    db.execute("delete from river_notification")

    store(storage, mail(unique=BY_ARGS, queue="quick"))

    assert notifications(db) == [("river_insert", {"queue": "quick"})]


def test_key_and_mask_are_written_as_river_writes_them(storage: SqliteStorage, db) -> None:
    found = row(db, store(storage, mail(unique=BY_ARGS)))

    assert (len(found["unique_key"]), found["unique_states"]) == (32, 245)
    assert db.execute("select typeof(unique_key), typeof(unique_states) from river_job").fetchone()[:] == (
        "blob",
        "integer",
    )


def test_the_fast_way_skips_what_is_there(storage: SqliteStorage) -> None:
    store(storage, mail(unique=BY_ARGS))

    assert storage.jobs.insert_fast([mail(unique=BY_ARGS), *[mail()] * 20, mail(unique=BY_ARGS)], now=NOW) == 20


def test_an_id_that_is_taken_is_refused_inside_a_batch_too(storage: SqliteStorage) -> None:
    with pytest.raises(DuplicateJob, match="7001"):
        storage.jobs.insert([mail(id="7001"), mail(), mail(id="7001")], now=NOW)

    assert states(storage) == {}


# Waiting unique jobs whose place was taken


@pytest.fixture
def rivals(storage: SqliteStorage, db):
    """Three scheduled jobs with the key of a fourth that is available, and one that has no rival."""
    key = row(db, store(storage, mail(unique=BY_ARGS)))["unique_key"]
    refs = [store(storage, mail_at(later(minutes=minutes))) for minutes in (1, 2, 3)]
    for ref in refs[:2]:
        # A mask without `scheduled` is none that our clients write, but others have.
        change(db, ref, unique_key=key, unique_states=1)
    return refs


def test_a_due_job_whose_place_is_taken_is_discarded_and_says_why(storage: SqliteStorage, db, rivals) -> None:
    assert storage.jobs.promote(limit=9, now=later(minutes=10)) == 3

    assert [storage.jobs.get(ref).state for ref in rivals] == [State.DISCARDED, State.DISCARDED, State.AVAILABLE]
    loser = row(db, rivals[0])
    assert (loser["finalized_at"], loser["scheduled_at"]) == ("2026-11-21 12:10:05.000", "2026-11-21 12:01:00.000")
    assert decoded(db, rivals[0], "metadata")["unique_key_conflict"] == "scheduler_discarded"


def test_of_due_rivals_the_earliest_wins(storage: SqliteStorage, db, rivals) -> None:
    db.execute("delete from river_job where state = 'available'")

    storage.jobs.promote(limit=9, now=later(minutes=10))

    assert [storage.jobs.get(ref).state for ref in rivals] == [State.AVAILABLE, State.DISCARDED, State.AVAILABLE]


def test_a_failed_unique_job_is_promoted_as_any_other(storage: SqliteStorage) -> None:
    job = run(storage, mail(unique=BY_ARGS))
    storage.jobs.finish([failed(job, again=later(minutes=1))], now=NOW)

    assert storage.jobs.promote(limit=9, now=later(minutes=1)) == 1
    assert [again.ref for again in take(storage, now=later(minutes=1))] == [job.ref]


def test_a_rescued_unique_job_goes_on_keeping_others_out(storage: SqliteStorage) -> None:
    run(storage, mail(unique=BY_ARGS))
    (lost,) = storage.jobs.stuck(older_than=timedelta(hours=1), limit=9, now=later(hours=2))
    storage.jobs.rescue([failed(lost, again=later(hours=3))], now=later(hours=2))

    assert answer(storage, mail(unique=BY_ARGS), now=later(hours=2)).duplicate
