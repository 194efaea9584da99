# Generated from src/ferryman/storage/river/_async/notebook.py by tools/unasync.py: change that file and run `make sync`.
"""The notebook in a side table of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ferryman.storage.river._sync.runner import Runner
from ferryman.storage.river.verbs import notebook
from ferryman.storage.values import Note

__all__ = ["RiverNotebook"]


class RiverNotebook:
    """Notes of ferryman's own; see the protocol for what each method promises."""

    def __init__(self, reader: Runner, writer: Runner) -> None:
        self._reader = reader
        self._writer = writer

    def read(self, pages: Sequence[str], *, now: datetime | None = None) -> Sequence[Mapping[str, str]]:
        return self._reader.read(notebook.read(pages, now=now))

    def write(self, notes: Sequence[Note], *, now: datetime | None = None) -> None:
        self._writer.write(notebook.write(notes, now=now))

    def claim(self, note: Note, *, now: datetime | None = None) -> str:
        return self._writer.write(notebook.claim(note, now=now))

    def erase(self, page: str, names: Sequence[str]) -> None:
        self._writer.write(notebook.erase(page, names))

    def prune(self, *, now: datetime | None = None) -> None:
        self._writer.write(notebook.prune_notes(now=now))
