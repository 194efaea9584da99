"""Counts what this worker does, ten seconds at a time, and writes the numbers down beside the jobs.

It is told of whole batches, once their outcomes are written, and costs each job a
fraction of a microsecond.  Its notes are nobody's business but that of who looks: when they cannot be
written, they wait a while and are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from ferryman.clock import Clock
from ferryman.errors import SchemaOutOfDate, StorageError
from ferryman.job import Job, State
from ferryman.numbers import KEPT, SPANS, Cell, Cells, add, bucket, page_of, write_cells
from ferryman.outcome import Cancelled, Completed, Discarded, Finished, Retry, Revoked
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Note

__all__ = ["EVERY", "Tally"]

EVERY = SPANS[0]
"""How long is counted before it is written, in seconds."""

_MOST_CELLS = 300
_OTHERS = "(others)"
_MOST_NOTES = 500
_SAMPLE = 8
_NAMES: Mapping[type, str] = {
    Completed: "ok",
    Retry: "error",
    Discarded: "gave_up",
    Cancelled: "cancelled",
    Revoked: "cancelled",
}
"""What an attempt counts as; one that was put off, given back, or is not to count, is none."""


class Tally:
    """Counts attempts; at the end of an `async with` it writes what is left."""

    def __init__(self, storage: AsyncStorage, worker: str, clock: Clock) -> None:
        self.storage = storage
        self.worker = worker
        self.clock = clock
        self._start = self._now()
        self._cells: Cells = {}
        self._longer: dict[int, tuple[int, Cells]] = {span: (0, {}) for span in SPANS[1:]}
        self._unwritten: dict[str, Note] = {}

    def count(self, batch: Sequence[tuple[Finished, float]], states: Sequence[State | None]) -> None:
        """Count attempts that have ended, each with the seconds that it ran; without a state it was not ours."""
        if self._now() != self._start:
            self._close()
        ended: dict[tuple[str, str, type], int] = {}
        for (finished, _), state in zip(batch, states, strict=True):
            if state is not None:
                key = finished.job.queue, finished.job.kind, type(finished.outcome)
                ended[key] = ended.get(key, 0) + 1
        for (queue, kind, outcome), number in ended.items():
            if (name := _NAMES.get(outcome)) is not None:
                cell = self._cell(queue, kind)
                setattr(cell, name, getattr(cell, name) + number)
        # Of a large batch a few stand for all: percentiles lose nothing by it, and the hot path gains.
        each = len(batch) // _SAMPLE + 1
        for (finished, seconds), state in zip(batch[::each], states[::each], strict=True):
            if state is not None and type(finished.outcome) in _NAMES:
                self._time(finished.job, seconds, each)

    def _time(self, job: Job, seconds: float, number: int) -> None:
        cell = self._cell(job.queue, job.kind)
        place = bucket(seconds)
        cell.run[place] = cell.run.get(place, 0) + number
        if (waited := job.waited) is not None:
            place = bucket(waited)
            cell.wait[place] = cell.wait.get(place, 0) + number

    async def tick(self) -> None:
        """Write down what is counted, but for the ten seconds that are not over."""
        if self._now() != self._start:
            self._close()
        await self._write()

    async def _write(self) -> None:
        notes = list(self._unwritten.values())
        if not notes:
            return
        with suppress(SchemaOutOfDate):  # there is no place for them
            await self.storage.notebook.write(notes, now=self.clock.stamp())
        for note in notes:
            if self._unwritten.get(note.page) is note:
                del self._unwritten[note.page]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        with suppress(StorageError):
            await self._write()

    def _close(self) -> None:
        """Put away what was counted, and begin anew.  Nothing at all is said too: it is not the same as no worker."""
        start, cells = self._start, self._cells
        self._start, self._cells = self._now(), {}
        self._note(EVERY, start, cells)
        for span, (begun, sums) in self._longer.items():
            if begun != start // span * span:
                begun, sums = start // span * span, {}
                self._longer[span] = begun, sums
            add(sums, cells.values())
            self._note(span, begun, sums)

    def _note(self, span: int, start: int, cells: Cells) -> None:
        page = page_of(span, start)
        self._unwritten[page] = Note(page, self.worker, write_cells(cells), KEPT[span])
        if len(self._unwritten) > _MOST_NOTES:
            del self._unwritten[next(iter(self._unwritten))]

    def _cell(self, queue: str, kind: str) -> Cell:
        cell = self._cells.get((queue, kind))
        if cell is None:
            if len(self._cells) >= _MOST_CELLS:
                queue = kind = _OTHERS
            cell = self._cells.setdefault((queue, kind), Cell(queue, kind))
        return cell

    def _now(self) -> int:
        return int(self.clock.now().timestamp()) // EVERY * EVERY
