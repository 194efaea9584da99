"""What many tests do with a storage before they come to their point."""

from __future__ import annotations

from datetime import datetime

from ferryman.job import Inserted, Job, JobRef, NewJob, State
from ferryman.storage._async.protocol import AsyncStorage
from storage.samples import EVERYTHING, NOW, mail


async def store(storage: AsyncStorage, job: NewJob | None = None, *, now: datetime = NOW) -> JobRef:
    """Store one job and say where it is."""
    return (await answer(storage, job, now=now)).ref


async def answer(storage: AsyncStorage, job: NewJob | None = None, *, now: datetime = NOW) -> Inserted:
    """Store one job and return the answer."""
    (inserted,) = await storage.jobs.insert([mail() if job is None else job], now=now)
    return inserted


async def take(
    storage: AsyncStorage, queue: str = "default", *, limit: int = 10, worker: str = "ada", now: datetime = NOW
) -> list[Job]:
    """Take jobs of any kind from one queue."""
    return await storage.jobs.fetch([(queue, limit)], limit=limit, kinds=None, worker=worker, now=now)


async def run(storage: AsyncStorage, job: NewJob | None = None, *, now: datetime = NOW) -> Job:
    """Store one job and take it."""
    await store(storage, job, now=now)
    (running,) = await take(storage, (job or mail()).queue, limit=1, now=now)
    return running


async def states(storage: AsyncStorage) -> dict[State, int]:
    """Count all jobs."""
    return dict(await storage.jobs.count(EVERYTHING))
