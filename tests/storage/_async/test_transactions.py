"""Jobs that are part of the caller's own transaction: they exist if and only if it commits."""

from __future__ import annotations

import pytest

from ferryman.errors import DuplicateJob, InvalidJob, Unsupported
from ferryman.job import State
from ferryman.options import unique_for
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature
from storage._async.acts import answer, states, store, take
from storage.places import Place
from storage.samples import EVERYTHING, NOW, mail, needs

pytestmark = needs(Feature.TRANSACTIONS)


async def test_a_job_is_there_once_the_transaction_commits(storage: AsyncStorage, place: Place) -> None:
    async with place.async_transaction() as mine:
        inserted = await answer(storage, mail(tx=mine.tx))
        assert await states(storage) == {}

        await mine.commit()

    assert [job.ref for job in await take(storage)] == [inserted.ref]


async def test_a_job_of_a_transaction_that_rolls_back_was_never_there(storage: AsyncStorage, place: Place) -> None:
    async with place.async_transaction() as mine:
        await store(storage, mail(tx=mine.tx))

        await mine.rollback()

    assert await states(storage) == {}


async def test_the_fast_way_takes_part_too(storage: AsyncStorage, place: Place) -> None:
    async with place.async_transaction() as mine:
        assert await storage.jobs.insert_fast([mail(tx=mine.tx), mail(tx=mine.tx)], now=NOW) == 2
        assert await states(storage) == {}

        await mine.commit()

    assert await states(storage) == {State.AVAILABLE: 2}


async def test_thousands_of_jobs_are_part_of_one_transaction(storage: AsyncStorage, place: Place) -> None:
    async with place.async_transaction() as mine:
        many = [mail(tx=mine.tx, kind=f"kind-{number}") for number in range(1_500)]
        inserted = await storage.jobs.insert(many, now=NOW)
        assert await states(storage) == {}

        await mine.commit()

    assert await states(storage) == {State.AVAILABLE: 1_500}
    assert (await storage.jobs.get(inserted[-1].ref)).kind == "kind-1499"


async def test_a_duplicate_is_found_inside_the_transaction(storage: AsyncStorage, place: Place) -> None:
    async with place.async_transaction() as mine:
        first = await answer(storage, mail(tx=mine.tx, unique=unique_for(True)))
        second = await answer(storage, mail(tx=mine.tx, unique=unique_for(True)))

        assert (second.duplicate, second.ref) == (True, first.ref)


async def test_a_refused_batch_leaves_nothing_in_the_transaction(storage: AsyncStorage, place: Place) -> None:
    await store(storage, mail(id="7001"))
    async with place.async_transaction() as mine:
        await store(storage, mail(tx=mine.tx, queue="mine"))
        with pytest.raises(DuplicateJob):
            await storage.jobs.insert([mail(tx=mine.tx), mail(tx=mine.tx, id="7001")], now=NOW)

        await mine.commit()

    assert await states(storage) == {State.AVAILABLE: 2}
    assert len(await take(storage, "mine")) == 1


async def test_one_batch_belongs_to_one_transaction(storage: AsyncStorage, place: Place) -> None:
    async with place.async_transaction() as mine:
        with pytest.raises(InvalidJob, match="different transactions"):
            await storage.jobs.insert([mail(tx=mine.tx), mail()], now=NOW)

        await mine.commit()

    assert await states(storage) == {}


async def test_what_is_no_connection_is_refused(storage: AsyncStorage) -> None:
    with pytest.raises(Unsupported, match="tx is a"):
        await store(storage, mail(tx="BEGIN"))

    assert await states(storage) == {}


# Acting on what is there


@pytest.mark.parametrize("commit", [True, False])
async def test_what_is_done_within_a_transaction_counts_when_it_commits(
    storage: AsyncStorage, place: Place, commit: bool
) -> None:
    cancelled, retried = await store(storage), await store(storage)
    await storage.jobs.cancel(retried, now=NOW)
    await storage.queues.announce(["default"], now=NOW)

    async with place.async_transaction() as mine:
        await store(storage, mail(tx=mine.tx, queue="opens-it"))  # psycopg begins with the first statement
        within = storage.within(mine.tx)
        await within.jobs.cancel(cancelled, now=NOW)
        await within.jobs.retry(retried, now=NOW)
        await within.queues.pause("default", now=NOW)
        await within.notices.request_resign()
        assert (await within.jobs.get(cancelled)).state is State.CANCELLED
        assert (await storage.jobs.get(cancelled)).state is State.AVAILABLE
        await (mine.commit() if commit else mine.rollback())

    found = [(await storage.jobs.get(ref)).state for ref in (cancelled, retried)]
    assert found == ([State.CANCELLED, State.AVAILABLE] if commit else [State.AVAILABLE, State.CANCELLED])
    assert list(await storage.queues.paused(["default"])) == (["default"] if commit else [])


async def test_jobs_within_a_transaction_are_listed_there_only(storage: AsyncStorage, place: Place) -> None:
    async with place.async_transaction() as mine:
        ref = await store(storage, mail(tx=mine.tx))

        inside = await storage.within(mine.tx).jobs.list(EVERYTHING)
        outside = await storage.jobs.list(EVERYTHING)

        assert ([job.ref for job in inside.items], outside.items) == ([ref], [])
