# Generated from tests/storage/_async/test_insert.py by tools/unasync.py: change that file and run `make sync`.
"""Storing jobs."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from ferryman.errors import DuplicateJob, InvalidJob
from ferryman.job import State
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature
from storage._sync.acts import answer, run, states, store, take
from storage.samples import NOW, later, mail, mail_at, needs


def test_answers_come_in_the_order_of_the_jobs(storage: Storage) -> None:
    kinds = [f"kind-{number}" for number in range(30)]

    inserted = storage.jobs.insert([mail(kind=kind) for kind in kinds], now=NOW)

    assert [(storage.jobs.get(each.ref)).kind for each in inserted] == kinds


def test_thousands_of_jobs_fit_in_one_call(storage: Storage) -> None:
    inserted = storage.jobs.insert([mail(kind=f"kind-{number}") for number in range(3_500)], now=NOW)

    assert len({each.ref for each in inserted}) == 3_500
    assert states(storage) == {State.AVAILABLE: 3_500}
    for number in (0, 999, 1_000, 3_499):
        assert (storage.jobs.get(inserted[number].ref)).kind == f"kind-{number}"


def test_a_stored_job_is_the_job_that_was_given(storage: Storage) -> None:
    ref = store(storage, mail(queue="bulk", max_attempts=4, tags=("monthly", "eu-west")))

    job = storage.jobs.get(ref)

    assert (job.ref, job.kind, job.queue, job.max_attempts) == (ref, "mail", "bulk", 4)
    assert (job.state, job.tags, job.errors) == (State.AVAILABLE, ("monthly", "eu-west"), ())
    assert job.scheduled_at == NOW


def test_what_was_said_with_the_job_stays_with_it(storage: Storage) -> None:
    said = {"timeout": 90.0, "deadline": later(hours=3), "retention": 3600.0, "headers": {"trace": "00-4bf9"}}

    ref = store(storage, mail(**said, given=frozenset(said)))

    job = storage.jobs.get(ref)
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
def test_arguments_come_back_as_they_were_given(storage: Storage, args: bytes) -> None:
    """Numbers to the last digit; Postgres writes them in its own way, and puts blanks between."""
    job = run(storage, mail(args=args))

    assert json.loads(job.args, parse_float=Decimal) == json.loads(args, parse_float=Decimal)


def test_a_job_for_later_is_scheduled(storage: Storage) -> None:
    inserted = answer(storage, mail_at(later(hours=1)))

    job = storage.jobs.get(inserted.ref)
    assert inserted.state is job.state is State.SCHEDULED
    assert job.scheduled_at == later(hours=1)


@needs(Feature.PENDING)
def test_a_parked_job_waits_until_somebody_makes_it_available(storage: Storage) -> None:
    inserted = answer(storage, mail(state=State.PENDING))
    storage.jobs.promote(limit=10, now=later(days=30))

    assert inserted.state is State.PENDING
    assert take(storage, now=later(days=30)) == []

    storage.jobs.retry(inserted.ref, now=NOW)
    assert [job.ref for job in take(storage)] == [inserted.ref]


def test_the_fast_way_says_only_how_many_are_new(storage: Storage) -> None:
    assert storage.jobs.insert_fast([mail(), mail(), mail()], now=NOW) == 3
    assert states(storage) == {State.AVAILABLE: 3}


@pytest.mark.parametrize("wrong", [mail(kind=""), mail(queue="")], ids=["kind", "queue"])
def test_one_job_without_a_name_keeps_the_whole_batch_out(storage: Storage, wrong) -> None:
    with pytest.raises(InvalidJob):
        storage.jobs.insert([mail(), wrong, mail()], now=NOW)
    with pytest.raises(InvalidJob):
        storage.jobs.insert_fast([mail(), wrong, mail()], now=NOW)

    assert states(storage) == {}


def test_a_batch_of_nothing_is_refused(storage: Storage) -> None:
    with pytest.raises(InvalidJob, match="no jobs"):
        storage.jobs.insert([], now=NOW)


def test_an_id_of_ones_own_is_kept(storage: Storage) -> None:
    inserted = answer(storage, mail(id="7001"))

    assert inserted.ref.id == "7001"
    assert (storage.jobs.get(inserted.ref)).id == "7001"


def test_an_id_that_is_taken_is_refused_and_the_batch_with_it(storage: Storage) -> None:
    taken = store(storage, mail(id="7001"))

    with pytest.raises(DuplicateJob, match="7001") as refused:
        storage.jobs.insert([mail(), mail(id="7001")], now=NOW)

    assert refused.value.ref == taken
    assert states(storage) == {State.AVAILABLE: 1}
