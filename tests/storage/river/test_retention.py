"""How long finished jobs are kept: by state, by task, by the job itself (spec/river.md 6.3, design.md 5.6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ferryman.errors import JobNotFound
from ferryman.job import Job
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from ferryman.storage.values import Retention
from storage._sync.acts import run, take
from storage.samples import NOW, cancelled, completed, discarded, kept_mail, later, mail

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
STATES = {"completed": completed, "cancelled": cancelled, "discarded": discarded}


def finished(storage: SqliteStorage, outcome=completed, job=None) -> Job:
    running = run(storage, job)
    storage.jobs.finish([outcome(running)], now=NOW)
    return running


def there(storage: SqliteStorage, job: Job) -> bool:
    try:
        storage.jobs.get(job.ref)
    except JobNotFound:
        return False
    return True


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_a_time_of_its_own(storage: SqliteStorage, state: str) -> None:
    jobs = {name: finished(storage, outcome) for name, outcome in STATES.items()}
    keep = Retention(**{**dict.fromkeys(STATES, WEEK), state: DAY})

    assert storage.jobs.prune(keep, limit=9, now=later(days=1, milliseconds=-1)) == 0
    assert storage.jobs.prune(keep, limit=9, now=later(days=1)) == 1
    assert [name for name in jobs if not there(storage, jobs[name])] == [state]


@pytest.mark.parametrize("state", STATES)
def test_one_state_can_be_kept_forever(storage: SqliteStorage, state: str) -> None:
    jobs = {name: finished(storage, outcome) for name, outcome in STATES.items()}
    keep = Retention(**{**dict.fromkeys(STATES, DAY), state: None})

    assert storage.jobs.prune(keep, limit=9, now=later(days=9_999)) == 2
    assert there(storage, jobs[state])


def test_the_limit_holds_across_states(storage: SqliteStorage) -> None:
    for outcome in STATES.values():
        finished(storage, outcome)
        finished(storage, outcome)

    assert [storage.jobs.prune(Retention(), limit=4, now=later(days=8)) for _ in range(3)] == [4, 2, 0]


# What tasks and jobs say themselves


@pytest.mark.parametrize("kind", ["mail", "briefing:generate", "a.b-c", "Mail[To]<x>/y", "123", "it.s"])
def test_a_task_can_say_how_long_its_jobs_are_kept(storage: SqliteStorage, kind: str) -> None:
    job = finished(storage, job=mail(kind=kind))
    other = finished(storage, job=mail(kind="fax"))
    keep = Retention(completed=DAY, kinds={kind: 7200.0, "telegram": 1.0})

    assert storage.jobs.prune_own(keep, limit=9, now=later(seconds=7199)) == 0
    assert storage.jobs.prune_own(keep, limit=9, now=later(seconds=7201)) == 1
    assert (there(storage, job), there(storage, other)) == (False, True)


def test_a_task_can_keep_its_jobs_longer_than_their_state_is_kept(storage: SqliteStorage) -> None:
    job = finished(storage)
    keep = Retention(completed=DAY, kinds={"mail": WEEK.total_seconds()})

    assert storage.jobs.prune(keep, limit=9, now=later(days=6)) == 0
    assert storage.jobs.prune_own(keep, limit=9, now=later(days=6)) == 0
    assert storage.jobs.prune_own(keep, limit=9, now=later(days=7, seconds=1)) == 1
    assert not there(storage, job)


@pytest.mark.parametrize("seconds", [0.5, 60, 3600.0, 86_400.0 * 365])
def test_what_a_job_says_itself_counts_before_its_task_and_its_state(storage: SqliteStorage, seconds: float) -> None:
    finished(storage, job=mail(retention=seconds, given=frozenset({"retention"})))
    keep = Retention(completed=DAY, kinds={"mail": 7200.0})

    assert storage.jobs.prune(keep, limit=9, now=later(days=9_999)) == 0
    assert storage.jobs.prune_own(keep, limit=9, now=later(seconds=seconds - 0.25)) == 0
    assert storage.jobs.prune_own(keep, limit=9, now=later(seconds=seconds + 0.25)) == 1


def test_times_of_ones_own_hold_where_the_state_is_kept_forever(storage: SqliteStorage) -> None:
    own, usual = finished(storage, job=kept_mail()), finished(storage)
    keep = Retention(completed=None)

    assert storage.jobs.prune_own(keep, limit=9, now=later(days=2)) == 1
    assert (there(storage, own), there(storage, usual)) == (False, True)


@pytest.mark.parametrize("outcome", [discarded, cancelled])
def test_a_job_that_did_not_complete_is_kept_for_the_time_of_its_state(storage: SqliteStorage, outcome) -> None:
    job = finished(storage, outcome, kept_mail())
    keep = Retention(cancelled=WEEK, discarded=WEEK, kinds={"mail": 1.0})

    assert storage.jobs.prune_own(keep, limit=9, now=later(days=2)) == 0
    assert there(storage, job)
    assert storage.jobs.prune(keep, limit=9, now=later(days=7)) == 1


def test_pruning_by_own_times_stops_at_its_limit(storage: SqliteStorage) -> None:
    storage.jobs.insert([kept_mail()] * 5, now=NOW)
    storage.jobs.finish([completed(job) for job in take(storage)], now=NOW)

    assert [storage.jobs.prune_own(Retention(), limit=2, now=later(days=2)) for _ in range(4)] == [2, 2, 1, 0]
