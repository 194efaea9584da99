"""Acting on one job: cancel, retry, discard, delete, update."""

from __future__ import annotations

import pytest

from ferryman.errors import JobNotFound, Unsupported, WrongState
from ferryman.job import FINAL, JobRef, State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature
from storage._async.acts import run, states, store, take
from storage.samples import NOW, cancelled, completed, discarded, failed, kept_mail, later, mail, mail_at, needs

NOBODY = JobRef("999999")


# Cancel


@pytest.mark.parametrize("job", [mail(), mail_at(later(minutes=5))], ids=["available", "scheduled"])
async def test_a_job_that_waits_is_cancelled_and_never_taken(storage: AsyncStorage, job) -> None:
    ref = await store(storage, job)

    answer = await storage.jobs.cancel(ref, now=later(minutes=1))

    assert answer.state in FINAL - {State.COMPLETED}
    assert answer == await storage.jobs.get(ref)
    await storage.jobs.promote(limit=10, now=later(hours=1))
    assert await take(storage, now=later(hours=1)) == []


async def test_a_job_that_waits_for_its_retry_is_cancelled_too(storage: AsyncStorage) -> None:
    job = await run(storage)
    await storage.jobs.finish([failed(job, again=later(minutes=5))], now=NOW)

    assert (await storage.jobs.cancel(job.ref, now=NOW)).state in FINAL


async def test_cancelling_a_running_job_only_asks_its_worker(storage: AsyncStorage) -> None:
    job = await run(storage)

    assert (await storage.jobs.cancel(job.ref, now=NOW)).state is State.RUNNING
    assert await storage.jobs.finish([cancelled(job)], now=NOW) != [None]


async def test_a_worker_that_was_asked_to_stop_may_complete_all_the_same(storage: AsyncStorage) -> None:
    job = await run(storage, kept_mail())
    await storage.jobs.cancel(job.ref, now=NOW)

    assert await storage.jobs.finish([completed(job)], now=NOW) == [State.COMPLETED]


async def test_cancelling_a_finished_job_changes_nothing(storage: AsyncStorage) -> None:
    job = await run(storage, kept_mail())
    await storage.jobs.finish([completed(job)], now=NOW)
    before = await storage.jobs.get(job.ref)

    assert await storage.jobs.cancel(job.ref, now=later(hours=1)) == before
    assert await storage.jobs.get(job.ref) == before


# Retry


async def test_a_discarded_job_can_be_tried_again_at_once(storage: AsyncStorage) -> None:
    job = await run(storage, mail(max_attempts=1))
    await storage.jobs.finish([discarded(job)], now=NOW)

    answer = await storage.jobs.retry(job.ref, now=later(minutes=1))

    assert (answer.state, answer.finalized_at) == (State.AVAILABLE, None)
    assert answer == await storage.jobs.get(job.ref)
    (again,) = await take(storage, now=later(minutes=1))
    assert again.ref == job.ref
    assert again.attempt <= again.max_attempts


async def test_a_completed_job_can_be_run_again(storage: AsyncStorage) -> None:
    job = await run(storage, kept_mail())
    await storage.jobs.finish([completed(job)], now=NOW)

    await storage.jobs.retry(job.ref, now=later(minutes=1))

    assert [again.ref for again in await take(storage, now=later(minutes=1))] == [job.ref]


async def test_a_job_for_later_can_be_run_now(storage: AsyncStorage) -> None:
    ref = await store(storage, mail_at(later(days=5)))

    await storage.jobs.retry(ref, now=later(minutes=1))

    assert [job.ref for job in await take(storage, now=later(minutes=1))] == [ref]


async def test_retrying_a_job_that_is_ready_changes_nothing(storage: AsyncStorage) -> None:
    ref = await store(storage)
    before = await storage.jobs.get(ref)

    assert await storage.jobs.retry(ref, now=later(minutes=1)) == before
    assert await states(storage) == {State.AVAILABLE: 1}


# Reschedule


@pytest.mark.parametrize("job", [mail(), mail_at(later(minutes=5))], ids=["available", "scheduled"])
async def test_a_job_that_waits_can_be_given_another_time(storage: AsyncStorage, job) -> None:
    ref = await store(storage, job)

    answer = await storage.jobs.reschedule(ref, later(hours=1), now=later(minutes=1))

    assert (answer.state, answer.scheduled_at) == (State.SCHEDULED, later(hours=1))
    assert answer == await storage.jobs.get(ref)
    await storage.jobs.promote(limit=10, now=later(minutes=59))
    assert await take(storage, now=later(minutes=59)) == []
    await storage.jobs.promote(limit=10, now=later(minutes=61))
    assert [each.ref for each in await take(storage, now=later(minutes=61))] == [ref]


async def test_one_that_failed_waits_longer_for_its_next_attempt(storage: AsyncStorage) -> None:
    job = await run(storage)
    await storage.jobs.finish([failed(job, again=later(minutes=5))], now=NOW)

    answer = await storage.jobs.reschedule(job.ref, later(hours=1), now=later(minutes=1))

    assert (answer.state, answer.scheduled_at, answer.attempt) == (State.RETRYABLE, later(hours=1), 1)
    await storage.jobs.promote(limit=10, now=later(minutes=61))
    assert [again.ref for again in await take(storage, now=later(minutes=61))] == [job.ref]


async def test_what_has_ended_is_given_no_time(storage: AsyncStorage) -> None:
    job = await run(storage, kept_mail())
    await storage.jobs.finish([completed(job)], now=NOW)

    with pytest.raises(WrongState, match="completed"):
        await storage.jobs.reschedule(job.ref, later(hours=1))
    with pytest.raises(JobNotFound):
        await storage.jobs.reschedule(NOBODY, later(hours=1))


# Discard


@pytest.mark.parametrize("job", [mail(), mail_at(later(minutes=5))], ids=["available", "scheduled"])
async def test_a_job_that_waits_can_be_given_up(storage: AsyncStorage, job) -> None:
    ref = await store(storage, job)

    answer = await storage.jobs.discard(ref, now=later(minutes=1))

    assert (answer.state, answer.finalized_at) == (State.DISCARDED, later(minutes=1))
    assert answer == await storage.jobs.get(ref)
    assert await take(storage, now=later(hours=1)) == []


async def test_a_finished_job_cannot_be_discarded(storage: AsyncStorage) -> None:
    job = await run(storage, kept_mail())
    await storage.jobs.finish([completed(job)], now=NOW)

    with pytest.raises(WrongState, match="completed"):
        await storage.jobs.discard(job.ref, now=later(minutes=1))

    assert (await storage.jobs.get(job.ref)).state is State.COMPLETED


# Delete


async def test_a_deleted_job_is_gone_and_the_answer_is_what_it_was(storage: AsyncStorage) -> None:
    ref = await store(storage)
    before = await storage.jobs.get(ref)

    assert await storage.jobs.delete(ref) == before

    with pytest.raises(JobNotFound):
        await storage.jobs.get(ref)
    assert await take(storage) == []


async def test_a_finished_job_can_be_deleted(storage: AsyncStorage) -> None:
    job = await run(storage)
    await storage.jobs.finish([discarded(job)], now=NOW)

    await storage.jobs.delete(job.ref)

    assert await states(storage) == {}


# What cannot be


@pytest.mark.parametrize("verb", ["retry", "discard", "delete"])
async def test_a_running_job_is_left_to_its_worker(storage: AsyncStorage, verb: str) -> None:
    job = await run(storage)

    with pytest.raises(WrongState, match="running") as refused:
        await getattr(storage.jobs, verb)(job.ref)

    assert refused.value.state is State.RUNNING
    assert (await storage.jobs.get(job.ref)).state is State.RUNNING


@pytest.mark.parametrize("verb", ["get", "cancel", "retry", "discard", "delete"])
async def test_nothing_can_be_done_to_a_job_that_is_not_there(storage: AsyncStorage, verb: str) -> None:
    ref = await store(storage)
    await storage.jobs.delete(ref)

    for nobody in (ref, NOBODY):
        with pytest.raises(JobNotFound) as missed:
            await getattr(storage.jobs, verb)(nobody)
        assert missed.value.ref == nobody


@needs(Feature.NOTES)
async def test_metadata_are_set_whatever_the_state_and_the_rest_stays(storage: AsyncStorage) -> None:
    job = await run(storage, mail(metadata={"trace": "abc", "n": 1}))
    await storage.jobs.finish([completed(job)], now=NOW)

    changed = await storage.jobs.update(job.ref, {"n": b'{"of":[2,null]}', "output": b'"sent"'})

    expected = {"trace": "abc", "n": {"of": [2, None]}, "output": "sent"}
    assert {name: changed.metadata[name] for name in expected} == expected
    assert changed == await storage.jobs.get(job.ref)
    with pytest.raises(JobNotFound):
        await storage.jobs.update(JobRef("999999"), {"n": b"1"})


async def test_where_jobs_have_no_metadata_that_is_said(storage: AsyncStorage) -> None:
    ref = await store(storage)
    if Feature.NOTES in storage.features:
        assert (await storage.jobs.update(ref, {})).ref == ref
        return
    with pytest.raises(Unsupported, match="no metadata"):
        await storage.jobs.update(ref, {"n": b"1"})
