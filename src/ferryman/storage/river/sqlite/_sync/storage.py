# Generated from src/ferryman/storage/river/sqlite/_async/storage.py by tools/unasync.py: change that file and run `make sync`.
"""River's format on SQLite: the parts of the seam, each a thin call of a verb."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Self

from ferryman.storage.river._sync.jobs import RiverJobs
from ferryman.storage.river._sync.notebook import RiverNotebook
from ferryman.storage.river._sync.parts import (
    RiverLeaders,
    RiverQueues,
    RiverSchema,
    RiverWorkers,
)
from ferryman.storage.river._sync.within import RiverWithin
from ferryman.storage.river.sqlite import neighbours
from ferryman.storage.river.sqlite._sync.health import SqliteHealth
from ferryman.storage.river.sqlite._sync.notices import SqliteNotices
from ferryman.storage.river.sqlite.location import Location
from ferryman.storage.river.sqlite.thread import SqliteRunner, Held
from ferryman.storage.river.verbs import schema
from ferryman.storage.river.verbs.insert import NoticeLimiter
from ferryman.storage.values import Feature, Wording

if TYPE_CHECKING:
    from ferryman.storage.river.sqlite._sync import storage as blocking

__all__ = ["SqliteStorage"]


class SqliteStorage:
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
        self._writer = SqliteRunner(self.held, owned=share is None)
        # Long looks must not keep the next fetch waiting: in WAL readers have a connection of their own.
        self._reader = SqliteRunner(Held(location)) if location.path else self._writer
        # Others in this process hear at once what other processes hear by polling.
        tell = partial(neighbours.tell, self.held.place)
        self._limiter = NoticeLimiter()
        self.jobs = RiverJobs(self._reader, self._writer, tell, self._limiter, self.features)
        self.queues = RiverQueues(self._reader, self._writer, tell)
        self.workers = RiverWorkers(self._reader, self._writer)
        self.leaders = RiverLeaders(self._writer, tell)
        self.notices = SqliteNotices(self._reader, self._writer, tell)
        self.schema = RiverSchema(self._writer, "sqlite")
        self.notebook = RiverNotebook(self._reader, self._writer)
        self.health = SqliteHealth(self._writer, location)

    def within(self, tx: Any) -> RiverWithin:
        """Return what can take part in the caller's own transaction."""
        return RiverWithin(self._writer, tx, self._limiter, self.features)

    def twin(self) -> blocking.SqliteStorage:
        """Return the same storage for code that blocks, over a connection of its own unless it is in memory."""
        from ferryman.storage.river.sqlite._sync import storage as blocking

        return blocking.SqliteStorage(self.where, None if self.where.path else self.held)

    def __enter__(self) -> Self:
        """Open the database.  A new one gets its tables; one that does not fit is refused with SchemaOutOfDate."""
        try:
            if not self._writer.read(schema.applied()):
                self._writer.write(schema.create("sqlite"))
            self.schema.check()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if self._reader is not self._writer:
            self._reader.close()
        self._writer.close()
