# Generated from src/ferryman/storage/asynq/_async/parts.py by tools/unasync.py: change that file and run `make sync`.
"""Queues, workers, leaders, notices, groups, schema and health in asynq's format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ferryman.aggregation import GroupRules
from ferryman.errors import ConfigError, Unsupported
from ferryman.facts import Fact
from ferryman.findings import Finding
from ferryman.job import Inserted, NewJob
from ferryman.storage.asynq.listening import Ears
from ferryman.storage.asynq.rules import check, check_queue
from ferryman.storage.asynq.server import Server
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
from ferryman.storage.way import Step, taken

__all__ = [
    "RedisGroups",
    "RedisHealth",
    "RedisLeaders",
    "RedisNotices",
    "RedisQueues",
    "RedisSchema",
    "RedisSemaphores",
    "RedisWorkers",
]


class RedisQueues:
    """The queues."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def announce(self, names: Sequence[str], *, now: datetime | None = None) -> None:
        self._server.run(queues.announce(names))

    def list(self) -> list[QueueInfo]:
        return self._server.run(queues.list_queues())

    def glance(self, *, cap: int, now: datetime | None = None) -> Sequence[QueueInfo]:
        """Count everything: on Redis that costs nothing."""
        return self._server.run(glance.glance(now=now))

    def get(self, name: str) -> QueueInfo:
        return self._server.run(queues.get_queue(name))

    def details(self, name: str) -> QueueDetails:
        return self._server.run(details.details(name))

    def history(self, name: str, *, days: int, now: datetime | None = None) -> Sequence[DayCounts]:
        return self._server.run(queues.history(name, days=days, now=now))

    def paused(self, names: Sequence[str]) -> Sequence[str]:
        return self._server.run(queues.paused(names))

    def update(self, name: str, metadata: Mapping[str, Any], *, now: datetime | None = None) -> None:
        raise Unsupported(f'The queue "{name}" is kept on Redis, where queues have no metadata.')

    def pause(self, name: str, *, now: datetime | None = None) -> None:
        self._server.run(queues.pause(name, now=now))

    def resume(self, name: str, *, now: datetime | None = None) -> None:
        self._server.run(queues.resume(name))

    def delete(self, name: str) -> None:
        self._server.run(queues.delete(name))

    def prune(self, *, older_than: timedelta, limit: int, now: datetime | None = None) -> int:
        """Forget none: asynq keeps a queue until somebody removes it."""
        return 0


class RedisWorkers:
    """The worker processes."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def beat(self, worker: WorkerInfo, *, expires_in: timedelta, now: datetime | None = None) -> None:
        self._server.run(workers.beat(worker, expires_in=expires_in, now=now))

    def leave(self, worker_id: str) -> None:
        self._server.run(workers.leave(worker_id))

    def list(self, *, now: datetime | None = None) -> list[WorkerInfo]:
        return self._server.run(workers.list_workers(now=now))

    def lost(self, *, now: datetime | None = None) -> Sequence[WorkerInfo]:
        return self._server.run(workers.lost_workers(now=now))

    def schedules(self, *, now: datetime | None = None) -> Sequence[PeriodicInfo]:
        return self._server.run(periodic.list_entries(now=now))

    def runs(self, entry: PeriodicInfo, *, limit: int) -> Sequence[PeriodicRun]:
        return self._server.run(runs.runs(entry, limit=limit))


class RedisLeaders:
    """Nobody leads in asynq: every server does every chore, and its scripts make that safe."""

    def elect(self, candidate: str, *, term: str | None, now: datetime | None = None) -> str | None:
        return "always"

    def resign(self, candidate: str, *, term: str) -> None:
        """Do nothing: there is nothing to step down from."""

    def current(self, *, now: datetime | None = None) -> str | None:
        """Return none: everybody does the chores."""
        return None

    def plans(self) -> Sequence[Plan]:
        """Return none: what is due is claimed run by run."""
        return []

    def keep(self, plans: Sequence[Plan], *, now: datetime | None = None) -> None:
        """Keep none.  Raises Unsupported."""
        raise Unsupported("Schedules on Redis are claimed run by run, so there is nothing durable to keep of them.")


class RedisNotices:
    """What Redis tells, and what others publish."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._appetite = Appetite()

    def ran_dry(self, names: Sequence[str]) -> None:
        """Take note that these queues gave fewer jobs than there was room for."""
        self._appetite.hungry(names)

    def listen(self) -> Iterator[Notice]:
        return Ears(self._server, self._appetite).notices()

    def prune(self, *, now: datetime | None = None) -> int:
        """Delete none: none is kept."""
        return 0

    def request_resign(self) -> None:
        """Do nothing: nobody leads."""


class RedisGroups:
    """Jobs that are gathered and made into one."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def gather(self, queue: str, rules: GroupRules, *, now: datetime | None = None) -> list[Gathered]:
        return self._server.run(groups.gather(queue, rules, now=now))

    def replace(self, gathered: Gathered, job: NewJob, *, now: datetime | None = None) -> Inserted:
        check([job])
        return self._server.run(groups.replace(gathered, job, now=now))


class RedisSemaphores:
    """Tokens that running jobs hold."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def acquire(self, scope: str, holder: str, *, most: int, until: datetime, now: datetime | None = None) -> bool:
        return self._server.run(semaphores.acquire(scope, holder, most=most, until=until, now=now))

    def release(self, scope: str, holder: str) -> None:
        self._server.run(semaphores.release(scope, holder))


class RedisSchema:
    """There are no tables."""

    def status(self) -> list[LineStatus]:
        return []

    def migrate(
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

    def indexes(self) -> Sequence[str]:
        return []

    def reindex(self, name: str) -> None:
        """Do nothing: there are no indexes."""

    def drop_index(self, name: str) -> None:
        """Do nothing: there are no indexes."""

    def check(self) -> None:
        """Do nothing: every Redis will do."""


class RedisHealth:
    """How the server is."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def check_queue(self, name: str) -> None:
        check_queue(name)

    def way(self) -> Sequence[Step]:
        return taken(partial(way, self._server.address))

    def check(self, *, production: bool, keep: Retention | None = None, now: datetime | None = None) -> list[Finding]:
        is_cluster = self._server.address.kind == "cluster"
        return self._server.run(health.check(production=production, is_cluster=is_cluster, now=now))

    def facts(self) -> list[Fact]:
        return self._server.run(facts.facts(self._server.address.kind))
