"""Writing what became of jobs."""

from __future__ import annotations

import pytest

from ferryman.job import FINAL, State
from ferryman.outcome import Finished
from ferryman.storage._async.protocol import AsyncStorage
from storage._async.acts import run, states, store, take
from storage.samples import (
    NOW,
    cancelled,
    completed,
    discarded,
    failed,
    kept_mail,
    later,
    mail,
    released,
    snoozed,
)


async def test_a_completed_job_is_done(storage: AsyncStorage) -> None:
    job = await run(storage, kept_mail())

    assert await storage.jobs.finish([completed(job)], now=later(seconds=3)) == [State.COMPLETED]

    done = await storage.jobs.get(job.ref)
    assert (done.state, done.attempt, done.errors) == (State.COMPLETED, 1, ())
    assert done.finalized_at == later(seconds=3)
    assert await take(storage, now=later(days=1)) == []


async def test_a_failed_job_is_taken_again_at_its_time_and_not_before(storage: AsyncStorage) -> None:
    job = await run(storage)

    assert await storage.jobs.finish([failed(job, again=later(minutes=10))], now=NOW) == [State.RETRYABLE]

    await storage.jobs.promote(limit=10, now=later(minutes=9))
    assert await take(storage, now=later(minutes=9)) == []
    await storage.jobs.promote(limit=10, now=later(minutes=10))
    assert [again.ref for again in await take(storage, now=later(minutes=10))] == [job.ref]


async def test_a_failed_job_keeps_the_reason(storage: AsyncStorage) -> None:
    job = await run(storage)

    await storage.jobs.finish([failed(job, again=later(minutes=10), text="mailbox full")], now=NOW)

    assert (await storage.jobs.get(job.ref)).error.error == "mailbox full"


async def test_every_failure_counts_and_nothing_else(storage: AsyncStorage) -> None:
    job = await run(storage)
    counted = []

    for hours, outcome in enumerate((failed, failed, snoozed, failed), start=1):
        when = {"until": later(hours=hours)} if outcome is snoozed else {"again": later(hours=hours)}
        await storage.jobs.finish([outcome(job, **when)], now=later(hours=hours - 1))
        await storage.jobs.promote(limit=10, now=later(hours=hours))
        (job,) = await take(storage, now=later(hours=hours))
        counted.append(job.failures)
    await storage.jobs.finish([discarded(job)], now=later(hours=5))

    assert counted == [1, 2, 2, 3]
    assert (await storage.jobs.get(job.ref)).failures == 4


async def test_a_snoozed_job_is_taken_again_at_its_time_and_its_attempt_does_not_count(storage: AsyncStorage) -> None:
    job = await run(storage)

    await storage.jobs.finish([snoozed(job, until=later(minutes=10))], now=NOW)

    await storage.jobs.promote(limit=10, now=later(minutes=9))
    assert await take(storage, now=later(minutes=9)) == []
    await storage.jobs.promote(limit=10, now=later(minutes=10))
    (again,) = await take(storage, now=later(minutes=10))
    assert (again.ref, again.attempt, again.errors) == (job.ref, 1, ())


async def test_a_released_job_is_there_at_once_and_its_attempt_does_not_count(storage: AsyncStorage) -> None:
    job = await run(storage)

    assert await storage.jobs.finish([released(job)], now=later(seconds=3)) == [State.AVAILABLE]

    (again,) = await take(storage, worker="bob", now=later(seconds=3))
    assert (again.ref, again.attempt, again.errors) == (job.ref, 1, ())


async def test_a_discarded_job_keeps_the_reason_and_is_not_tried_again(storage: AsyncStorage) -> None:
    job = await run(storage)

    assert await storage.jobs.finish([discarded(job, "no such address")], now=NOW) == [State.DISCARDED]

    done = await storage.jobs.get(job.ref)
    assert (done.state, done.error.error, done.finalized_at) == (State.DISCARDED, "no such address", NOW)
    await storage.jobs.promote(limit=10, now=later(days=1))
    assert await take(storage, now=later(days=1)) == []


async def test_a_cancelled_job_is_not_tried_again(storage: AsyncStorage) -> None:
    job = await run(storage)

    (state,) = await storage.jobs.finish([cancelled(job)], now=NOW)

    assert state in FINAL - {State.COMPLETED}
    assert (await storage.jobs.get(job.ref)).state is state
    await storage.jobs.promote(limit=10, now=later(days=1))
    assert await take(storage, now=later(days=1)) == []


async def test_answers_come_in_the_order_of_the_outcomes(storage: AsyncStorage) -> None:
    await storage.jobs.insert([kept_mail()] * 5, now=NOW)
    jobs = await take(storage)

    answers = await storage.jobs.finish(
        [
            discarded(jobs[0]),
            completed(jobs[1]),
            failed(jobs[2], again=later(hours=1)),
            completed(jobs[3]),
            released(jobs[4]),
        ],
        now=NOW,
    )

    assert answers == [State.DISCARDED, State.COMPLETED, State.RETRYABLE, State.COMPLETED, State.AVAILABLE]
    assert [(await storage.jobs.get(job.ref)).state for job in jobs] == answers


async def test_finishing_nothing_is_fine(storage: AsyncStorage) -> None:
    assert await storage.jobs.finish([], now=NOW) == []


# What is not ours any more


OUTCOMES = {
    "completed": completed,
    "failed": lambda job: failed(job, again=later(hours=1)),
    "snoozed": lambda job: snoozed(job, until=later(hours=1)),
    "released": released,
    "discarded": discarded,
    "cancelled": cancelled,
}


@pytest.fixture(params=OUTCOMES)
def outcome(request: pytest.FixtureRequest):
    return OUTCOMES[request.param]


async def test_a_job_that_is_finished_already_stays_as_it_is(storage: AsyncStorage, outcome) -> None:
    job = await run(storage, kept_mail())
    await storage.jobs.finish([completed(job)], now=NOW)
    before = await storage.jobs.get(job.ref)

    assert await storage.jobs.finish([outcome(job)], now=later(seconds=9)) == [None]
    assert await storage.jobs.get(job.ref) == before


async def test_a_late_outcome_does_not_touch_the_next_attempt(storage: AsyncStorage, outcome) -> None:
    job = await run(storage)
    await storage.jobs.finish([failed(job, again=later(minutes=1))], now=NOW)
    await storage.jobs.promote(limit=10, now=later(minutes=1))
    (again,) = await take(storage, now=later(minutes=1))

    assert await storage.jobs.finish([outcome(job)], now=later(minutes=2)) == [None]

    found = await storage.jobs.get(job.ref)
    assert (found.state, found.attempt, len(found.errors)) == (State.RUNNING, 2, len(again.errors))


async def test_a_job_that_was_deleted_meanwhile_stays_deleted(storage: AsyncStorage, outcome) -> None:
    job = await run(storage, kept_mail())
    await storage.jobs.finish([completed(job)], now=NOW)
    await storage.jobs.delete(job.ref)

    assert await storage.jobs.finish([outcome(job)], now=later(seconds=9)) == [None]
    assert await states(storage) == {}


async def test_a_job_that_waits_again_is_left_to_wait(storage: AsyncStorage, outcome) -> None:
    job = await run(storage)
    await storage.jobs.finish([released(job)], now=NOW)

    assert await storage.jobs.finish([outcome(job)], now=later(seconds=9)) == [None]
    assert await states(storage) == {State.AVAILABLE: 1}


async def test_one_job_that_is_lost_does_not_keep_the_others_from_being_written(storage: AsyncStorage) -> None:
    await storage.jobs.insert([kept_mail()] * 3, now=NOW)
    first, lost, last = await take(storage)
    await storage.jobs.finish([discarded(lost)], now=NOW)

    answers = await storage.jobs.finish([completed(first), completed(lost), discarded(last)], now=NOW)

    assert answers == [State.COMPLETED, None, State.DISCARDED]


async def test_a_reason_may_be_any_text(storage: AsyncStorage) -> None:
    text = "no \0 route\n\t to 'hööst' \u2028 \\ \"😀\" %s :name ?1"
    job = await run(storage, mail(max_attempts=1))

    await storage.jobs.finish([Finished(job, discarded(job, text).outcome)], now=NOW)

    assert (await storage.jobs.get(job.ref)).error.error in (text, text.replace("\0", "\ufffd"))


async def test_what_jsonb_refuses_costs_a_job_neither_its_outcome_nor_its_output(storage: AsyncStorage) -> None:
    await store(storage, kept_mail())
    await store(storage, kept_mail())
    first, second = await take(storage)
    broken = Finished(second, discarded(second, "not UTF-8: \udcff").outcome)

    states = await storage.jobs.finish([completed(first, b'["\\u0000", "\\\\u0000"]'), broken], now=NOW)

    assert states == [State.COMPLETED, State.DISCARDED]
    assert (await storage.jobs.get(first.ref)).metadata["output"] in (["\0", r"\u0000"], ["\ufffd", r"\u0000"])


async def test_extending_changes_nothing_that_can_be_seen(storage: AsyncStorage) -> None:
    waiting = await store(storage, mail(queue="bulk"))
    job = await run(storage, kept_mail())

    await storage.jobs.extend([job.ref, waiting], worker="ada", now=later(seconds=5))
    await storage.jobs.extend([], worker="ada", now=later(seconds=5))

    assert await states(storage) == {State.RUNNING: 1, State.AVAILABLE: 1}
    assert await storage.jobs.finish([completed(job)], now=later(seconds=6)) == [State.COMPLETED]
