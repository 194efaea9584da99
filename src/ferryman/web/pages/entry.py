"""One schedule, and what became of its runs (spec/dashboard.md 2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from ferryman.job import Job, JobRef
from ferryman.storage.infos import PeriodicRun
from ferryman.web import replies
from ferryman.web.pages.periodic import EntryRow, entry_row, ran_for
from ferryman.web.pages.rows import one_line
from ferryman.web.reading import together
from ferryman.web.visit import Visit

__all__ = ["page"]

_RUNS = 100
_ERROR = 300


@dataclass(frozen=True)
class Run:
    """One run; without a `state` its job is no longer stored."""

    at: datetime
    ref: JobRef
    state: str = ""
    attempt: int = 0
    max_attempts: int = 0
    took: float | None = None
    error: str = ""


@dataclass(frozen=True)
class Entry:
    """The page."""

    entry: EntryRow
    runs: Sequence[Run]
    command: str
    none: str


async def page(visit: Visit) -> Response:
    """Show one schedule."""
    key, admin = visit.query.get("key", ""), visit.place.admin.periodic
    entry = await together(visit, "entry", lambda: admin.get(key))
    runs = await together(visit, "runs", lambda: admin.history(key, limit=_RUNS))
    shown = Entry(
        entry=entry_row(entry, runs, visit),
        runs=[_run(visit, each) for each in runs],
        command=f"ferryman periodic history {key}",
        none="None of its jobs is stored any more, or it has not run yet.",
    )
    return await replies.page(visit, "entry.html", shown)


def _run(visit: Visit, run: PeriodicRun) -> Run:
    if run.job is None:
        return Run(run.at, run.ref)
    job: Job = visit.place.redaction.job(run.job)
    return Run(
        run.at,
        run.ref,
        state=job.state.value,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        took=ran_for(run),
        error=one_line(job.error.error, _ERROR) if job.error else "",
    )
