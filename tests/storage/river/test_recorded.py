"""What a running task notes goes into the metadata, whatever became of the job (spec/river.md 5.7)."""

from __future__ import annotations

import json

import pytest
from tables import change, decoded

from ferryman.job import State
from ferryman.options import unique_for
from ferryman.outcome import Completed, Finished
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from storage._sync.acts import run, store, take
from storage.samples import NOW, completed, discarded, failed, later, mail, snoozed

NOTES = {"seen": b'{"a":null,"b":[1,1e400]}', "step": b'"first"', "a.b": b"null"}


def with_notes(finished: Finished) -> Finished:
    return Finished(finished.job, finished.outcome, finished.output, NOTES)


@pytest.mark.parametrize(
    "outcome",
    [
        completed,
        discarded,
        lambda job: failed(job, again=later(hours=1)),
        lambda job: snoozed(job, until=later(hours=1)),
    ],
    ids=["completed", "discarded", "failed", "snoozed"],
)
def test_notes_are_set_and_what_else_was_there_stays(storage: SqliteStorage, db, outcome) -> None:
    job = run(storage, mail(metadata={"user": {"x": None}, "step": "before"}))

    storage.jobs.finish([with_notes(outcome(job))], now=NOW)

    kept = decoded(db, job.ref, "metadata")
    assert (kept["user"], kept["step"], kept["a.b"], kept["seen"]["a"]) == ({"x": None}, "first", None, None)


def test_an_output_is_kept_beside_the_notes(storage: SqliteStorage, db) -> None:
    job = run(storage)

    storage.jobs.finish([Finished(job, Completed(b'{"sent":3}'), None, NOTES)], now=NOW)

    kept = decoded(db, job.ref, "metadata")
    assert (kept["output"], kept["step"]) == ({"sent": 3}, "first")


def test_notes_of_a_job_that_ended_elsewhere_are_kept_too(storage: SqliteStorage, db) -> None:
    job = run(storage)
    db.execute("update river_job set state = 'discarded', finalized_at = '2026-11-21 12:00:00.000'")

    assert storage.jobs.finish([with_notes(completed(job))], now=NOW) == [None]
    assert decoded(db, job.ref, "metadata")["step"] == "first"


def test_running_jobs_that_somebody_asked_to_stop_are_found(storage: SqliteStorage) -> None:
    refs = [store(storage) for _ in range(3)]
    take(storage)
    waiting = store(storage)
    for ref in (refs[1], waiting):
        storage.jobs.cancel(ref, now=NOW)

    assert storage.jobs.asked_to_stop([*refs, waiting]) == [refs[1]]
    assert storage.jobs.asked_to_stop([]) == []


def test_a_queues_metadata_are_told(storage: SqliteStorage, db) -> None:
    storage.queues.announce(["bulk"], now=NOW)

    storage.queues.update("bulk", {"zeta": "<z>", "alpha": 1}, now=later(seconds=9))

    stored, at = db.execute("select json(metadata), updated_at from river_queue").fetchone()
    (told,) = db.execute("select payload from river_notification").fetchone()
    assert (json.loads(stored), at) == ({"zeta": "<z>", "alpha": 1}, "2026-11-21 12:00:09.000")
    assert json.loads(told) == {"action": "metadata_changed", "metadata": json.loads(stored), "queue": "bulk"}


@pytest.mark.parametrize("column", ["args", "attempted_by", "errors", "metadata", "tags"])
def test_a_fetched_job_says_which_part_of_it_is_damaged(storage: SqliteStorage, db, column: str) -> None:
    change(db, store(storage), **{column: "not json"})
    store(storage)

    damaged, sound = take(storage)

    assert damaged.unreadable == f"{column} is not valid JSON"
    assert (sound.unreadable, damaged.state) == ("", State.RUNNING)


def test_an_insert_can_answer_with_the_rows_as_they_are_then(storage: SqliteStorage) -> None:
    (first,) = storage.jobs.insert_and_get([mail(unique=unique_for(True), tags=("big",))], now=NOW)
    take(storage)

    (second,) = storage.jobs.insert_and_get([mail(unique=unique_for(True))], now=later(hours=1))

    assert (first[0].duplicate, first[1].state, first[1].tags) == (False, State.AVAILABLE, ("big",))
    assert (second[0].duplicate, second[1].ref, second[1].state) == (True, first[1].ref, State.RUNNING)
    assert first[1].unique_key == second[1].unique_key is not None
    assert State.SCHEDULED in (first[1].unique_states or ())
