"""Draws tables: capital titles, two spaces between columns, no lines."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click
from rich.cells import cell_len, set_cell_size

from ferryman.cli.columns import Column

__all__ = ["drawn"]

_GAP = "  "
_LEAST = 8


def drawn(columns: Sequence[Column[Any]], rows: Sequence[Sequence[str]], *, cut: bool) -> Iterator[str]:
    """Return the lines of a table.  On a terminal, the last column is cut to what fits if `cut`."""
    widths = [max(map(cell_len, texts)) for texts in zip([c.title for c in columns], *rows, strict=True)]
    if cut and sys.stdout.isatty():
        taken = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
        widths[-1] = min(widths[-1], max(_LEAST, shutil.get_terminal_size().columns - taken))
    yield _line([_cell(c.title, width, right=c.right, dim=True) for c, width in zip(columns, widths, strict=True)])
    for row in rows:
        cells = zip(row, widths, columns, strict=True)
        yield _line([_cell(text, width, right=c.right, fg=c.style and c.style(text)) for text, width, c in cells])


def _line(cells: Sequence[str]) -> str:
    return _GAP.join(cells).rstrip()


def _cell(text: str, width: int, *, right: bool, **style: Any) -> str:
    """Return text as exactly so many places of a terminal, whose characters are not all of one width."""
    shown = text if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"
    padding = " " * (width - cell_len(shown))
    styled = click.style(shown, **style) if shown and any(style.values()) else shown
    return f"{padding}{styled}" if right else f"{styled}{padding}"
