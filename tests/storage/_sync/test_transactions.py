# Generated from tests/storage/_async/test_transactions.py by tools/unasync.py: change that file and run `make sync`.
"""Jobs that are part of the caller's own transaction: they exist if and only if it commits."""

from __future__ import annotations

import pytest

from ferryman.errors import DuplicateJob, InvalidJob, Unsupported
from ferryman.job import State
from ferryman.options import unique_for
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature
from storage._sync.acts import answer, states, store, take
from storage.places import Place
from storage.samples import EVERYTHING, NOW, mail, needs

pytestmark = needs(Feature.TRANSACTIONS)


def test_a_job_is_there_once_the_transaction_commits(storage: Storage, place: Place) -> None:
    with place.transaction() as mine:
        inserted = answer(storage, mail(tx=mine.tx))
        assert states(storage) == {}

        mine.commit()

    assert [job.ref for job in take(storage)] == [inserted.ref]


def test_a_job_of_a_transaction_that_rolls_back_was_never_there(storage: Storage, place: Place) -> None:
    with place.transaction() as mine:
        store(storage, mail(tx=mine.tx))

        mine.rollback()

    assert states(storage) == {}


def test_the_fast_way_takes_part_too(storage: Storage, place: Place) -> None:
    with place.transaction() as mine:
        assert storage.jobs.insert_fast([mail(tx=mine.tx), mail(tx=mine.tx)], now=NOW) == 2
        assert states(storage) == {}

        mine.commit()

    assert states(storage) == {State.AVAILABLE: 2}


def test_thousands_of_jobs_are_part_of_one_transaction(storage: Storage, place: Place) -> None:
    with place.transaction() as mine:
        many = [mail(tx=mine.tx, kind=f"kind-{number}") for number in range(1_500)]
        inserted = storage.jobs.insert(many, now=NOW)
        assert states(storage) == {}

        mine.commit()

    assert states(storage) == {State.AVAILABLE: 1_500}
    assert (storage.jobs.get(inserted[-1].ref)).kind == "kind-1499"


def test_a_duplicate_is_found_inside_the_transaction(storage: Storage, place: Place) -> None:
    with place.transaction() as mine:
        first = answer(storage, mail(tx=mine.tx, unique=unique_for(True)))
        second = answer(storage, mail(tx=mine.tx, unique=unique_for(True)))

        assert (second.duplicate, second.ref) == (True, first.ref)


def test_a_refused_batch_leaves_nothing_in_the_transaction(storage: Storage, place: Place) -> None:
    store(storage, mail(id="7001"))
    with place.transaction() as mine:
        store(storage, mail(tx=mine.tx, queue="mine"))
        with pytest.raises(DuplicateJob):
            storage.jobs.insert([mail(tx=mine.tx), mail(tx=mine.tx, id="7001")], now=NOW)

        mine.commit()

    assert states(storage) == {State.AVAILABLE: 2}
    assert len(take(storage, "mine")) == 1


def test_one_batch_belongs_to_one_transaction(storage: Storage, place: Place) -> None:
    with place.transaction() as mine:
        with pytest.raises(InvalidJob, match="different transactions"):
            storage.jobs.insert([mail(tx=mine.tx), mail()], now=NOW)

        mine.commit()

    assert states(storage) == {}


def test_what_is_no_connection_is_refused(storage: Storage) -> None:
    with pytest.raises(Unsupported, match="tx is a"):
        store(storage, mail(tx="BEGIN"))

    assert states(storage) == {}


# Acting on what is there


@pytest.mark.parametrize("commit", [True, False])
def test_what_is_done_within_a_transaction_counts_when_it_commits(storage: Storage, place: Place, commit: bool) -> None:
    cancelled, retried = store(storage), store(storage)
    storage.jobs.cancel(retried, now=NOW)
    storage.queues.announce(["default"], now=NOW)

    with place.transaction() as mine:
        store(storage, mail(tx=mine.tx, queue="opens-it"))  # psycopg begins with the first statement
        within = storage.within(mine.tx)
        within.jobs.cancel(cancelled, now=NOW)
        within.jobs.retry(retried, now=NOW)
        within.queues.pause("default", now=NOW)
        within.notices.request_resign()
        assert (within.jobs.get(cancelled)).state is State.CANCELLED
        assert (storage.jobs.get(cancelled)).state is State.AVAILABLE
        (mine.commit() if commit else mine.rollback())

    found = [(storage.jobs.get(ref)).state for ref in (cancelled, retried)]
    assert found == ([State.CANCELLED, State.AVAILABLE] if commit else [State.AVAILABLE, State.CANCELLED])
    assert list(storage.queues.paused(["default"])) == (["default"] if commit else [])


def test_jobs_within_a_transaction_are_listed_there_only(storage: Storage, place: Place) -> None:
    with place.transaction() as mine:
        ref = store(storage, mail(tx=mine.tx))

        inside = storage.within(mine.tx).jobs.list(EVERYTHING)
        outside = storage.jobs.list(EVERYTHING)

        assert ([job.ref for job in inside.items], outside.items) == ([ref], [])
