"""How it went over a while, in steps of equal length: what charts are drawn from (spec/dashboard.md 2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from ferryman.job import Job, State
from ferryman.numbers import Cell, Cells, add, bucket, page_of, percentile, read_cells

__all__ = ["By", "Drawing", "Line", "Point", "Series", "Steps"]

By = Literal["queue", "kind"]

_STEPS = (
    (timedelta(minutes=15), 10, 10),
    (timedelta(hours=1), 60, 60),
    (timedelta(hours=6), 60, 300),
    (timedelta(hours=24), 900, 900),
    (timedelta(days=8), 900, 7_200),
)
"""For windows up to this long: the span of the notes to read, and the length of a step, in seconds."""
_NAMES: Mapping[State, str] = {
    State.COMPLETED: "ok",
    State.RETRYABLE: "error",
    State.DISCARDED: "gave_up",
    State.CANCELLED: "cancelled",
}


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What ended within one step.  Times are in seconds, estimated from buckets, None where none is known."""

    ok: int = 0
    error: int = 0
    """Failed, to be tried again."""
    gave_up: int = 0
    cancelled: int = 0
    wait_p50: float | None = None
    """How long jobs waited for their first attempt."""
    wait_p95: float | None = None
    run_p50: float | None = None
    run_p95: float | None = None

    @property
    def attempts(self) -> int:
        """How many attempts ended."""
        return self.ok + self.error + self.gave_up + self.cancelled


class Line(msgspec.Struct, frozen=True):
    """One queue's or kind's points, or those of all together when `name` is empty; None is a gap: nobody counted."""

    name: str
    points: tuple[Point | None, ...]
    total: Point


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Points at `since`, `since` + `step` and so on; the last step is not over yet."""

    since: datetime
    step: timedelta
    source: str
    """Where the numbers come from, in words."""
    truncated: bool = False
    """Whether there was more than could be looked at: then the earlier points are too low."""
    lines: tuple[Line, ...] = ()


class Steps(msgspec.Struct, frozen=True):
    """The steps of a window that ends now: `count` of `step` seconds, from `start` on, read from notes of `span`."""

    span: int
    step: int
    start: int
    count: int

    @classmethod
    def of(cls, window: timedelta, now: datetime) -> Steps:
        """Choose steps for a window; it is cut at eight days, which is how far numbers go back."""
        longest = _STEPS[-1][0]
        window = min(window, longest)
        span, step = next((span, step) for most, span, step in _STEPS if window <= most)
        count = max(-(-int(window.total_seconds()) // step), 1)
        end = int(now.timestamp()) // step * step + step
        return cls(span, step, end - count * step, count)

    @property
    def since(self) -> datetime:
        """When the first begins."""
        return datetime.fromtimestamp(self.start, UTC)

    def pages(self) -> list[str]:
        """Return the pages to read, in their order."""
        return [
            page_of(self.span, start) for start in range(self.start, self.start + self.count * self.step, self.span)
        ]

    def place(self, at: datetime) -> int | None:
        """Return the number of the step that a time falls into."""
        place = int(at.timestamp() - self.start) // self.step
        return place if 0 <= place < self.count else None


@dataclass
class Drawing:
    """Puts numbers into steps; a step that nothing was put into, not even an empty note, is a gap."""

    steps: Steps
    queue: str | None = None
    kind: str | None = None
    found: dict[int, Cells] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nobody has counted at all."""
        return not self.found

    def add_pages(self, pages: Sequence[Mapping[str, str]]) -> None:
        """Take in the notes of all workers."""
        for number, page in enumerate(pages):
            for text in page.values():
                self._put(number * self.steps.span // self.steps.step, read_cells(text))

    def add_job(self, job: Job) -> None:
        """Take in the latest attempt of a job that ended."""
        at = job.finalized_at or (job.error.at if job.error else None)
        place = None if at is None else self.steps.place(at)
        if place is not None and job.state in _NAMES:
            self._put(place, [_cell(job)])

    def _put(self, place: int, cells: Iterable[Cell]) -> None:
        add(self.found.setdefault(place, {}), (cell for cell in cells if self._wanted(cell)))

    def _wanted(self, cell: Cell) -> bool:
        return self.queue in (None, cell.queue) and self.kind in (None, cell.kind)

    def finish(self, source: str, by: By | None = None, *, truncated: bool = False) -> Series:
        """Return what was found, a line for each queue or kind, the busiest first, or one for all together."""
        sums: dict[str, dict[int, Cell]] = {} if by else {"": {}}
        for place, cells in self.found.items():
            for cell in cells.values():
                name = _name(cell, by)
                sums.setdefault(name, {}).setdefault(place, Cell("", name)).add(cell)
        lines = [self._line(name, sums[name]) for name in sorted(sums)]
        lines.sort(key=lambda line: -line.total.attempts)
        return Series(
            since=self.steps.since,
            step=timedelta(seconds=self.steps.step),
            source=source,
            truncated=truncated,
            lines=tuple(lines),
        )

    def _line(self, name: str, sums: Mapping[int, Cell]) -> Line:
        total = Cell("", name)
        for cell in sums.values():
            total.add(cell)
        nothing = Cell("", name)
        places = range(self.steps.count)
        points = [_point(sums.get(place, nothing)) if place in self.found else None for place in places]
        return Line(name, tuple(points), _point(total))


def _name(cell: Cell, by: By | None) -> str:
    return "" if by is None else cell.queue if by == "queue" else cell.kind


def _cell(job: Job) -> Cell:
    cell = Cell(job.queue, job.kind)
    setattr(cell, _NAMES[job.state], 1)
    if job.attempted_at is not None:
        if job.finalized_at is not None and job.state is not State.CANCELLED:
            cell.run[bucket((job.finalized_at - job.attempted_at).total_seconds())] = 1
        if job.waited is not None:
            cell.wait[bucket(job.waited)] = 1
    return cell


def _point(cell: Cell) -> Point:
    return Point(
        ok=cell.ok,
        error=cell.error,
        gave_up=cell.gave_up,
        cancelled=cell.cancelled,
        wait_p50=percentile(cell.wait, 50),
        wait_p95=percentile(cell.wait, 95),
        run_p50=percentile(cell.run, 50),
        run_p95=percentile(cell.run, 95),
    )
