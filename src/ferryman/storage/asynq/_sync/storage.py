# Generated from src/ferryman/storage/asynq/_async/storage.py by tools/unasync.py: change that file and run `make sync`.
"""asynq's format on Redis: the parts of the seam, each a thin call of a verb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ferryman.errors import Unsupported
from ferryman.storage._sync.protocol import Within
from ferryman.storage.asynq._sync.jobs import RedisJobs
from ferryman.storage.asynq._sync.notebook import RedisNotebook
from ferryman.storage.asynq._sync.parts import (
    RedisGroups,
    RedisHealth,
    RedisLeaders,
    RedisNotices,
    RedisQueues,
    RedisSchema,
    RedisSemaphores,
    RedisWorkers,
)
from ferryman.storage.asynq.calls import Command
from ferryman.storage.asynq.keys import QUEUES
from ferryman.storage.asynq.server import Server
from ferryman.storage.asynq.urls import Address
from ferryman.storage.values import Feature, Wording

if TYPE_CHECKING:
    from ferryman.storage.asynq._sync import storage as blocking

__all__ = ["RedisStorage"]


class RedisStorage:
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
        self._server = Server(address)
        self.notices = RedisNotices(self._server)
        self.jobs = RedisJobs(self._server, self.notices.ran_dry, remember=remember)
        self.queues = RedisQueues(self._server)
        self.workers = RedisWorkers(self._server)
        self.leaders = RedisLeaders()
        self.groups = RedisGroups(self._server)
        self.semaphores = RedisSemaphores(self._server)
        self.schema = RedisSchema()
        self.notebook = RedisNotebook(self._server)
        self.health = RedisHealth(self._server)

    def within(self, tx: Any) -> Within:
        """Refuse: Redis takes part in nobody's transactions."""
        raise Unsupported("Jobs on Redis cannot be part of your transaction. Keep them on Postgres or SQLite for that.")

    def twin(self) -> blocking.RedisStorage:
        """Return the same storage for code that blocks, over connections of its own."""
        from ferryman.storage.asynq._sync import storage as blocking

        return blocking.RedisStorage(self.address, remember=self.remember)

    def __enter__(self) -> Self:
        """Look whether Redis answers.  Raises StorageError."""
        self._server.send([Command(("SCARD", QUEUES))])
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.close()
