"""Looking at jobs, and acting on one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ferryman.errors import ConfigError, DuplicateJob, JobNotFound, WrongState
from ferryman.gojson import quote
from ferryman.job import Job, JobRef, State
from ferryman.storage.matching import looks_inside, matches
from ferryman.storage.river.rows import job_from, json_time
from ferryman.storage.river.steps import Batch, Query, Verb
from ferryman.storage.values import JobFilter, Page

__all__ = ["cancel", "count", "delete", "discard", "get", "list_jobs", "retry", "waiting_kinds"]

_AT_ONCE = 500
_MOST_LOOKED_AT = 10_000


def get(ref: JobRef) -> Verb[Job]:
    """Return one job."""
    rows = yield Query("get", {"id": _id(ref)})
    if not rows:
        raise JobNotFound(ref)
    return job_from(rows[0])


def list_jobs(which: JobFilter, *, limit: int, cursor: str | None) -> Verb[Page[Job]]:
    """Return a page of jobs, the newest first."""
    if cursor is not None and not _is_id(cursor):
        raise ConfigError(f'"{cursor}" is not a cursor. Give the one that the page before ended with.')
    values = {**_filter(which), "before_id": int(cursor) if cursor else None, "max": limit + 1}
    if looks_inside(which):
        return (yield from _look_inside(which, values, limit))
    rows = yield Query("list", values)
    jobs = [job_from(row) for row in rows[:limit]]
    return Page(jobs, jobs[-1].id if len(rows) > limit else None)


def _look_inside(which: JobFilter, values: dict[str, Any], limit: int) -> Verb[Page[Job]]:
    """Read jobs one after another.  The page may be short of `limit` and have a next one, when few of many match."""
    jobs: list[Job] = []
    seen = values["before_id"]
    for _ in range(_MOST_LOOKED_AT // _AT_ONCE):
        rows = yield Query("list", {**values, "before_id": seen, "max": _AT_ONCE})
        for job in map(job_from, rows):
            if matches(which, job):
                if len(jobs) == limit:
                    return Page(jobs, str(seen))
                jobs.append(job)
            seen = int(job.id)
        if len(rows) < _AT_ONCE:
            return Page(jobs)
    return Page(jobs, str(seen))


def count(which: JobFilter) -> Verb[Mapping[State, int]]:
    """Return how many jobs there are, by state.  What can only be seen inside a job is counted one by one."""
    if looks_inside(which):
        return (yield from _count_one_by_one(which))
    rows = yield Query("count", _filter(which))
    return {State(state): number for state, number in rows}


def _count_one_by_one(which: JobFilter) -> Verb[Mapping[State, int]]:
    page = yield from list_jobs(which, limit=_MOST_LOOKED_AT, cursor=None)
    counts = Counter(job.state for job in page.items)
    while page.next is not None:
        page = yield from list_jobs(which, limit=_MOST_LOOKED_AT, cursor=page.next)
        counts.update(job.state for job in page.items)
    return counts


def waiting_kinds(queues: Sequence[str], *, limit: int) -> Verb[Sequence[str]]:
    """Return kinds that wait near the head of these queues."""
    found: set[str] = set()
    for queue in queues:
        rows = yield Query("waiting_kinds", {"queue": queue, "max": limit})
        found.update(row[0] for row in rows)
    return sorted(found)[:limit]


def cancel(ref: JobRef, *, now: datetime | None) -> Verb[Job]:
    """Cancel a job, or ask whoever runs it to stop (spec/river.md 7.6.1; told to other processes as since 0.48)."""
    at = now or datetime.now(UTC)
    changed = yield Query("cancel", {"id": _id(ref), "now": at, "cancelled_at": json_time(at)})
    job = yield from get(ref)
    if changed and job.state is State.RUNNING:
        payload = f'{{"action":"cancel","job_id":{job.id},"queue":{quote(job.queue)}}}'
        yield Batch("notify", [{"now": at, "topic": "river_control", "payload": payload}])
    return job


def retry(ref: JobRef, *, now: datetime | None) -> Verb[Job]:
    """Make a job available now (spec/river.md 7.6)."""
    before = yield from get(ref)
    if before.state is State.RUNNING:
        raise _running(before, "retried")
    # Looked for first: on Postgres a refused statement would end the whole transaction.
    if (successor := (yield from _successor(ref))) is not None:
        raise DuplicateJob(
            f"Job {ref} cannot run again: job {successor} with the same unique key is there. Nothing was changed.",
            ref=successor,
        )
    yield Query("retry", {"id": _id(ref), "now": now or datetime.now(UTC)})
    return (yield from get(ref))


def _successor(ref: JobRef) -> Verb[JobRef | None]:
    ((key,),) = yield Query("key_of", {"id": _id(ref)})
    if key is None:
        return None
    holders = yield Query("unique_holder", {"unique_key": key, "but_not": _id(ref)})
    return JobRef(str(holders[0][0])) if holders else None


def discard(ref: JobRef, *, now: datetime | None) -> Verb[Job]:
    """Give up on a job that waits."""
    before = yield from get(ref)
    changed = yield Query("discard", {"id": _id(ref), "now": now or datetime.now(UTC)})
    if not changed:
        raise WrongState(
            f"Job {ref} is {before.state} and cannot be discarded. Nothing was changed.", state=before.state
        )
    return (yield from get(ref))


def delete(ref: JobRef) -> Verb[Job]:
    """Delete a job that is not running."""
    before = yield from get(ref)
    if not (yield Query("delete", {"id": _id(ref)})):
        raise _running(before, "deleted")
    return before


def _running(job: Job, what: str) -> WrongState:
    return WrongState(
        f"Job {job.ref} is running and cannot be {what}. Cancel it first, or wait until it has ended.",
        state=job.state,
    )


def _id(ref: JobRef) -> int:
    """Return River's number.  An address that cannot be one is nobody's."""
    if not _is_id(ref.id):
        raise JobNotFound(ref)
    return int(ref.id)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _filter(which: JobFilter) -> dict[str, Any]:
    return {
        "states": list(which.states) or None,
        "queues": list(which.queues) or None,
        "kinds": list(which.kinds) or None,
        "since": which.since,
        "before": which.before,
    }
