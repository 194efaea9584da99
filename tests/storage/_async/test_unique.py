"""Unique jobs: the second is not stored, and its answer is the first."""

from __future__ import annotations

import pytest

from ferryman.errors import DuplicateJob
from ferryman.job import State
from ferryman.options import unique_for
from ferryman.storage._async.protocol import AsyncStorage
from storage._async.acts import answer, run, states, store, take
from storage.samples import NOW, completed, discarded, failed, kept_mail, later, mail

ONCE_AN_HOUR = unique_for("1h")


async def test_the_answer_to_a_duplicate_is_the_job_that_is_there(storage: AsyncStorage) -> None:
    first = await answer(storage, mail(unique=ONCE_AN_HOUR))

    second = await answer(storage, mail(unique=ONCE_AN_HOUR))

    assert (first.duplicate, second.duplicate) == (False, True)
    assert second.ref == first.ref
    assert await states(storage) == {State.AVAILABLE: 1}


async def test_the_answer_to_a_duplicate_tells_the_state_of_the_job_that_is_there(storage: AsyncStorage) -> None:
    await run(storage, mail(unique=ONCE_AN_HOUR))

    assert (await answer(storage, mail(unique=ONCE_AN_HOUR))).state is State.RUNNING


async def test_a_duplicate_leaves_the_job_that_is_there_as_it_was(storage: AsyncStorage) -> None:
    ref = await store(storage, mail(unique=ONCE_AN_HOUR, max_attempts=4, tags=("first",)))
    before = await storage.jobs.get(ref)

    await store(storage, mail(unique=ONCE_AN_HOUR, max_attempts=9, tags=("second",)))

    assert await storage.jobs.get(ref) == before


async def test_a_batch_is_unique_within_itself(storage: AsyncStorage) -> None:
    first, second, third = await storage.jobs.insert(
        [mail(unique=ONCE_AN_HOUR), mail(), mail(unique=ONCE_AN_HOUR)], now=NOW
    )

    assert (first.duplicate, second.duplicate, third.duplicate) == (False, False, True)
    assert third.ref == first.ref
    assert await states(storage) == {State.AVAILABLE: 2}


@pytest.mark.parametrize(
    "other",
    [{"args": b'{"to":"bob@example.com"}'}, {"kind": "fax"}, {"queue": "bulk"}],
    ids=["args", "kind", "queue"],
)
async def test_a_job_that_differs_is_no_duplicate(storage: AsyncStorage, other) -> None:
    await store(storage, mail(unique=ONCE_AN_HOUR))

    assert not (await answer(storage, mail(unique=ONCE_AN_HOUR, **other))).duplicate


async def test_a_job_that_is_not_unique_is_never_a_duplicate(storage: AsyncStorage) -> None:
    await store(storage, mail(unique=ONCE_AN_HOUR))

    assert not (await answer(storage, mail())).duplicate


async def test_another_program_finds_the_duplicate_too(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    first = await answer(storage, mail(unique=ONCE_AN_HOUR))

    second = await answer(elsewhere, mail(unique=ONCE_AN_HOUR))

    assert (second.duplicate, second.ref) == (True, first.ref)


async def test_the_fast_way_counts_no_duplicates(storage: AsyncStorage) -> None:
    await store(storage, mail(unique=ONCE_AN_HOUR))

    assert await storage.jobs.insert_fast([mail(unique=ONCE_AN_HOUR), mail(), mail()], now=NOW) == 2


async def test_a_unique_job_that_waits_for_its_retry_keeps_others_out(storage: AsyncStorage) -> None:
    job = await run(storage, mail(unique=ONCE_AN_HOUR))
    await storage.jobs.finish([failed(job, again=later(minutes=30))], now=NOW)

    assert (await answer(storage, mail(unique=ONCE_AN_HOUR))).duplicate


async def test_a_unique_job_that_completed_makes_room_for_the_next(storage: AsyncStorage) -> None:
    job = await run(storage, mail(unique=ONCE_AN_HOUR))
    await storage.jobs.finish([completed(job)], now=NOW)

    assert not (await answer(storage, mail(unique=ONCE_AN_HOUR))).duplicate


async def test_a_unique_job_that_was_deleted_makes_room_for_the_next(storage: AsyncStorage) -> None:
    await storage.jobs.delete(await store(storage, mail(unique=ONCE_AN_HOUR)))

    assert not (await answer(storage, mail(unique=ONCE_AN_HOUR))).duplicate


async def test_an_old_unique_job_cannot_run_again_beside_its_successor(storage: AsyncStorage) -> None:
    old = await run(storage, kept_mail(unique=ONCE_AN_HOUR))
    await storage.jobs.finish([completed(old)], now=NOW)
    successor = await store(storage, kept_mail(unique=ONCE_AN_HOUR))
    before = await storage.jobs.get(old.ref)

    with pytest.raises(DuplicateJob) as refused:
        await storage.jobs.retry(old.ref, now=later(minutes=1))

    assert refused.value.ref == successor
    assert await storage.jobs.get(old.ref) == before
    assert [job.ref for job in await take(storage)] == [successor]


async def test_an_old_unique_job_runs_again_when_its_successor_is_gone(storage: AsyncStorage) -> None:
    old = await run(storage, mail(unique=ONCE_AN_HOUR, max_attempts=1))
    await storage.jobs.finish([discarded(old)], now=NOW)

    await storage.jobs.retry(old.ref, now=NOW)

    assert [job.ref for job in await take(storage)] == [old.ref]
