"""asynq's format on Redis: the parts of the seam, each a thin call of a verb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ferryman.errors import Unsupported
from ferryman.storage._async.protocol import AsyncWithin
from ferryman.storage.asynq._async.jobs import AsyncRedisJobs
from ferryman.storage.asynq._async.notebook import AsyncRedisNotebook
from ferryman.storage.asynq._async.parts import (
    AsyncRedisGroups,
    AsyncRedisHealth,
    AsyncRedisLeaders,
    AsyncRedisNotices,
    AsyncRedisQueues,
    AsyncRedisSchema,
    AsyncRedisSemaphores,
    AsyncRedisWorkers,
)
from ferryman.storage.asynq.calls import Command
from ferryman.storage.asynq.keys import QUEUES
from ferryman.storage.asynq.server import AsyncServer
from ferryman.storage.asynq.urls import Address
from ferryman.storage.values import Feature, Wording

if TYPE_CHECKING:
    from ferryman.storage.asynq._sync import storage as blocking

__all__ = ["AsyncRedisStorage"]


class AsyncRedisStorage:
    """Jobs on a Redis server, behind a Sentinel, or on a Cluster."""

    format = "asynq's format on Redis"
    features = frozenset({Feature.ARGUMENTS})
    fetches_ahead = True
    fetch_promotes = True
    wording = Wording(rescued="asynq: task lease expired", unknown_kind='handler not found for task "{kind}"')

    def __init__(self, address: Address, *, remember: bool = True) -> None:
        """`remember` keeps failed attempts beside their jobs, of which asynq keeps the latest only."""
        self.address = address
        self.remember = remember
        self.location = str(address)
        self._server = AsyncServer(address)
        self.notices = AsyncRedisNotices(self._server)
        self.jobs = AsyncRedisJobs(self._server, self.notices.ran_dry, remember=remember)
        self.queues = AsyncRedisQueues(self._server)
        self.workers = AsyncRedisWorkers(self._server)
        self.leaders = AsyncRedisLeaders()
        self.groups = AsyncRedisGroups(self._server)
        self.semaphores = AsyncRedisSemaphores(self._server)
        self.schema = AsyncRedisSchema()
        self.notebook = AsyncRedisNotebook(self._server)
        self.health = AsyncRedisHealth(self._server)

    def within(self, tx: Any) -> AsyncWithin:
        """Refuse: Redis takes part in nobody's transactions."""
        raise Unsupported("Jobs on Redis cannot be part of your transaction. Keep them on Postgres or SQLite for that.")

    def twin(self) -> blocking.RedisStorage:
        """Return the same storage for code that blocks, over connections of its own."""
        from ferryman.storage.asynq._sync import storage as blocking

        return blocking.RedisStorage(self.address, remember=self.remember)

    async def __aenter__(self) -> Self:
        """Look whether Redis answers.  Raises StorageError."""
        await self._server.send([Command(("SCARD", QUEUES))])
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._server.close()
