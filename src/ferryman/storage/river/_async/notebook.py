"""The notebook in a side table of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ferryman.storage.river._async.runner import AsyncRunner
from ferryman.storage.river.verbs import notebook
from ferryman.storage.values import Note

__all__ = ["AsyncRiverNotebook"]


class AsyncRiverNotebook:
    """Notes of ferryman's own; see the protocol for what each method promises."""

    def __init__(self, reader: AsyncRunner, writer: AsyncRunner) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, pages: Sequence[str], *, now: datetime | None = None) -> Sequence[Mapping[str, str]]:
        return await self._reader.read(notebook.read(pages, now=now))

    async def write(self, notes: Sequence[Note], *, now: datetime | None = None) -> None:
        await self._writer.write(notebook.write(notes, now=now))

    async def claim(self, note: Note, *, now: datetime | None = None) -> str:
        return await self._writer.write(notebook.claim(note, now=now))

    async def erase(self, page: str, names: Sequence[str]) -> None:
        await self._writer.write(notebook.erase(page, names))

    async def prune(self, *, now: datetime | None = None) -> None:
        await self._writer.write(notebook.prune_notes(now=now))
