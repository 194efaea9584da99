"""River's format on SQLite: the parts of the seam, each a thin call of a verb."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Self

from ferryman.storage.river._async.jobs import AsyncRiverJobs
from ferryman.storage.river._async.notebook import AsyncRiverNotebook
from ferryman.storage.river._async.parts import (
    AsyncRiverLeaders,
    AsyncRiverQueues,
    AsyncRiverSchema,
    AsyncRiverWorkers,
)
from ferryman.storage.river._async.within import AsyncRiverWithin
from ferryman.storage.river.sqlite import neighbours
from ferryman.storage.river.sqlite._async.health import AsyncSqliteHealth
from ferryman.storage.river.sqlite._async.notices import AsyncSqliteNotices
from ferryman.storage.river.sqlite.location import Location
from ferryman.storage.river.sqlite.thread import AsyncSqliteRunner, Held
from ferryman.storage.river.verbs import schema
from ferryman.storage.river.verbs.insert import NoticeLimiter
from ferryman.storage.values import Feature, Wording

if TYPE_CHECKING:
    from ferryman.storage.river.sqlite._sync import storage as blocking

__all__ = ["AsyncSqliteStorage"]


class AsyncSqliteStorage:
    """Jobs in a SQLite file, or in memory.

    `share` is what another storage in memory holds: what is in memory exists once.
    """

    format = "River's format on SQLite"
    groups = None
    semaphores = None
    fetches_ahead = False  # one thread and one writer: a smaller batch would only cost another transaction
    fetch_promotes = False
    wording = Wording(
        rescued="Stuck job rescued by JobRescuer",
        unknown_kind="job kind is not registered in the client's Workers bundle: {kind}",
    )

    def __init__(self, location: Location, share: Held | None = None) -> None:
        self.where = location
        self.location = str(location)
        lacking = {Feature.METADATA, Feature.ARGUMENTS}
        if not location.path:
            lacking.add(Feature.TRANSACTIONS)  # what is in memory has one connection, which is ours
        self.features = frozenset(Feature) - lacking
        self.held = share or Held(location)
        self._writer = AsyncSqliteRunner(self.held, owned=share is None)
        # Long looks must not keep the next fetch waiting: in WAL readers have a connection of their own.
        self._reader = AsyncSqliteRunner(Held(location)) if location.path else self._writer
        # Others in this process hear at once what other processes hear by polling.
        tell = partial(neighbours.tell, self.held.place)
        self._limiter = NoticeLimiter()
        self.jobs = AsyncRiverJobs(self._reader, self._writer, tell, self._limiter, self.features)
        self.queues = AsyncRiverQueues(self._reader, self._writer, tell)
        self.workers = AsyncRiverWorkers(self._reader, self._writer)
        self.leaders = AsyncRiverLeaders(self._writer, tell)
        self.notices = AsyncSqliteNotices(self._reader, self._writer, tell)
        self.schema = AsyncRiverSchema(self._writer, "sqlite")
        self.notebook = AsyncRiverNotebook(self._reader, self._writer)
        self.health = AsyncSqliteHealth(self._writer, location)

    def within(self, tx: Any) -> AsyncRiverWithin:
        """Return what can take part in the caller's own transaction."""
        return AsyncRiverWithin(self._writer, tx, self._limiter, self.features)

    def twin(self) -> blocking.SqliteStorage:
        """Return the same storage for code that blocks, over a connection of its own unless it is in memory."""
        from ferryman.storage.river.sqlite._sync import storage as blocking

        return blocking.SqliteStorage(self.where, None if self.where.path else self.held)

    async def __aenter__(self) -> Self:
        """Open the database.  A new one gets its tables; one that does not fit is refused with SchemaOutOfDate."""
        try:
            if not await self._writer.read(schema.applied()):
                await self._writer.write(schema.create("sqlite"))
            await self.schema.check()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._reader is not self._writer:
            await self._reader.close()
        await self._writer.close()
