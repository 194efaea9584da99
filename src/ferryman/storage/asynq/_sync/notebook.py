# Generated from src/ferryman/storage/asynq/_async/notebook.py by tools/unasync.py: change that file and run `make sync`.
"""The notebook in keys of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ferryman.storage.asynq.server import Server
from ferryman.storage.asynq.verbs import notebook
from ferryman.storage.values import Note

__all__ = ["RedisNotebook"]


class RedisNotebook:
    """Notes of ferryman's own; see the protocol for what each method promises."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def read(self, pages: Sequence[str], *, now: datetime | None = None) -> Sequence[Mapping[str, str]]:
        return self._server.run(notebook.read(pages))

    def write(self, notes: Sequence[Note], *, now: datetime | None = None) -> None:
        self._server.run(notebook.write(notes))

    def claim(self, note: Note, *, now: datetime | None = None) -> str:
        return self._server.run(notebook.claim(note))

    def erase(self, page: str, names: Sequence[str]) -> None:
        self._server.run(notebook.erase(page, names))

    def prune(self, *, now: datetime | None = None) -> None:
        """Do nothing: Redis does it."""
