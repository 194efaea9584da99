"""What the leader does: make due jobs available, take back lost ones, delete old ones."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from ferryman.errors import SchemaOutOfDate
from ferryman.job import Job, JobRef, State
from ferryman.outcome import Discarded, Finished, Retry
from ferryman.storage.river.attempts import error_json
from ferryman.storage.river.rows import job_from
from ferryman.storage.river.steps import Batch, Query, Row, Verb
from ferryman.storage.river.times import parse_time
from ferryman.storage.river.verbs.insert import NoticeLimiter, inserts_told
from ferryman.storage.river.verbs.work import SOON
from ferryman.storage.values import Retention

__all__ = ["orphaned", "promote", "prune", "prune_own", "rescue", "stuck"]

_AT_ONCE = timedelta(milliseconds=5)


def promote(*, limit: int, now: datetime | None, limiter: NoticeLimiter) -> Verb[int]:
    """Make jobs available that are due within River's look-ahead of five seconds (spec/river.md 6.5)."""
    at = now or datetime.now(UTC)
    horizon = at + SOON
    due: list[Row] = yield Query("due", {"horizon": horizon, "max": limit})
    if not due:
        return 0
    losers: set[int] = set()
    seen: set[bytes] = set()
    for id, _, _, key, states in due:
        if key is None or states is None:
            continue
        if key in seen or (yield Query("unique_holder", {"unique_key": key, "but_not": id})):
            losers.add(id)
        else:
            seen.add(key)
    yield Batch("promote_loser", [{"id": id, "horizon": horizon} for id in sorted(losers)])
    yield Batch("promote", [{"id": row[0]} for row in due if row[0] not in losers])
    yield Batch("notify", inserts_told({row[1] for row in due if _is_due(row[2], at)}, at, limiter))
    return len(due)


def _is_due(scheduled_at: str, at: datetime) -> bool:
    when = parse_time(scheduled_at)
    return when is not None and when <= at + _AT_ONCE


def stuck(*, older_than: timedelta, limit: int, after: JobRef | None, now: datetime | None) -> Verb[list[Job]]:
    """Find running jobs that were taken long ago: River knows no leases."""
    horizon = (now or datetime.now(UTC)) - older_than
    rows = yield Query("stuck", {"horizon": horizon, "max": limit, "after": int(after.id) if after else 0})
    return [job_from(row) for row in rows]


def orphaned(*, silent_for: timedelta, limit: int, after: JobRef | None, now: datetime | None) -> Verb[list[Job]]:
    """Find running jobs whose worker is in our registry and fell silent: none where there is no registry."""
    at = now or datetime.now(UTC)
    values = {"now": at, "horizon": at - silent_for, "max": limit, "after": int(after.id) if after else 0}
    rows: list[Row] = []
    with suppress(SchemaOutOfDate):
        rows = yield Query("orphaned", values)
    return [job_from(row) for row in rows]


def rescue(finished: Sequence[Finished], *, now: datetime | None) -> Verb[list[State | None]]:
    """Take back stuck jobs; those that finished or were taken again meanwhile are left alone."""
    at = now or datetime.now(UTC)
    rows = yield Batch("rescue", [_rescued(each, at) for each in finished])
    return [None if row is None else State(row[0]) for row in rows]


def _rescued(finished: Finished, now: datetime) -> dict[str, Any]:
    job, outcome = finished.job, finished.outcome
    error = getattr(outcome, "error", None)
    if error is None:
        raise TypeError(f"a rescue ends in a retry, a discard or a cancel, not in {outcome}")
    retried = isinstance(outcome, Retry)
    return {
        "id": int(job.id),
        "attempt": job.attempt,
        "attempted_at": job.attempted_at,
        "state": "retryable" if retried else "discarded" if isinstance(outcome, Discarded) else "cancelled",
        "finalized_at": None if retried else now,
        "scheduled_at": outcome.at if isinstance(outcome, Retry) else None,
        "error": error_json(error),
    }


def prune(keep: Retention, *, limit: int, now: datetime | None) -> Verb[int]:
    """Delete finished jobs past the time of their state."""
    at = now or datetime.now(UTC)
    deleted = 0
    for state, period in (
        ("completed", keep.completed),
        ("cancelled", keep.cancelled),
        ("discarded", keep.discarded),
    ):
        if period is None or deleted >= limit:
            continue
        horizon = at - period
        values = {"state": state, "horizon": horizon, "kinds": dict(keep.kinds), "max": limit - deleted}
        deleted += len((yield Query("prune", values)))
    return deleted


def prune_own(keep: Retention, *, limit: int, now: datetime | None) -> Verb[int]:
    """Delete completed jobs past the time that they or their tasks give."""
    at = now or datetime.now(UTC)
    rows = yield Query("prune_own", {"now": at, "kinds": dict(keep.kinds), "max": limit})
    return len(rows)
