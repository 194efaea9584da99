# Generated from tests/storage/_async/test_promote.py by tools/unasync.py: change that file and run `make sync`.
"""Making due jobs available."""

from __future__ import annotations

from ferryman.job import State
from ferryman.storage._sync.protocol import Storage
from storage._sync.acts import run, states, store, take
from storage.samples import NOW, failed, later, mail_at


def test_what_is_due_becomes_available(storage: Storage) -> None:
    ref = store(storage, mail_at(later(minutes=10)))

    assert storage.jobs.promote(limit=10, now=later(minutes=10)) == 1

    assert (storage.jobs.get(ref)).state is State.AVAILABLE
    assert [job.ref for job in take(storage, now=later(minutes=10))] == [ref]


def test_what_is_not_due_stays_where_it_is(storage: Storage) -> None:
    store(storage, mail_at(later(minutes=10)))

    assert storage.jobs.promote(limit=10, now=later(minutes=9)) == 0
    assert states(storage) == {State.SCHEDULED: 1}


def test_new_jobs_and_failed_ones_of_every_queue_are_promoted_together(storage: Storage) -> None:
    job = run(storage)
    storage.jobs.finish([failed(job, again=later(minutes=5))], now=NOW)
    store(storage, mail_at(later(minutes=6), queue="bulk"))
    store(storage, mail_at(later(hours=6), queue="bulk"))

    assert storage.jobs.promote(limit=10, now=later(minutes=7)) == 2
    assert states(storage) == {State.AVAILABLE: 2, State.SCHEDULED: 1}


def test_promoting_stops_at_its_limit_and_goes_on_with_the_next_call(storage: Storage) -> None:
    storage.jobs.insert([mail_at(later(minutes=1)) for _ in range(5)], now=NOW)

    moved = [storage.jobs.promote(limit=2, now=later(minutes=2)) for _ in range(4)]

    assert moved == [2, 2, 1, 0]
    assert states(storage) == {State.AVAILABLE: 5}


def test_what_is_running_or_done_is_not_promoted(storage: Storage) -> None:
    run(storage)

    assert storage.jobs.promote(limit=10, now=later(days=9)) == 0
    assert states(storage) == {State.RUNNING: 1}
