"""What runs in a worker: the engine's services, put together for one storage.

`Worker` says when they begin and end; here each is made, and given what it needs.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import ferryman
from ferryman.chores import Chores
from ferryman.clock import Clock, SystemClock
from ferryman.engine.completer import Completer
from ferryman.engine.executor import Executor
from ferryman.engine.fetcher import Fetcher
from ferryman.engine.heartbeater import Heartbeater
from ferryman.engine.requests import Requests
from ferryman.engine.service import Service
from ferryman.engine.tally import Tally
from ferryman.events import EventBus
from ferryman.health.memory import resident
from ferryman.middleware import EnqueueMiddleware, InThread, Middleware, OnError
from ferryman.settings import Settings
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.infos import WorkerInfo
from ferryman.task import Tasks

__all__ = ["Machinery", "Orders", "worker_name"]

_LONGEST_SILENCE = 1.0


@dataclass(eq=False)
class Orders:
    """What a worker is told: whose jobs to run, and how."""

    tasks: Tasks
    settings: Settings = field(default_factory=Settings)
    events: EventBus = field(default_factory=EventBus)
    clock: Clock = field(default_factory=SystemClock)
    middleware: Sequence[Middleware] = ()
    on_enqueue: Sequence[EnqueueMiddleware] = ()
    on_error: OnError | None = None
    in_thread: InThread | None = None
    burst: bool = False
    max_jobs: int | None = None
    name: str = field(default_factory=lambda: worker_name(datetime.now(UTC)))

    def __post_init__(self) -> None:
        self.started_at = self.clock.now()
        self.queues = dict(self.settings.queues)
        """What it takes jobs from, by weight; whoever asks holds this very dict, for it may change."""


class Machinery:
    """The services of one worker.  `state` is what its lifespan gave, by type."""

    def __init__(
        self, orders: Orders, storage: AsyncStorage, state: Mapping[type, Any], tally: Tally | None = None
    ) -> None:
        self.orders = orders
        self.storage = storage
        self.tally = tally
        self.completer = Completer(storage, orders.clock, orders.events)
        if tally is not None:
            self.completer.count = tally.count
        self.executor = self._executor()
        self.executor.state = state
        self.fetcher = self._fetcher()
        self.executor.freed = self.fetcher.nudge
        self.requests = Requests(
            storage,
            orders.queues,
            lambda: self.executor.running,
            self.fetcher.cancel,
            self.fetcher.nudge,
            orders.events,
        )
        self._chores = self._make_chores()
        self._periodic = self._chores.periodic(orders.on_enqueue)
        self._listening = asyncio.Event()

    async def arrive(self) -> None:
        """Let the queues be known, and know how they are, before anybody is told that we are ready."""
        await self.storage.queues.announce(list(self.orders.queues), now=self.orders.clock.stamp())
        await self.requests.tick()

    async def can_hear(self) -> None:
        """Wait until somebody listens, before any job is taken: a cancellation that nobody hears is gone."""
        with suppress(TimeoutError):  # jobs are worked all the same
            async with asyncio.timeout(_LONGEST_SILENCE):
                await self._listening.wait()

    def services(self) -> list[Service]:
        """What runs beside the jobs."""
        return [
            self.completer.run,
            *self._chores.of_each_worker(self.executor, self.requests, self.tally),
            *self._chores.of_the_leader(),
            *self._chores.hearing(self.fetcher, self.requests, self._listening),
            *([self._periodic.run] if self._periodic else []),
        ]

    def heartbeater(self) -> Heartbeater:
        """What says that the worker and its jobs are alive, from a thread of its own."""
        return Heartbeater(
            self.storage.twin(),
            self.describe,
            lambda: [attempt.job.ref for attempt in self.executor.running],
            interval=self.orders.settings.heartbeat_interval,
            outage=self.completer.outage,
        )

    def describe(self) -> WorkerInfo:
        """What others are told of the worker."""
        orders = self.orders
        return WorkerInfo(
            id=orders.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=orders.started_at,
            queues=dict(orders.queues),  # another thread asks
            kinds=tuple(sorted(orders.tasks)),
            prefixes=orders.tasks.prefixes,
            concurrency=orders.settings.concurrency,
            status=self._status(),
            strict=orders.settings.strict,
            running=tuple(attempt.described() for attempt in self.executor.running),
            schedules=() if self._periodic is None else self._periodic.outlook(),
            version=ferryman.__version__,
            memory=resident(),
        )

    def _status(self) -> str:
        if self.fetcher.stopping:
            return "stopping"
        return "quiet" if self.fetcher.quiet else "active"

    def _executor(self) -> Executor:
        orders, settings = self.orders, self.orders.settings
        return Executor(
            orders.tasks,
            self.completer,
            slots=settings.concurrency,
            timeout=settings.timeout or None,
            unknown_kind=self.storage.wording.unknown_kind,
            clock=orders.clock,
            events=orders.events,
            middleware=orders.middleware,
            on_error=orders.on_error,
            stuck_after=settings.stuck_after,
            in_thread=orders.in_thread,
        )

    def _fetcher(self) -> Fetcher:
        orders, settings = self.orders, self.orders.settings
        return Fetcher(
            self.storage,
            self.executor,
            self.completer,
            queues=orders.queues,
            strict=settings.strict,
            kinds=None if settings.take_unknown_kinds else frozenset(orders.tasks),
            worker=orders.name,
            poll=settings.poll_interval,
            burst=orders.burst,
            max_jobs=orders.max_jobs,
            clock=orders.clock,
            events=orders.events,
        )

    def _make_chores(self) -> Chores:
        orders = self.orders
        return Chores(
            self.storage,
            orders.name,
            orders.tasks,
            orders.settings,
            orders.queues,
            self.completer.outage,
            orders.clock,
            orders.events,
        )


def worker_name(now: datetime) -> str:
    """Return a name of River's form: host, and when it started to the microsecond (spec/river.md 7.1)."""
    host = (socket.gethostname() or "unknown_host").replace(".", "_")[:60]
    return f"{host}_{now.astimezone(UTC):%Y_%m_%dT%H_%M_%S_%f}"
