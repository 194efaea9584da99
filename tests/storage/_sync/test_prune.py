# Generated from tests/storage/_async/test_prune.py by tools/unasync.py: change that file and run `make sync`.
"""Deleting finished jobs past their time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ferryman.errors import JobNotFound
from ferryman.job import Job, State
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Retention
from storage._sync.acts import run, states, store, take
from storage.samples import NOW, completed, discarded, failed, kept_mail, later, mail, mail_at

KEEP = Retention(completed=timedelta(days=1), cancelled=timedelta(days=1), discarded=timedelta(days=7))
FOREVER = Retention(completed=None, cancelled=None, discarded=None)


def clean(storage: Storage, keep: Retention, **passed: float) -> int:
    """Delete all that may go when this much time has passed."""
    now = later(**passed)
    return storage.jobs.prune(keep, limit=100, now=now) + storage.jobs.prune_own(keep, limit=100, now=now)


def finished(storage: Storage, outcome, job) -> Job:
    running = run(storage, job)
    storage.jobs.finish([outcome(running)], now=NOW)
    return running


def gone(storage: Storage, job: Job) -> bool:
    try:
        storage.jobs.get(job.ref)
    except JobNotFound:
        return True
    return False


def test_a_discarded_job_is_kept_for_the_time_of_its_state(storage: Storage) -> None:
    job = finished(storage, discarded, mail())

    assert clean(storage, KEEP, days=6) == 0
    assert not gone(storage, job)
    assert clean(storage, KEEP, days=7, seconds=1) == 1
    assert gone(storage, job)


def test_a_completed_job_is_gone_after_the_time_of_its_state(storage: Storage) -> None:
    job = finished(storage, completed, mail())

    clean(storage, KEEP, days=1, seconds=1)

    assert gone(storage, job)


@pytest.mark.parametrize("hours", [2, 48], ids=["shorter", "longer"])
def test_a_completed_job_is_kept_for_as_long_as_it_says_itself(storage: Storage, hours: int) -> None:
    said = mail(retention=hours * 3600.0, given=frozenset({"retention"}))
    job = finished(storage, completed, said)

    assert clean(storage, KEEP, hours=hours, seconds=-10) == 0
    assert not gone(storage, job)
    assert clean(storage, KEEP, hours=hours, seconds=10) == 1
    assert gone(storage, job)


def test_no_time_means_forever(storage: Storage) -> None:
    job = finished(storage, discarded, mail())

    assert clean(storage, FOREVER, days=20_000) == 0
    assert not gone(storage, job)


def test_what_is_not_finished_is_never_deleted(storage: Storage) -> None:
    run(storage)
    again = run(storage)
    storage.jobs.finish([failed(again, again=later(hours=1))], now=NOW)
    store(storage)
    store(storage, mail_at(later(hours=1)))
    before = states(storage)

    assert clean(storage, KEEP, days=20_000) == 0
    assert states(storage) == before


def test_pruning_stops_at_its_limit_and_goes_on_with_the_next_call(storage: Storage) -> None:
    storage.jobs.insert([mail()] * 5, now=NOW)
    storage.jobs.finish([discarded(job) for job in take(storage)], now=NOW)

    deleted = [storage.jobs.prune(KEEP, limit=2, now=later(days=8)) for _ in range(4)]

    assert deleted == [2, 2, 1, 0]


def test_only_what_is_past_its_time_is_deleted(storage: Storage) -> None:
    old = finished(storage, discarded, mail())
    young = run(storage, kept_mail())
    storage.jobs.finish([discarded(young)], now=later(days=5))

    clean(storage, KEEP, days=8)

    assert gone(storage, old)
    assert (storage.jobs.get(young.ref)).state is State.DISCARDED
