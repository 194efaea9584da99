"""Failed attempts, remembered beside their jobs: asynq itself keeps the latest error only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ferryman.job import AttemptError, Job, JobRef
from ferryman.outcome import Discarded, Finished, Retry
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import QueueKeys
from storage._async.acts import take
from storage.samples import NOW, completed, later, mail

ATTEMPTS = QueueKeys("default").attempts_prefix


def why(job: Job, text: str) -> AttemptError:
    return AttemptError(NOW, job.attempt, text, f"Traceback of {text}")


async def fail(storage: AsyncRedisStorage, *texts: str) -> JobRef:
    """Store a job, and let one attempt after the other fail."""
    (stored,) = await storage.jobs.insert([mail(max_attempts=50)], now=NOW)
    for number, text in enumerate(texts):
        at = later(hours=number)
        (job,) = await take(storage, limit=1, worker="ada", now=at)
        await storage.jobs.finish([Finished(job, Retry(later(hours=number + 1), why(job, text)))], now=at)
    return stored.ref


def kept(redis: Any) -> Iterator[bytes]:
    return iter(redis.scan_iter(f"{ATTEMPTS}*"))


async def test_a_job_shows_every_attempt_with_traceback_and_worker(storage: AsyncRedisStorage) -> None:
    ref = await fail(storage, "busy", "gone")
    (job,) = await take(storage, limit=1, worker="bob", now=later(hours=2))
    await storage.jobs.finish([Finished(job, Discarded(why(job, "enough")))], now=later(hours=2))

    errors = (await storage.jobs.get(ref)).errors

    assert [(error.attempt, error.error, error.worker) for error in errors] == [
        (1, "busy", "ada"),
        (2, "gone", "ada"),
        (3, "enough", "bob"),
    ]
    assert [error.trace for error in errors] == [f"Traceback of {error.error}" for error in errors]


async def test_the_newest_twenty_are_remembered(storage: AsyncRedisStorage) -> None:
    ref = await fail(storage, *(f"number {number}" for number in range(23)))

    errors = (await storage.jobs.get(ref)).errors

    assert [error.error for error in errors] == [f"number {number}" for number in range(3, 23)]


async def test_what_is_remembered_goes_with_the_job(storage: AsyncRedisStorage, redis: Any) -> None:
    await fail(storage, "busy")
    assert len(list(kept(redis))) == 1

    (job,) = await take(storage, limit=1, now=later(hours=1))
    await storage.jobs.finish([completed(job)], now=later(hours=1))

    assert list(kept(redis)) == []


async def test_deleting_a_job_deletes_it_too_and_a_time_is_set_for_all(storage: AsyncRedisStorage, redis: Any) -> None:
    ref = await fail(storage, "busy")
    (key,) = kept(redis)
    assert 0 < redis.ttl(key) <= 7 * 86_400 + 3_600

    await storage.jobs.delete(ref)

    assert list(kept(redis)) == []


async def test_when_it_is_lost_the_latest_error_is_there_still(storage: AsyncRedisStorage, redis: Any) -> None:
    ref = await fail(storage, "busy", "gone")
    redis.delete(*kept(redis))

    errors = (await storage.jobs.get(ref)).errors

    assert [(error.attempt, error.error, error.trace) for error in errors] == [(2, "gone", "")]


async def test_an_attempt_of_another_program_comes_last(storage: AsyncRedisStorage, redis: Any) -> None:
    ref = await fail(storage, "busy", "gone")
    redis.lpop(next(kept(redis)))

    assert [error.error for error in (await storage.jobs.get(ref)).errors] == ["busy", "gone"]


@pytest.mark.parametrize("data", [b"not JSON", b"{}"])
async def test_what_cannot_be_read_is_left_out(storage: AsyncRedisStorage, redis: Any, data: bytes) -> None:
    ref = await fail(storage, "busy")
    redis.rpush(next(kept(redis)), data)

    assert [error.error for error in (await storage.jobs.get(ref)).errors] == ["busy"]


async def test_it_can_be_turned_off(storage: AsyncRedisStorage, redis: Any) -> None:
    async with AsyncRedisStorage(storage.address, remember=False) as plain:
        await fail(plain, "busy")

    assert list(kept(redis)) == []
