"""A table of one sort of thing, which keeps its place while rows come and go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text
from textual.widgets import DataTable

from ferryman.cli.output import Column, Listing, plain
from ferryman.cli.times import Times

__all__ = ["Panel"]

_Shown = list[tuple[str, list[str]]]


class Panel(DataTable[Text]):
    """Shows a listing's columns.  What stands in a cell is text, never markup."""

    def __init__(self, name: str, listing: Listing[Any]) -> None:
        super().__init__(id=name, cursor_type="row")
        self.border_title = name.capitalize()
        self.listing = listing
        self._things: dict[str, Any] = {}
        self._shown: _Shown | None = None

    @property
    def chosen(self) -> Any:
        """The thing that the cursor is on, or None."""
        if not self.row_count:
            return None
        return self._things[self._key_at(self.cursor_row)]

    def fill(self, things: Sequence[Any], times: Times, words: str) -> None:
        """Show the things in whose row these words stand."""
        rows = [(thing, [plain(column.cell(thing, times)) for column in self.listing.columns]) for thing in things]
        kept = [(thing, cells) for thing, cells in rows if words.lower() in " ".join(cells).lower()]
        self._things = {self.listing.id(thing): thing for thing, _ in kept}
        shown = [(self.listing.id(thing), cells) for thing, cells in kept]
        if shown != self._shown:
            self._draw(shown)
        self.border_subtitle = "" if kept else self.listing.none.partition(":")[0].partition(".")[0]

    def _draw(self, shown: _Shown) -> None:
        chosen = self._key_at(self.cursor_row) if self.row_count else ""
        place = self.cursor_row
        self._shown = shown
        self.clear(columns=True)  # so that columns become narrower too
        for column in self.listing.columns:
            self.add_column(Text(column.title, justify="right" if column.right else "left", style="dim"))
        for key, cells in shown:
            pairs = zip(cells, self.listing.columns, strict=True)
            self.add_row(*[_cell(text, column) for text, column in pairs], key=key)
        keys = [key for key, _ in shown]
        self.move_cursor(row=keys.index(chosen) if chosen in keys else min(place, len(keys) - 1))

    def _key_at(self, row: int) -> str:
        return str(self.ordered_rows[row].key.value)


def _cell(text: str, column: Column[Any]) -> Text:
    style = column.style(text) if column.style else ""
    return Text(text, style=style, justify="right" if column.right else "left", no_wrap=True)
