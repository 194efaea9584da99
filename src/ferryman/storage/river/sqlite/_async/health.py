"""How a SQLite file and River's tables in it are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from ferryman.errors import StorageUnavailable
from ferryman.facts import Fact
from ferryman.findings import Finding, Level, failed
from ferryman.storage.river.rules import check_queue
from ferryman.storage.river.sqlite import checks, facts
from ferryman.storage.river.sqlite.location import Location
from ferryman.storage.river.sqlite.thread import AsyncSqliteRunner
from ferryman.storage.river.sqlite.way import way
from ferryman.storage.river.verbs import health
from ferryman.storage.values import Retention
from ferryman.storage.way import Step, async_taken

__all__ = ["AsyncSqliteHealth"]


class AsyncSqliteHealth:
    """How the file is."""

    def __init__(self, writer: AsyncSqliteRunner, location: Location) -> None:
        self._writer = writer
        self._location = location

    def check_queue(self, name: str) -> None:
        check_queue(name)

    async def way(self) -> Sequence[Step]:
        return await async_taken(partial(way, self._location))

    async def check(
        self, *, production: bool, keep: Retention | None = None, now: datetime | None = None
    ) -> list[Finding]:
        file = await self._writer.read(checks.check(self._location))
        tables = await self._writer.read(health.check("sqlite", now=now))
        found = [*file, await self._lock(), *tables]
        if any(each.level is Level.ERROR for each in tables):
            return found  # without the right tables nothing else can be looked at
        cleaning = health.cleaning("S-CLEAN", now or datetime.now(UTC), keep or Retention())
        return [*found, await self._writer.read(cleaning)]

    async def facts(self) -> list[Fact]:
        return await self._writer.read(facts.facts(self._location))

    async def _lock(self) -> Finding:
        try:
            return await self._writer.write(checks.lock_taken(time.monotonic()))
        except StorageUnavailable as error:
            return failed("S-LOCK", f"nothing can be written: {error}")
