"""Queues, workers, leaders, notices, groups, schema and health in asynq's format."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ferryman.aggregation import GroupRules
from ferryman.errors import ConfigError, Unsupported
from ferryman.facts import Fact
from ferryman.findings import Finding
from ferryman.job import Inserted, NewJob
from ferryman.storage.asynq.listening import AsyncEars
from ferryman.storage.asynq.rules import check, check_queue
from ferryman.storage.asynq.server import AsyncServer
from ferryman.storage.asynq.verbs import (
    details,
    facts,
    glance,
    groups,
    health,
    periodic,
    queues,
    runs,
    semaphores,
    workers,
)
from ferryman.storage.asynq.wakeup import Appetite
from ferryman.storage.asynq.way import way
from ferryman.storage.infos import DayCounts, PeriodicInfo, PeriodicRun, QueueDetails, QueueInfo, WorkerInfo
from ferryman.storage.values import Gathered, LineStatus, Notice, Plan, Retention
from ferryman.storage.way import Step, async_taken

__all__ = [
    "AsyncRedisGroups",
    "AsyncRedisHealth",
    "AsyncRedisLeaders",
    "AsyncRedisNotices",
    "AsyncRedisQueues",
    "AsyncRedisSchema",
    "AsyncRedisSemaphores",
    "AsyncRedisWorkers",
]


class AsyncRedisQueues:
    """The queues."""

    def __init__(self, server: AsyncServer) -> None:
        self._server = server

    async def announce(self, names: Sequence[str], *, now: datetime | None = None) -> None:
        await self._server.run(queues.announce(names))

    async def list(self) -> list[QueueInfo]:
        return await self._server.run(queues.list_queues())

    async def glance(self, *, cap: int, now: datetime | None = None) -> Sequence[QueueInfo]:
        """Count everything: on Redis that costs nothing."""
        return await self._server.run(glance.glance(now=now))

    async def get(self, name: str) -> QueueInfo:
        return await self._server.run(queues.get_queue(name))

    async def details(self, name: str) -> QueueDetails:
        return await self._server.run(details.details(name))

    async def history(self, name: str, *, days: int, now: datetime | None = None) -> Sequence[DayCounts]:
        return await self._server.run(queues.history(name, days=days, now=now))

    async def paused(self, names: Sequence[str]) -> Sequence[str]:
        return await self._server.run(queues.paused(names))

    async def update(self, name: str, metadata: Mapping[str, Any], *, now: datetime | None = None) -> None:
        raise Unsupported(f'The queue "{name}" is kept on Redis, where queues have no metadata.')

    async def pause(self, name: str, *, now: datetime | None = None) -> None:
        await self._server.run(queues.pause(name, now=now))

    async def resume(self, name: str, *, now: datetime | None = None) -> None:
        await self._server.run(queues.resume(name))

    async def delete(self, name: str) -> None:
        await self._server.run(queues.delete(name))

    async def prune(self, *, older_than: timedelta, limit: int, now: datetime | None = None) -> int:
        """Forget none: asynq keeps a queue until somebody removes it."""
        return 0


class AsyncRedisWorkers:
    """The worker processes."""

    def __init__(self, server: AsyncServer) -> None:
        self._server = server

    async def beat(self, worker: WorkerInfo, *, expires_in: timedelta, now: datetime | None = None) -> None:
        await self._server.run(workers.beat(worker, expires_in=expires_in, now=now))

    async def leave(self, worker_id: str) -> None:
        await self._server.run(workers.leave(worker_id))

    async def list(self, *, now: datetime | None = None) -> list[WorkerInfo]:
        return await self._server.run(workers.list_workers(now=now))

    async def lost(self, *, now: datetime | None = None) -> Sequence[WorkerInfo]:
        return await self._server.run(workers.lost_workers(now=now))

    async def schedules(self, *, now: datetime | None = None) -> Sequence[PeriodicInfo]:
        return await self._server.run(periodic.list_entries(now=now))

    async def runs(self, entry: PeriodicInfo, *, limit: int) -> Sequence[PeriodicRun]:
        return await self._server.run(runs.runs(entry, limit=limit))


class AsyncRedisLeaders:
    """Nobody leads in asynq: every server does every chore, and its scripts make that safe."""

    async def elect(self, candidate: str, *, term: str | None, now: datetime | None = None) -> str | None:
        return "always"

    async def resign(self, candidate: str, *, term: str) -> None:
        """Do nothing: there is nothing to step down from."""

    async def current(self, *, now: datetime | None = None) -> str | None:
        """Return none: everybody does the chores."""
        return None

    async def plans(self) -> Sequence[Plan]:
        """Return none: what is due is claimed run by run."""
        return []

    async def keep(self, plans: Sequence[Plan], *, now: datetime | None = None) -> None:
        """Keep none.  Raises Unsupported."""
        raise Unsupported("Schedules on Redis are claimed run by run, so there is nothing durable to keep of them.")


class AsyncRedisNotices:
    """What Redis tells, and what others publish."""

    def __init__(self, server: AsyncServer) -> None:
        self._server = server
        self._appetite = Appetite()

    def ran_dry(self, names: Sequence[str]) -> None:
        """Take note that these queues gave fewer jobs than there was room for."""
        self._appetite.hungry(names)

    def listen(self) -> AsyncIterator[Notice]:
        return AsyncEars(self._server, self._appetite).notices()

    async def prune(self, *, now: datetime | None = None) -> int:
        """Delete none: none is kept."""
        return 0

    async def request_resign(self) -> None:
        """Do nothing: nobody leads."""


class AsyncRedisGroups:
    """Jobs that are gathered and made into one."""

    def __init__(self, server: AsyncServer) -> None:
        self._server = server

    async def gather(self, queue: str, rules: GroupRules, *, now: datetime | None = None) -> list[Gathered]:
        return await self._server.run(groups.gather(queue, rules, now=now))

    async def replace(self, gathered: Gathered, job: NewJob, *, now: datetime | None = None) -> Inserted:
        check([job])
        return await self._server.run(groups.replace(gathered, job, now=now))


class AsyncRedisSemaphores:
    """Tokens that running jobs hold."""

    def __init__(self, server: AsyncServer) -> None:
        self._server = server

    async def acquire(
        self, scope: str, holder: str, *, most: int, until: datetime, now: datetime | None = None
    ) -> bool:
        return await self._server.run(semaphores.acquire(scope, holder, most=most, until=until, now=now))

    async def release(self, scope: str, holder: str) -> None:
        await self._server.run(semaphores.release(scope, holder))


class AsyncRedisSchema:
    """There are no tables."""

    async def status(self) -> list[LineStatus]:
        return []

    async def migrate(
        self,
        line: str,
        *,
        up: bool,
        target: int | None = None,
        max_steps: int | None = None,
        statement_timeout: float | None = None,
    ) -> list[str]:
        """Migrate nothing.  Raises ConfigError when a version is asked for."""
        if target is not None:
            raise ConfigError(f"Redis has no schema, so it has no version {target} either. Leave the version out.")
        return []

    async def indexes(self) -> Sequence[str]:
        return []

    async def reindex(self, name: str) -> None:
        """Do nothing: there are no indexes."""

    async def drop_index(self, name: str) -> None:
        """Do nothing: there are no indexes."""

    async def check(self) -> None:
        """Do nothing: every Redis will do."""


class AsyncRedisHealth:
    """How the server is."""

    def __init__(self, server: AsyncServer) -> None:
        self._server = server

    def check_queue(self, name: str) -> None:
        check_queue(name)

    async def way(self) -> Sequence[Step]:
        return await async_taken(partial(way, self._server.address))

    async def check(
        self, *, production: bool, keep: Retention | None = None, now: datetime | None = None
    ) -> list[Finding]:
        is_cluster = self._server.address.kind == "cluster"
        return await self._server.run(health.check(production=production, is_cluster=is_cluster, now=now))

    async def facts(self) -> list[Fact]:
        return await self._server.run(facts.facts(self._server.address.kind))
