"""Queues, workers, leaders, requests and schema in River's format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ferryman.storage.infos import DayCounts, PeriodicInfo, PeriodicRun, QueueDetails, QueueInfo, WorkerInfo
from ferryman.storage.river._async.runner import AsyncRunner
from ferryman.storage.river.verbs import indexes, leaders, queues, schedules, schema, workers
from ferryman.storage.values import LeaderResigned, LineStatus, Plan, QueueChanged, ResignRequested

__all__ = [
    "AsyncRiverLeaders",
    "AsyncRiverQueues",
    "AsyncRiverRequests",
    "AsyncRiverSchema",
    "AsyncRiverWorkers",
]


class AsyncRiverQueues:
    """The queues."""

    def __init__(self, reader: AsyncRunner, writer: AsyncRunner, tell: Callable[..., None]) -> None:
        self._reader = reader
        self._writer = writer
        self._tell = tell

    async def announce(self, names: Sequence[str], *, now: datetime | None = None) -> None:
        await self._writer.write(queues.announce(names, now=now))

    async def list(self) -> list[QueueInfo]:
        return await self._reader.read(queues.list_queues())

    async def glance(self, *, cap: int, now: datetime | None = None) -> Sequence[QueueInfo]:
        return await self._reader.read(queues.glance(cap=cap))

    async def get(self, name: str) -> QueueInfo:
        return await self._reader.read(queues.get_queue(name))

    async def details(self, name: str) -> QueueDetails:
        return await self._reader.read(queues.details(name))

    async def history(self, name: str, *, days: int, now: datetime | None = None) -> Sequence[DayCounts]:
        return await self._reader.read(queues.history(name, days=days, now=now))

    async def paused(self, names: Sequence[str]) -> Sequence[str]:
        return await self._reader.read(queues.paused(names))

    async def update(self, name: str, metadata: Mapping[str, Any], *, now: datetime | None = None) -> None:
        await self._writer.write(queues.update(name, metadata, now=now))
        self._tell(QueueChanged(name))

    async def pause(self, name: str, *, now: datetime | None = None) -> None:
        await self._writer.write(queues.pause(name, now=now))
        self._tell(QueueChanged(name, True))

    async def resume(self, name: str, *, now: datetime | None = None) -> None:
        await self._writer.write(queues.resume(name, now=now))
        self._tell(QueueChanged(name, False))

    async def delete(self, name: str) -> None:
        await self._writer.write(queues.delete(name))

    async def prune(self, *, older_than: timedelta, limit: int, now: datetime | None = None) -> int:
        return await self._writer.write(queues.prune_queues(older_than=older_than, limit=limit, now=now))


class AsyncRiverWorkers:
    """The worker processes, in our side table."""

    def __init__(self, reader: AsyncRunner, writer: AsyncRunner) -> None:
        self._reader = reader
        self._writer = writer

    async def beat(self, worker: WorkerInfo, *, expires_in: timedelta, now: datetime | None = None) -> None:
        await self._writer.write(workers.beat(worker, expires_in=expires_in, now=now))

    async def leave(self, worker_id: str) -> None:
        await self._writer.write(workers.leave(worker_id))

    async def list(self, *, now: datetime | None = None) -> list[WorkerInfo]:
        return await self._reader.read(workers.list_workers(now=now))

    async def lost(self, *, now: datetime | None = None) -> Sequence[WorkerInfo]:
        return await self._reader.read(workers.lost_workers(now=now))

    async def schedules(self, *, now: datetime | None = None) -> Sequence[PeriodicInfo]:
        return await self._reader.read(workers.schedules(now=now))

    async def runs(self, entry: PeriodicInfo, *, limit: int) -> Sequence[PeriodicRun]:
        return await self._reader.read(schedules.runs(entry, limit=limit))


class AsyncRiverLeaders:
    """The election."""

    def __init__(self, writer: AsyncRunner, tell: Callable[..., None]) -> None:
        self._writer = writer
        self._tell = tell

    async def elect(self, candidate: str, *, term: str | None, now: datetime | None = None) -> str | None:
        return await self._writer.write(leaders.elect(candidate, term=term, now=now))

    async def resign(self, candidate: str, *, term: str) -> None:
        # River's clients on SQLite leave without a word, and so do we: others find out at the next election.
        told = self._writer.dialect != "sqlite"
        if await self._writer.write(leaders.resign(candidate, term=term, told=told)):
            self._tell(LeaderResigned(candidate))

    async def current(self, *, now: datetime | None = None) -> str | None:
        return await self._writer.read(leaders.current(now=now))

    async def plans(self) -> Sequence[Plan]:
        return await self._writer.read(schedules.plans())

    async def keep(self, plans: Sequence[Plan], *, now: datetime | None = None) -> None:
        await self._writer.write(schedules.keep(plans, now=now))


class AsyncRiverRequests:
    """What can be asked of other processes."""

    def __init__(self, writer: AsyncRunner, tell: Callable[..., None]) -> None:
        self._writer = writer
        self._tell = tell

    async def request_resign(self) -> None:
        await self._writer.write(leaders.request_resign())
        self._tell(ResignRequested())


class AsyncRiverSchema:
    """The tables."""

    def __init__(self, writer: AsyncRunner, dialect: str, name: str | None = None) -> None:
        self._writer = writer
        self._dialect = dialect
        self._name = name

    async def status(self) -> list[LineStatus]:
        return await self._writer.read(schema.status(self._dialect))

    async def migrate(
        self,
        line: str,
        *,
        up: bool,
        target: int | None = None,
        max_steps: int | None = None,
        statement_timeout: float | None = None,
    ) -> list[str]:
        # One transaction each; what is missing is asked anew in every one, so two migrators cannot collide.
        steps = 1 if not up and target is None and max_steps is None else max_steps
        done: list[str] = []
        while steps is None or len(done) < steps:
            step = schema.apply_next if up else schema.revert_next
            verb = step(self._dialect, line, target=target, schema=self._name, statement_timeout=statement_timeout)
            migration = await self._writer.write(verb)
            if migration is None:
                break
            done.append(f"{migration.version:03d} {migration.name}")
        return done

    async def indexes(self) -> Sequence[str]:
        return await self._writer.read(indexes.list_indexes())

    async def reindex(self, name: str) -> None:
        await self._writer.each(indexes.rebuild(self._dialect, name, schema=self._name))

    async def drop_index(self, name: str) -> None:
        await self._writer.each(indexes.drop(self._dialect, name, schema=self._name))

    async def check(self) -> None:
        await self._writer.read(schema.check(self._dialect))
