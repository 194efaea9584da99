# Generated from src/ferryman/storage/river/sqlite/_async/notices.py by tools/unasync.py: change that file and run `make sync`.
"""What others say about jobs in a SQLite file."""

from __future__ import annotations

from collections.abc import Iterator, Callable
from datetime import datetime

from ferryman.storage.river._sync.parts import RiverRequests
from ferryman.storage.river._sync.runner import Runner
from ferryman.storage.river.sqlite.thread import SqliteRunner
from ferryman.storage.river.sqlite.watch import Watch
from ferryman.storage.river.verbs import notices
from ferryman.storage.values import Notice

__all__ = ["SqliteNotices"]


class SqliteNotices(RiverRequests):
    """What others say: at once within this process, by polling from outside it."""

    def __init__(self, reader: SqliteRunner, writer: Runner, tell: Callable[..., None]) -> None:
        super().__init__(writer, tell)
        self._reader = reader

    def listen(self) -> Iterator[Notice]:
        return Watch(self._reader).notices()

    def prune(self, *, now: datetime | None = None) -> int:
        return self._writer.write(notices.prune_notices(now=now))
