"""Storing new jobs."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from ferryman import gojson
from ferryman.errors import DuplicateJob
from ferryman.job import Inserted, Job, JobRef, NewJob, State
from ferryman.storage.river.rows import carried_metadata, job_from
from ferryman.storage.river.steps import Batch, Marks, Query, Stream, Verb
from ferryman.storage.river.unique import mask, unique_key

__all__ = ["NoticeLimiter", "insert", "insert_and_get", "insert_fast", "inserts_told", "stands_alone"]

DEFAULT_ATTEMPTS = 25
NO_ID = 0
_BULK = 10
_LOAD = 1_000
"""How many jobs one statement stores at most: while it runs, the next is made."""

_PLAIN = itemgetter(
    "args", "created_at", "kind", "max_attempts", "metadata", "priority", "queue", "scheduled_at", "state", "tags"
)
_CARRIED = ("timeout", "deadline", "retention", "headers")


class NoticeLimiter:
    """Lets one insert notice per queue through in 100 ms, as River's clients do (spec/river.md 3.7)."""

    def __init__(self, seconds: float = 0.1) -> None:
        self.seconds = seconds
        self._last: dict[str, float] = {}

    def allows(self, queue: str) -> bool:
        """Whether a notice for this queue may go out now."""
        now = time.monotonic()
        if now - self._last.get(queue, float("-inf")) <= self.seconds:
            return False
        self._last[queue] = now
        return True


def insert(
    jobs: Sequence[NewJob], *, now: datetime | None, limiter: NoticeLimiter, marks: Marks
) -> Verb[list[Inserted]]:
    """Store these jobs, and say of each where it is or which older one it repeats."""
    at = now or datetime.now(UTC)
    tells = _tells(jobs, at, limiter)
    if _are_plain(jobs):
        new = yield from _store_plain(jobs, at, marks, tells)
        return [Inserted(JobRef(str(id)), state=job.state) for job, id in zip(jobs, new, strict=True)]
    rows = _rows(jobs, at, marks)
    ids = yield from _store(rows, tells)
    answers = []
    for job, values, id in zip(jobs, rows, ids, strict=True):
        answers.append((yield from _answered(job.state, values, id, tells)))
    return answers


def stands_alone(jobs: Sequence[NewJob]) -> bool:
    """Whether these are stored by one statement, or by one after another of which each stores all or nothing."""
    return len(jobs) == 1 or (len(jobs) <= _LOAD and not any(job.unique for job in jobs))


def insert_and_get(
    jobs: Sequence[NewJob], *, now: datetime | None, limiter: NoticeLimiter, marks: Marks
) -> Verb[list[tuple[Inserted, Job]]]:
    """Store these jobs, and return each as it is at that moment, before anybody can have taken it."""
    answers = yield from insert(jobs, now=now, limiter=limiter, marks=marks)
    rows = yield Query("jobs_of", {"ids": sorted({int(each.ref.id) for each in answers})})
    found = {job.ref: job for job in map(job_from, rows)}
    return [(each, found[each.ref]) for each in answers]


def _answered(
    state: State, values: Mapping[str, Any], id: int | None, tells: Sequence[Mapping[str, Any]]
) -> Verb[Inserted]:
    """Say where a job is: new, or the older one that it repeats."""
    while id is None:
        holders = yield Query("unique_holder", {"unique_key": values["unique_key"], "but_not": NO_ID})
        if holders:
            return Inserted(JobRef(str(holders[0][0])), duplicate=True, state=State(holders[0][1]))
        # The older one has just ended, which only happens where many write at once.
        (id,) = yield from _store([values], tells)
    return Inserted(JobRef(str(id)), state=state)


def insert_fast(jobs: Sequence[NewJob], *, now: datetime | None, limiter: NoticeLimiter) -> Verb[int]:
    """Store these jobs and say how many are new."""
    at = now or datetime.now(UTC)
    tells = _tells(jobs, at, limiter)
    if _are_plain(jobs):
        return len((yield from _store_plain(jobs, at, "none", tells)))
    ids = yield from _store(_rows(jobs, at, "none"), tells)
    return sum(id is not None for id in ids)


def _are_plain(jobs: Sequence[NewJob]) -> bool:
    """Whether these are so many that it pays, and nothing that is there already can be in their way."""
    return len(jobs) >= _BULK and not any(job.unique or job.id for job in jobs)


def _store_plain(
    jobs: Sequence[NewJob], at: datetime, marks: Marks, tells: Sequence[Mapping[str, Any]]
) -> Verb[list[int]]:
    """Insert jobs load by load, tell of them, and return their ids in order."""
    loads = (
        {"rows": [_PLAIN(row) for row in _rows(jobs[first : first + _LOAD], at, marks)]}
        for first in range(0, len(jobs), _LOAD)
    )
    found = yield (
        Stream("insert_plain", loads, tells) if len(jobs) > _LOAD else Query("insert_plain", next(loads), tells)
    )
    # Ids are given in the order of the list, but no database promises an order to what it returns.
    return sorted(row[0] for row in found)


def _store(rows: Sequence[Mapping[str, Any]], tells: Sequence[Mapping[str, Any]]) -> Verb[list[int | None]]:
    """Insert rows, tell of them, and return their ids in order; None where a unique job was there already."""
    yield from _refuse_taken_ids(rows)
    found = yield Batch("insert", rows, tells)
    return [row[0] if row else None for row in found]


def _refuse_taken_ids(rows: Sequence[Mapping[str, Any]]) -> Verb[None]:
    """Raise DuplicateJob before anything is stored: in the caller's transaction nobody would take it back."""
    given: set[int] = set()
    for id in (row["id"] for row in rows if row["id"] is not None):
        if id in given or (yield Query("key_of", {"id": id})):
            raise DuplicateJob(f"There is a job {id} already. Nothing was stored.", ref=JobRef(str(id)))
        given.add(id)


def _tells(jobs: Sequence[NewJob], at: datetime, limiter: NoticeLimiter) -> list[dict[str, Any]]:
    return inserts_told({job.queue for job in jobs if job.state is State.AVAILABLE}, at, limiter)


def inserts_told(queues: set[str], at: datetime, limiter: NoticeLimiter) -> list[dict[str, Any]]:
    """Return what other processes are told when these queues have something, as `notify` has it."""
    return [
        {"now": at, "topic": "river_insert", "payload": f'{{"queue": {gojson.quote(queue)}}}'}
        for queue in sorted(queues)
        if limiter.allows(queue)
    ]


def _rows(jobs: Sequence[NewJob], at: datetime, marks: Marks) -> list[dict[str, Any]]:
    # By this mark River's own clients tell new rows from old, on SQLite and where Postgres is played by another.
    mark = {} if marks == "none" else {"river:unique_nonce": secrets.token_hex(8)}
    plain = gojson.encode(mark if marks == "all" else {}).decode()
    return [
        {
            "id": int(job.id) if job.id else None,
            "args": job.args.decode(),
            "created_at": at,
            "kind": job.kind,
            "max_attempts": job.max_attempts or DEFAULT_ATTEMPTS,
            "metadata": _metadata(job, mark if marks == "all" or job.unique else {}) if _says(job) else plain,
            "priority": job.priority or 1,
            "queue": job.queue,
            "scheduled_at": job.scheduled_at or at,
            "state": job.state.value,
            "tags": gojson.encode(job.tags).decode() if job.tags else "[]",
            "unique_key": _unique_key(job, at),
            "unique_states": mask(job.unique.by_states or ()) if job.unique else None,
        }
        for job in jobs
    ]


def _says(job: NewJob) -> bool:
    """Whether a job has metadata of its own."""
    return bool(job.metadata or job.given or job.periodic or job.unique)


def _metadata(job: NewJob, mark: dict[str, str]) -> str:
    said = {name: getattr(job, name) if name in job.given else None for name in _CARRIED}
    periodic = {"periodic": True, "river:periodic_job_id": job.periodic} if job.periodic else {}
    return gojson.encode({**(job.metadata or {}), **periodic, **carried_metadata(**said), **mark}).decode()


def _unique_key(job: NewJob, at: datetime) -> bytes | None:
    if job.unique is None:
        return None
    return unique_key(job.unique, kind=job.kind, args=job.args, queue=job.queue, at=job.scheduled_at or at)
