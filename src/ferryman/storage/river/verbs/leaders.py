"""The election: one row that says who leads, and until when (spec/river.md 6.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ferryman.gojson import quote
from ferryman.storage.river.steps import NOW, Batch, Query, Verb
from ferryman.storage.river.times import parse_time

__all__ = ["LEASE", "current", "elect", "request_resign", "resign"]

LEASE = timedelta(seconds=15)


def elect(candidate: str, *, term: str | None, now: datetime | None) -> Verb[str | None]:
    """Seek the leadership, or keep it for a term that is held."""
    values = {"now": now or NOW, "lease": LEASE.total_seconds(), "leader": candidate}
    if term is not None:
        rows = yield Query("keep_leadership", {**values, "term": term})
    else:
        yield Query("expire_leader", {"now": values["now"]})
        rows = yield Query("seek_leadership", values)
    return rows[0][0] if rows else None


def current(*, now: datetime | None) -> Verb[str | None]:
    """Return who leads."""
    at = now or datetime.now(UTC)
    rows = yield Query("leader")
    return next((str(leader) for leader, until in rows if (parse_time(until) or at) > at), None)


def resign(candidate: str, *, term: str, told: bool, now: datetime | None = None) -> Verb[bool]:
    """Give the row up, if it still is ours, and say so where that is told."""
    rows = yield Query("resign", {"leader": candidate, "term": term})
    if rows and told:
        yield _tell(f'{{"leader_id":{quote(candidate)},"action":"resigned"}}', now)
    return bool(rows)


def request_resign(*, now: datetime | None = None) -> Verb[None]:
    """Ask the leader to step down."""
    yield _tell('{"action":"request_resign","leader_id":""}', now)


def _tell(payload: str, now: datetime | None) -> Batch:
    return Batch("notify", [{"now": now or datetime.now(UTC), "topic": "river_leadership", "payload": payload}])
