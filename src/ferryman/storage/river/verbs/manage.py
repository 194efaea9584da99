"""Looking at jobs, and acting on one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from ferryman import gojson
from ferryman.errors import DuplicateJob, JobNotFound, WrongState
from ferryman.job import Job, JobRef, State
from ferryman.storage.filters import NEWEST_FIRST, JobFilter, JobOrder, Page
from ferryman.storage.matching import looks_inside, matches
from ferryman.storage.river import cursors
from ferryman.storage.river.rows import SeenRow, job_from, without_nul
from ferryman.storage.river.steps import Batch, Query, Row, Search, Verb
from ferryman.storage.river.times import json_time

__all__ = [
    "asked_to_stop",
    "cancel",
    "count",
    "delete",
    "discard",
    "get",
    "list_jobs",
    "reschedule",
    "retry",
    "update",
    "waiting_kinds",
]


_LISTS = {
    ("id", False): "list_upwards",
    ("id", True): "list_downwards",
    ("time", False): "list_by_time_upwards",
    ("time", True): "list_by_time_downwards",
    ("end", False): "list_by_end_upwards",
    ("end", True): "list_by_end_downwards",
}
"""The statement for an order: what it goes by, and whether it descends."""

_PORTIONS = (1_000, 4_000)
"""How many jobs are looked at, after as many as are wanted: mostly nearly all match, or nearly none."""
_COUNTED_AT_ONCE = 1_000


def get(ref: JobRef) -> Verb[Job]:
    """Return one job."""
    rows = yield Query("get", {"id": _id(ref)})
    if not rows:
        raise JobNotFound(ref)
    return job_from(rows[0])


def list_jobs(which: JobFilter, *, order: JobOrder, limit: int, cursor: str | None) -> Verb[Page[Job]]:
    """Return a page of jobs (spec/river.md 7.6.2)."""
    if _looks_inside(which):
        return (yield from _look_inside(which, order, limit, cursor))
    rows = yield from _rows(which, order, limit + 1, cursor)
    jobs = list(map(job_from, rows[:limit]))
    return Page(jobs, cursors.behind(jobs[-1], which, order) if len(rows) > limit > 0 else None)


def _rows(which: JobFilter, order: JobOrder, most: int, cursor: str | None) -> Verb[list[Row]]:
    column, which = cursors.column(which, order)
    last = cursors.read(cursor) if cursor is not None else None
    place = {"after": last.id if last else None, "after_at": last.at if last else None, "by": column}
    name = _LISTS[_goes_by(column, which), order.descending]
    rows: list[Row] = yield Search(name, {**_filter(which), **place, "max": most})
    return rows


def _goes_by(column: str | None, which: JobFilter) -> str:
    if column is None:
        return "id"
    return "end" if column == "finalized_at" and len(which.states) == 1 else "time"


def _looks_inside(which: JobFilter) -> bool:
    return looks_inside(msgspec.structs.replace(which, tags=()))  # tags have a column here


def _look_inside(which: JobFilter, order: JobOrder, limit: int, cursor: str | None) -> Verb[Page[Job]]:
    """Read jobs one after another.  The page may be short of `limit` and have a next one, when few of many match."""
    jobs: list[Job] = []
    for portion in (limit + 1, *_PORTIONS):
        rows = yield from _rows(which, order, portion, cursor)
        for place, row in enumerate(rows):
            if matches(which, SeenRow(row)):
                if len(jobs) == limit:
                    return Page(jobs, _behind(rows[place - 1], which, order) if place else cursor)
                jobs.append(job_from(row))
        if len(rows) < portion:
            return Page(jobs)
        cursor = _behind(rows[-1], which, order)
    return Page(jobs, cursor)


def _behind(row: Row, which: JobFilter, order: JobOrder) -> str:
    return cursors.behind(job_from(row), which, order)


def count(which: JobFilter) -> Verb[Mapping[State, int]]:
    """Return how many jobs there are, by state.  What can only be seen inside a job is counted one by one."""
    if _looks_inside(which):
        return (yield from _count_one_by_one(which))
    rows = yield Search("count", _filter(which))
    return {State(state): number for state, number in rows}


def _count_one_by_one(which: JobFilter) -> Verb[Mapping[State, int]]:
    page = yield from list_jobs(which, order=NEWEST_FIRST, limit=_COUNTED_AT_ONCE, cursor=None)
    counts = Counter(job.state for job in page.items)
    while page.next is not None:
        page = yield from list_jobs(which, order=NEWEST_FIRST, limit=_COUNTED_AT_ONCE, cursor=page.next)
        counts.update(job.state for job in page.items)
    return counts


def waiting_kinds(queues: Sequence[str], *, limit: int) -> Verb[Sequence[str]]:
    """Return kinds that wait near the head of these queues."""
    found: set[str] = set()
    for queue in queues:
        rows = yield Query("waiting_kinds", {"queue": queue, "max": limit})
        found.update(row[0] for row in rows)
    return sorted(found)[:limit]


def asked_to_stop(refs: Sequence[JobRef]) -> Verb[Sequence[JobRef]]:
    """Return those of these running jobs that somebody asked to stop."""
    rows = yield Query("asked_to_stop", {"ids": [_id(ref) for ref in refs]})
    return [JobRef(str(row[0])) for row in rows]


def cancel(ref: JobRef, *, now: datetime | None) -> Verb[Job]:
    """Cancel a job, or ask whoever runs it to stop (spec/river.md 7.6.1; told to other processes as since 0.48)."""
    at = now or datetime.now(UTC)
    changed = yield Query("cancel", {"id": _id(ref), "now": at, "cancelled_at": json_time(at)})
    job = yield from get(ref)
    if changed:
        payload = f'{{"action":"cancel","job_id":{job.id},"queue":{gojson.quote(job.queue)}}}'
        yield Batch("notify", [{"now": at, "topic": "river_control", "payload": payload}])
    return job


def retry(ref: JobRef, *, now: datetime | None) -> Verb[Job]:
    """Make a job available now (spec/river.md 7.6)."""
    before = yield from get(ref)
    if before.state is State.RUNNING:
        raise _running(before, "retried")
    yield from _refuse_duplicate(ref)
    yield Query("retry", {"id": _id(ref), "now": now or datetime.now(UTC)})
    return (yield from get(ref))


def reschedule(ref: JobRef, at: datetime, *, now: datetime | None) -> Verb[Job]:
    """Let a job that waits wait until another time; one that failed stays retryable."""
    before = yield from get(ref)
    yield from _refuse_duplicate(ref)
    changed = yield Query("reschedule", {"id": _id(ref), "at": at, "now": now or datetime.now(UTC)})
    if not changed:
        raise WrongState(
            f"Job {ref} is {before.state} and cannot be given another time. Nothing was changed.", state=before.state
        )
    return (yield from get(ref))


def _refuse_duplicate(ref: JobRef) -> Verb[None]:
    """Look for another job with the same key first: on Postgres a refused statement would end the whole transaction."""
    if (successor := (yield from _successor(ref))) is not None:
        raise DuplicateJob(
            f"Job {ref} cannot run again: job {successor} with the same unique key is there. Nothing was changed.",
            ref=successor,
        )


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


def update(ref: JobRef, metadata: Mapping[str, bytes]) -> Verb[Job]:
    """Set members of a job's metadata, whatever its state, as River's JobUpdate does (spec/river.md 7.6)."""
    before = yield from get(ref)
    if not metadata:
        return before
    recorded = [(name, without_nul(value)) for name, value in metadata.items()]
    (row,) = yield Batch("record", [{"id": _id(ref), "attempt": before.attempt, "recorded": recorded}])
    if row is None:
        raise WrongState(
            f"Job {ref} was changed at the same moment, or its metadata are no JSON object. Look at it, and try again.",
            state=before.state,
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
    one = which.states[0] if len(which.states) == 1 else None
    return {
        "state": one,
        "states": None if one else which.states or None,
        "queues": which.queues or None,
        "kinds": which.kinds or None,
        "ids": tuple([int(id) for id in which.ids if _is_id(id)]) if which.ids else None,
        "priorities": which.priorities or None,
        "tags": which.tags or None,
        "metadata": gojson.encode(which.metadata).decode() if which.metadata else None,
        "since": which.since,
        "before": which.before,
    }
