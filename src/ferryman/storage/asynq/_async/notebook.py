"""The notebook in keys of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ferryman.storage.asynq.server import AsyncServer
from ferryman.storage.asynq.verbs import notebook
from ferryman.storage.values import Note

__all__ = ["AsyncRedisNotebook"]


class AsyncRedisNotebook:
    """Notes of ferryman's own; see the protocol for what each method promises."""

    def __init__(self, server: AsyncServer) -> None:
        self._server = server

    async def read(self, pages: Sequence[str], *, now: datetime | None = None) -> Sequence[Mapping[str, str]]:
        return await self._server.run(notebook.read(pages))

    async def write(self, notes: Sequence[Note], *, now: datetime | None = None) -> None:
        await self._server.run(notebook.write(notes))

    async def claim(self, note: Note, *, now: datetime | None = None) -> str:
        return await self._server.run(notebook.claim(note))

    async def erase(self, page: str, names: Sequence[str]) -> None:
        await self._server.run(notebook.erase(page, names))

    async def prune(self, *, now: datetime | None = None) -> None:
        """Do nothing: Redis does it."""
