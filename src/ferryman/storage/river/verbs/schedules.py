"""When schedules are due next, in a side table of our own, and which jobs came of them.

River keeps the first in its leader's memory only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from ferryman.job import Job
from ferryman.storage.infos import PeriodicInfo, PeriodicRun
from ferryman.storage.river.rows import job_from
from ferryman.storage.river.steps import Batch, Query, Verb
from ferryman.storage.river.times import parse_time
from ferryman.storage.values import Plan

__all__ = ["and_keep", "keep", "plans", "runs"]

T = TypeVar("T")


def plans() -> Verb[list[Plan]]:
    """Return what was kept.  Raises SchemaOutOfDate where our line of migrations has not come that far."""
    rows = yield Query("plans")
    return [Plan(id, spec, at) for id, spec, text in rows if (at := parse_time(text)) is not None]


def keep(found: Sequence[Plan], *, now: datetime | None) -> Verb[None]:
    """Keep these, each in the place of the one before."""
    at = now or datetime.now(UTC)
    yield Batch("plan", [{"id": each.id, "spec": each.spec, "next_at": each.next_at, "now": at} for each in found])


def runs(entry: PeriodicInfo, *, limit: int) -> Verb[list[PeriodicRun]]:
    """Return the latest jobs of a schedule, Go's among them: they carry its id (spec/river.md 6.5)."""
    rows = yield Query("runs", {"id": entry.id, "kind": entry.kind, "max": limit})
    return [PeriodicRun(at=_since(job), ref=job.ref, job=job) for job in map(job_from, rows)]


def _since(job: Job) -> datetime:
    return job.created_at or job.scheduled_at


def and_keep(verb: Verb[T], found: Sequence[Plan], *, now: datetime | None) -> Verb[T]:
    """Run a verb, and keep these in the same transaction."""
    answer = yield from verb
    yield from keep(found, now=now)
    return answer
