# Generated from tests/storage/_async/acts.py by tools/unasync.py: change that file and run `make sync`.
"""What many tests do with a storage before they come to their point."""

from __future__ import annotations

from datetime import datetime

from ferryman.job import Inserted, Job, JobRef, NewJob, State
from ferryman.storage._sync.protocol import Storage
from storage.samples import EVERYTHING, NOW, mail


def store(storage: Storage, job: NewJob | None = None, *, now: datetime = NOW) -> JobRef:
    """Store one job and say where it is."""
    return (answer(storage, job, now=now)).ref


def answer(storage: Storage, job: NewJob | None = None, *, now: datetime = NOW) -> Inserted:
    """Store one job and return the answer."""
    (inserted,) = storage.jobs.insert([mail() if job is None else job], now=now)
    return inserted


def take(
    storage: Storage, queue: str = "default", *, limit: int = 10, worker: str = "ada", now: datetime = NOW
) -> list[Job]:
    """Take jobs of any kind from one queue."""
    return storage.jobs.fetch([(queue, limit)], limit=limit, kinds=None, worker=worker, now=now)


def run(storage: Storage, job: NewJob | None = None, *, now: datetime = NOW) -> Job:
    """Store one job and take it."""
    store(storage, job, now=now)
    (running,) = take(storage, (job or mail()).queue, limit=1, now=now)
    return running


def states(storage: Storage) -> dict[State, int]:
    """Count all jobs."""
    return dict(storage.jobs.count(EVERYTHING))
