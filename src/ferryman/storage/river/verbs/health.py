"""What may delay or hide jobs in River's tables, whatever database keeps them (spec/cli.md 4.6).

Ids begin with a letter for the database, S or P; the checks of a database's own stand
beside its driver.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ferryman.duration import format_duration
from ferryman.errors import SchemaOutOfDate
from ferryman.findings import Finding, failed, passed, warned
from ferryman.storage.river.steps import Query, Verb
from ferryman.storage.river.times import parse_time
from ferryman.storage.river.verbs import schema
from ferryman.storage.values import Retention

__all__ = ["check", "cleaning"]

_PATIENCE = timedelta(seconds=30)
_LATE = timedelta(hours=1)
_UP = "ferryman migrate up"


def check(dialect: str, *, now: datetime | None) -> Verb[list[Finding]]:
    """Judge the tables: their versions, and who leads.  Without tables there is nothing more to judge."""
    letter = dialect[0].upper()
    versions = yield from _migrations(f"{letter}-MIGR", dialect)
    if versions.level == "error":
        return [versions]
    leader = yield from _leader(f"{letter}-LEADER", now or datetime.now(UTC))
    return [versions, leader]


def _migrations(id: str, dialect: str) -> Verb[Finding]:
    try:
        yield from schema.check(dialect)
    except SchemaOutOfDate as error:
        return failed(id, str(error).partition(" Run:")[0], _UP)
    lines = yield from schema.status(dialect)
    missing = [f"{line.line} {version:03d}" for line in lines for version in line.pending]
    if missing:
        return warned(id, f"works, but not every migration is applied: {', '.join(missing)}", _UP)
    return passed(id, "migrations: " + ", ".join(f"{line.line} {line.version}" for line in lines))


def _leader(id: str, now: datetime) -> Verb[Finding]:
    rows = yield Query("leader")
    if not rows:
        return passed(id, "nobody leads; a worker that starts will")
    leader, expires_at = rows[0]
    expired = parse_time(expires_at)
    if expired is not None and now - expired > _PATIENCE:
        seconds = (now - expired).total_seconds()
        return warned(
            id,
            f"the leader {leader} has not been heard of for {seconds:,.0f} s: nothing is scheduled, rescued or cleaned",
            "ferryman workers",
        )
    return passed(id, f"{leader} leads")


def cleaning(id: str, now: datetime, keep: Retention) -> Verb[Finding]:
    """Judge whether completed jobs are deleted when their time is over."""
    for (finalized_at,) in (yield Query("oldest_completed", {"kinds": list(keep.kinds)})):
        ended = parse_time(finalized_at)
        if keep.completed is not None and ended is not None and now - ended > keep.completed + _LATE:
            return warned(
                id,
                f"a job that completed {(now - ended).total_seconds() / 3600:,.0f} h ago is still there, "
                f"and the settings here keep such for {format_duration(keep.completed)}: no leader cleans, or its own "
                "settings keep them longer",
                "ferryman workers",
            )
    return passed(id, "old jobs are deleted in time")
