"""Storing jobs."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from ferryman.errors import DuplicateJob, InvalidJob
from ferryman.job import State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature
from storage._async.acts import answer, run, states, store, take
from storage.samples import NOW, later, mail, mail_at, needs


async def test_answers_come_in_the_order_of_the_jobs(storage: AsyncStorage) -> None:
    kinds = [f"kind-{number}" for number in range(30)]

    inserted = await storage.jobs.insert([mail(kind=kind) for kind in kinds], now=NOW)

    assert [(await storage.jobs.get(each.ref)).kind for each in inserted] == kinds


async def test_thousands_of_jobs_fit_in_one_call(storage: AsyncStorage) -> None:
    inserted = await storage.jobs.insert([mail(kind=f"kind-{number}") for number in range(3_500)], now=NOW)

    assert len({each.ref for each in inserted}) == 3_500
    assert await states(storage) == {State.AVAILABLE: 3_500}
    for number in (0, 999, 1_000, 3_499):
        assert (await storage.jobs.get(inserted[number].ref)).kind == f"kind-{number}"


async def test_a_stored_job_is_the_job_that_was_given(storage: AsyncStorage) -> None:
    ref = await store(storage, mail(queue="bulk", max_attempts=4, tags=("monthly", "eu-west")))

    job = await storage.jobs.get(ref)

    assert (job.ref, job.kind, job.queue, job.max_attempts) == (ref, "mail", "bulk", 4)
    assert (job.state, job.tags, job.errors) == (State.AVAILABLE, ("monthly", "eu-west"), ())
    assert job.scheduled_at == NOW


async def test_what_was_said_with_the_job_stays_with_it(storage: AsyncStorage) -> None:
    said = {"timeout": 90.0, "deadline": later(hours=3), "retention": 3600.0, "headers": {"trace": "00-4bf9"}}

    ref = await store(storage, mail(**said, given=frozenset(said)))

    job = await storage.jobs.get(ref)
    assert (job.timeout, job.deadline, job.retention, job.headers) == tuple(said.values())


@pytest.mark.parametrize(
    "args",
    [
        b"{}",
        b'{"to":"ada@example.com","cc":["bob","eve"],"body":{"html":null,"draft":false}}',
        '{"text":"é 😀 \\u003cb\\u003e \\\\ \\" \\n"}'.encode(),
        b'{"small":-0.5,"large":123456789012345678901234567890,"huge":1e400,"exact":1.10}',
    ],
    ids=["none", "nested", "text", "numbers"],
)
async def test_arguments_come_back_as_they_were_given(storage: AsyncStorage, args: bytes) -> None:
    """Numbers to the last digit; Postgres writes them in its own way, and puts blanks between."""
    job = await run(storage, mail(args=args))

    assert json.loads(job.args, parse_float=Decimal) == json.loads(args, parse_float=Decimal)


async def test_a_job_for_later_is_scheduled(storage: AsyncStorage) -> None:
    inserted = await answer(storage, mail_at(later(hours=1)))

    job = await storage.jobs.get(inserted.ref)
    assert inserted.state is job.state is State.SCHEDULED
    assert job.scheduled_at == later(hours=1)


@needs(Feature.PENDING)
async def test_a_parked_job_waits_until_somebody_makes_it_available(storage: AsyncStorage) -> None:
    inserted = await answer(storage, mail(state=State.PENDING))
    await storage.jobs.promote(limit=10, now=later(days=30))

    assert inserted.state is State.PENDING
    assert await take(storage, now=later(days=30)) == []

    await storage.jobs.retry(inserted.ref, now=NOW)
    assert [job.ref for job in await take(storage)] == [inserted.ref]


async def test_the_fast_way_says_only_how_many_are_new(storage: AsyncStorage) -> None:
    assert await storage.jobs.insert_fast([mail(), mail(), mail()], now=NOW) == 3
    assert await states(storage) == {State.AVAILABLE: 3}


@pytest.mark.parametrize("wrong", [mail(kind=""), mail(queue="")], ids=["kind", "queue"])
async def test_one_job_without_a_name_keeps_the_whole_batch_out(storage: AsyncStorage, wrong) -> None:
    with pytest.raises(InvalidJob):
        await storage.jobs.insert([mail(), wrong, mail()], now=NOW)
    with pytest.raises(InvalidJob):
        await storage.jobs.insert_fast([mail(), wrong, mail()], now=NOW)

    assert await states(storage) == {}


async def test_a_batch_of_nothing_is_refused(storage: AsyncStorage) -> None:
    with pytest.raises(InvalidJob, match="no jobs"):
        await storage.jobs.insert([], now=NOW)


async def test_an_id_of_ones_own_is_kept(storage: AsyncStorage) -> None:
    inserted = await answer(storage, mail(id="7001"))

    assert inserted.ref.id == "7001"
    assert (await storage.jobs.get(inserted.ref)).id == "7001"


async def test_an_id_that_is_taken_is_refused_and_the_batch_with_it(storage: AsyncStorage) -> None:
    taken = await store(storage, mail(id="7001"))

    with pytest.raises(DuplicateJob, match="7001") as refused:
        await storage.jobs.insert([mail(), mail(id="7001")], now=NOW)

    assert refused.value.ref == taken
    assert await states(storage) == {State.AVAILABLE: 1}
