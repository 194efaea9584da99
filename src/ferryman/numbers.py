"""What workers count: attempts by queue and kind, how they ended, how long they waited and ran.

A worker writes its numbers of ten seconds, of a minute and of a quarter of an hour as notes,
each on the page of its span, under its own name.  So a note that is written twice counts
once, nobody has to add up anybody's notes but who reads them, and each span is forgotten
when only longer ones are looked at (spec/dashboard.md 2.1).  Times are counted in buckets that
grow by the square root of two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from math import frexp

import msgspec

__all__ = ["KEPT", "SPANS", "Cell", "Cells", "add", "bucket", "page_of", "percentile", "read_cells", "write_cells"]

KEPT: Mapping[int, timedelta] = {
    10: timedelta(minutes=20),
    60: timedelta(hours=7),
    900: timedelta(days=8),
}
"""The spans in seconds, and for how long the numbers of each are kept."""
SPANS = tuple(KEPT)

_HALF_OCTAVE = 2**-0.5
_SHORTEST, _LONGEST = 2**-11, 2.0**18

Histogram = dict[int, int]
"""Bucket → how many.  Bucket b holds what took from 2^((b-1)/2) to 2^(b/2) seconds."""


class Cell(msgspec.Struct, array_like=True):
    """The attempts of one queue and kind."""

    queue: str
    kind: str
    ok: int = 0
    error: int = 0
    """Failed, to be tried again."""
    gave_up: int = 0
    cancelled: int = 0
    run: Histogram = {}
    """How long attempts ran."""
    wait: Histogram = {}
    """How long jobs waited for their first attempt, as far as that is known."""

    def add(self, other: Cell) -> None:
        """Take in the numbers of another."""
        self.ok += other.ok
        self.error += other.error
        self.gave_up += other.gave_up
        self.cancelled += other.cancelled
        for mine, more in ((self.run, other.run), (self.wait, other.wait)):
            for place, number in more.items():
                mine[place] = mine.get(place, 0) + number

    @property
    def attempts(self) -> int:
        """How many there were."""
        return self.ok + self.error + self.gave_up + self.cancelled


Cells = dict[tuple[str, str], Cell]
"""Queue and kind → their numbers."""

_decoder = msgspec.json.Decoder(list[Cell])


def add(cells: Cells, more: Iterable[Cell]) -> None:
    """Take in more numbers."""
    for cell in more:
        key = cell.queue, cell.kind
        if key not in cells:
            cells[key] = Cell(cell.queue, cell.kind)
        cells[key].add(cell)


def bucket(seconds: float) -> int:
    """Return the bucket of a length of time."""
    mantissa, exponent = frexp(min(max(seconds, _SHORTEST), _LONGEST))
    return 2 * exponent - (mantissa < _HALF_OCTAVE)


def percentile(histogram: Mapping[int, int], percent: float) -> float | None:
    """Estimate the seconds that so many of a hundred do not exceed; None where nothing was counted."""
    wanted = sum(histogram.values()) * percent / 100
    passed = 0
    for place in sorted(histogram):
        number = histogram[place]
        if passed + number >= wanted and number:
            return float(2.0 ** ((place - 1 + (wanted - passed) / number) / 2))
        passed += number
    return None


def page_of(span: int, start: int) -> str:
    """Return the page on which the numbers of a span stand that begins at this second."""
    return f"numbers:{span}:{start}"


def write_cells(cells: Cells) -> str:
    """Return numbers as the text of a note."""
    return msgspec.json.encode(list(cells.values())).decode()


def read_cells(text: str) -> Sequence[Cell]:
    """Read a note; what another version wrote and this one cannot read is nothing."""
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError:
        return ()
