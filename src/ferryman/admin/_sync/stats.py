# Generated from src/ferryman/admin/_async/stats.py by tools/unasync.py: change that file and run `make sync`.
"""How much was worked: as workers counted it, or read from the jobs that are still there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Literal

from ferryman.admin.series import By, Drawing, Series, Steps
from ferryman.admin.throughput import ENDED, Throughputs, Weighing
from ferryman.errors import SchemaOutOfDate
from ferryman.job import Job
from ferryman.opening import Open
from ferryman.storage.filters import JobFilter

__all__ = ["StatsAdmin"]

_AT_ONCE = 250
_COUNTED = "attempts that ferryman's workers counted"
_STORED = "jobs that are still stored"


class StatsAdmin:
    """Throughput, run times and failures."""

    def __init__(self, open: Open) -> None:
        self._open = open

    def series(
        self,
        window: timedelta,
        *,
        by: By | None = None,
        queue: str | None = None,
        kind: str | None = None,
        now: datetime | None = None,
    ) -> Series:
        """Return how it went over the window, up to eight days of it, in 7 to 90 steps.

        From what ferryman's workers counted; where none has, from jobs that are still stored and ended in the
        window, the latest 10,000 of them.
        """
        return (self.cuts(window, by, queue=queue, kind=kind, now=now))[by]

    def cuts(
        self,
        window: timedelta,
        *by: By | None,
        queue: str | None = None,
        kind: str | None = None,
        now: datetime | None = None,
    ) -> Mapping[By | None, Series]:
        """Return what `series` does, several ways, read once."""
        drawing = self._counted(window, queue, kind, now or datetime.now(UTC))
        if not drawing.is_empty:
            return {each: drawing.finish(_COUNTED, each) for each in by}
        truncated = self._look(drawing.steps.since, drawing.add_job)
        return {each: drawing.finish(_STORED, each, truncated=truncated) for each in by}

    def counted(
        self,
        window: timedelta,
        *,
        by: By | None = None,
        queue: str | None = None,
        kind: str | None = None,
        now: datetime | None = None,
    ) -> Series | None:
        """Return what `series` does, if ferryman's workers counted anything in the window."""
        drawing = self._counted(window, queue, kind, now or datetime.now(UTC))
        return None if drawing.is_empty else drawing.finish(_COUNTED, by)

    def _counted(self, window: timedelta, queue: str | None, kind: str | None, now: datetime) -> Drawing:
        drawing = Drawing(Steps.of(window, now), queue, kind)
        notebook = (self._open()).notebook
        with suppress(SchemaOutOfDate):  # there is no table for numbers
            drawing.add_pages(notebook.read(drawing.steps.pages(), now=now))
        return drawing

    def _look(self, since: datetime, add: Callable[[Job], None], *, sample: int = 10_000, seconds: float = 1.0) -> bool:
        """Add jobs whose latest attempt ended since then; return whether there are more than were looked at."""
        which = JobFilter(states=ENDED, ended_since=since)
        jobs, ends = (self._open()).jobs, time.monotonic() + seconds
        scanned, cursor, more = 0, None, True
        while more and scanned < sample and time.monotonic() < ends:
            page = jobs.list(which, limit=min(_AT_ONCE, sample - scanned), cursor=cursor)
            for job in page.items:
                add(job)
            scanned += len(page.items)
            cursor, more = page.next, page.next is not None
        return more

    def throughput(
        self,
        window: timedelta,
        *,
        by: Literal["kind", "queue"] = "kind",
        sample: int = 10_000,
        seconds: float = 1.0,
        now: datetime | None = None,
    ) -> Throughputs:
        """Weigh jobs whose latest attempt ended within the window.

        Looks at the latest `sample` jobs and for `seconds` at most, and says when there are
        more.  A job that was deleted, or whose retention is over, is not seen.
        """
        now = now or datetime.now(UTC)
        weighing = Weighing(by, now - window, now)
        truncated = self._look(now - window, weighing.add, sample=sample, seconds=seconds)
        return weighing.result(truncated=truncated)
