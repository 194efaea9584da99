"""River's format on Postgres: the parts of the seam, over a few connections."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from ferryman.errors import StorageError
from ferryman.facts import Fact
from ferryman.findings import Finding, Level
from ferryman.storage.river._async.jobs import AsyncRiverJobs
from ferryman.storage.river._async.notebook import AsyncRiverNotebook
from ferryman.storage.river._async.parts import (
    AsyncRiverLeaders,
    AsyncRiverQueues,
    AsyncRiverSchema,
    AsyncRiverWorkers,
)
from ferryman.storage.river._async.runner import AsyncRunner
from ferryman.storage.river._async.within import AsyncRiverWithin
from ferryman.storage.river.postgres import checks
from ferryman.storage.river.postgres._async.listening import async_notices, async_pooling
from ferryman.storage.river.postgres._async.runner import AsyncPostgresRunner
from ferryman.storage.river.postgres.facts import QUESTIONS, Question
from ferryman.storage.river.postgres.failures import translated
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.postgres.way import way
from ferryman.storage.river.rules import check_queue
from ferryman.storage.river.verbs import health, leaders
from ferryman.storage.river.verbs.insert import NoticeLimiter
from ferryman.storage.values import Feature, Notice, Retention, Wording
from ferryman.storage.way import Step, async_taken

if TYPE_CHECKING:
    from ferryman.storage.river.postgres._sync import storage as blocking

__all__ = ["AsyncPostgresStorage"]

_CONNECTIONS = 5
"""At most, beside the one that listens: River's tools expect a client to be modest."""


class AsyncPostgresStorage:
    """Jobs in a Postgres database."""

    format = "River's format on Postgres"
    features = frozenset(Feature) - {Feature.ARGUMENTS}
    groups = None
    semaphores = None
    fetches_ahead = False
    fetch_promotes = False
    wording = Wording(
        rescued="Stuck job rescued by JobRescuer",
        unknown_kind="job kind is not registered in the client's Workers bundle: {kind}",
    )

    def __init__(self, location: Location, *, connections: int = _CONNECTIONS) -> None:
        self.where = location
        self.location = str(location)
        self._runner = AsyncPostgresRunner(location, connections=connections)
        # Every insert tells: a notice that is held back would leave its job to the next poll.
        self._limiter = NoticeLimiter(seconds=0)
        self.jobs = AsyncRiverJobs(self._runner, self._runner, _tell, self._limiter, self.features)
        self.queues = AsyncRiverQueues(self._runner, self._runner, _tell)
        self.workers = AsyncRiverWorkers(self._runner, self._runner)
        self.leaders = AsyncRiverLeaders(self._runner, _tell)
        self.notices = AsyncPostgresNotices(self._runner, location)
        self.schema = AsyncRiverSchema(self._runner, "postgres", location.schema)
        self.notebook = AsyncRiverNotebook(self._runner, self._runner)
        self.health = AsyncPostgresHealth(self._runner, location)

    def within(self, tx: Any) -> AsyncRiverWithin:
        """Return what can take part in the caller's own transaction."""
        return AsyncRiverWithin(self._runner, tx, self._limiter, self.features)

    def twin(self) -> blocking.PostgresStorage:
        """Return the same storage for code that blocks, over connections of its own."""
        from ferryman.storage.river.postgres._sync import storage as blocking

        return blocking.PostgresStorage(self.where)

    async def __aenter__(self) -> Self:
        """Connect.  Raises StorageUnavailable, and SchemaOutOfDate for tables that do not fit."""
        try:
            await self.schema.check()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.close()


class AsyncPostgresNotices:
    """What others say, over a connection of its own."""

    def __init__(self, runner: AsyncRunner, location: Location) -> None:
        self._runner = runner
        self._location = location

    def listen(self) -> AsyncIterator[Notice]:
        return async_notices(self._location)

    async def prune(self, *, now: datetime | None = None) -> int:
        """Do nothing: Postgres keeps no notices."""
        return 0

    async def request_resign(self) -> None:
        await self._runner.write(leaders.request_resign())


class AsyncPostgresHealth:
    """How River's tables are."""

    def __init__(self, runner: AsyncRunner, location: Location) -> None:
        self._runner = runner
        self._location = location

    def check_queue(self, name: str) -> None:
        check_queue(name)

    async def way(self) -> Sequence[Step]:
        return await async_taken(partial(way, self._location))

    async def check(
        self, *, production: bool, keep: Retention | None = None, now: datetime | None = None
    ) -> list[Finding]:
        tables = await self._runner.read(health.check("postgres", now=now))
        if any(found.level is Level.ERROR for found in tables):
            return tables  # without the right tables nothing else that is found can be mended
        judged = await self._runner.read(
            checks.check(now or datetime.now(UTC), keep or Retention(), self._location.schema)
        )
        return [*tables, *judged, await self._pooling()]

    async def facts(self) -> list[Fact]:
        return [fact for each in QUESTIONS for fact in await self._answered(each)]

    async def _answered(self, question: Question) -> list[Fact]:
        try:
            return await self._runner.write(question.asked())
        except StorageError as error:
            return question.unanswered(error)

    async def _pooling(self) -> Finding:
        with translated(self._location):
            return await async_pooling(self._location)


def _tell(*notices: Notice) -> None:
    """Do nothing: the server itself tells everybody, this process included."""
