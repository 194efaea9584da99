"""What others say about jobs in a SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime

from ferryman.storage.river._async.parts import AsyncRiverRequests
from ferryman.storage.river._async.runner import AsyncRunner
from ferryman.storage.river.sqlite.thread import AsyncSqliteRunner
from ferryman.storage.river.sqlite.watch import AsyncWatch
from ferryman.storage.river.verbs import notices
from ferryman.storage.values import Notice

__all__ = ["AsyncSqliteNotices"]


class AsyncSqliteNotices(AsyncRiverRequests):
    """What others say: at once within this process, by polling from outside it."""

    def __init__(self, reader: AsyncSqliteRunner, writer: AsyncRunner, tell: Callable[..., None]) -> None:
        super().__init__(writer, tell)
        self._reader = reader

    def listen(self) -> AsyncIterator[Notice]:
        return AsyncWatch(self._reader).notices()

    async def prune(self, *, now: datetime | None = None) -> int:
        return await self._writer.write(notices.prune_notices(now=now))
