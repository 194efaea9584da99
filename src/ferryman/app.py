"""Ferryman: the object that a program holds.  It only puts pieces together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ferryman.aggregation import Aggregation, Combine, group_rules
from ferryman.cron import Cron, Interval
from ferryman.duration import format_duration, parse_duration
from ferryman.events import EventBus
from ferryman.job import Inserted, NewJob
from ferryman.lifespan import provided_types, with_types
from ferryman.middleware import EnqueueMiddleware, Middleware
from ferryman.settings import Loaded, Settings, load
from ferryman.task import Kind, Task, Tasks

if TYPE_CHECKING:
    from datetime import timedelta

    from ferryman.admin._async.admin import AsyncAdmin
    from ferryman.client._async.client import AsyncClient
    from ferryman.connections import Connections
    from ferryman.sync import Sync
    from ferryman.worker import Worker

__all__ = ["Ferryman"]

T = TypeVar("T", bound=Task[..., Any])
C = TypeVar("C", bound=Combine)


class Ferryman:
    """Settings and tasks.  Connects on first use, never on import.

    Keyword arguments are the fields of `Settings`; they win over FERRYMAN_… variables,
    which win over ferryman.toml.  `async with` closes connections at its end.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        lifespan: Callable[[], AbstractAsyncContextManager[Any]] | None = None,
        middleware: Sequence[Middleware] = (),
        on_enqueue: Sequence[EnqueueMiddleware] = (),
        config: Path | None = None,
        **settings: Any,
    ) -> None:
        self.tasks = Tasks()
        self.tasks.bind(self)
        self.task = self.tasks.task
        self.events = EventBus()
        self.lifespan = lifespan
        self.middleware = middleware
        self.on_enqueue = on_enqueue
        self._arguments = {"url": url, **settings}
        self._config = config
        if lifespan is not None:
            self.tasks.provided = provided_types(lifespan)

    @cached_property
    def loaded(self) -> Loaded:
        """The settings and where each came from.  Raises ConfigError when one is wrong."""
        return load(self._arguments, file=self._config)

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.loaded.settings

    def override(self, *, config: Path | None = None, **settings: Any) -> None:
        """Change settings, or the file they are read from, before the first use; None changes nothing."""
        self._config = config or self._config
        self._arguments |= {name: value for name, value in settings.items() if value is not None}
        self.__dict__.pop("loaded", None)

    def every(
        self,
        interval: timedelta | float | str,
        *,
        on_start: bool = False,
        id: str | None = None,
    ) -> Callable[[T], T]:
        """Enqueue a task again and again: `@jobs.every("1m", on_start=True)` above `@jobs.task(…)`."""
        delay = parse_duration(interval)
        return self._scheduled(Interval(delay), f"@every {format_duration(delay)}", id, on_start)

    def cron(self, line: str, *, tz: str = "UTC", on_start: bool = False, id: str | None = None) -> Callable[[T], T]:
        """Enqueue a task at the times of a cron line, in a zone.  Raises ConfigError when the line is wrong."""
        return self._scheduled(Cron.parse(line, tz=tz), line, id, on_start)

    def aggregate(
        self,
        *,
        grace: timedelta | float | str = "1m",
        max_delay: timedelta | float | str | None = None,
        max_size: int | None = None,
    ) -> Callable[[C], C]:
        """Make one job of the jobs of a group (`using(group=…)`): `@jobs.aggregate(max_size=100)` above a function.

        It takes the group's name and its jobs, and returns the job that they become, in
        their queue.  It is called when no other has joined them for `grace`, when the
        oldest has waited for `max_delay`, or when there are `max_size`.  Raises ConfigError.
        """
        rules = group_rules(grace, max_delay, max_size)

        def add(combine: C) -> C:
            self.tasks.aggregate(Aggregation(combine, rules))
            return combine

        return add

    def _scheduled(self, schedule: Any, spec: str, id: str | None, on_start: bool) -> Callable[[T], T]:
        def add(task: T) -> T:
            self.tasks.schedule(task, schedule, spec, id=id, on_start=on_start)
            return task

        return add

    def kind(self, kind: str) -> Kind:
        """Name a task that is written elsewhere: `jobs.kind("email:send").enqueue({"to": …})`."""
        return Kind(kind, self.tasks)

    @cached_property
    def connections(self) -> Connections:
        """What is connected, once somebody asked for it."""
        from ferryman.connections import Connections

        origin = self.loaded.origin("url")
        return Connections(self.settings.url, "The URL" if origin == "argument" else origin)

    @cached_property
    def client(self) -> AsyncClient:
        """The client, which connects when it is first used."""
        from ferryman.client._async.client import AsyncClient

        return AsyncClient(self.connections.storage, events=self.events, middleware=self.on_enqueue)

    @cached_property
    def admin(self) -> AsyncAdmin:
        """The admin API: look at everything, act on anything."""
        from ferryman.admin._async.admin import AsyncAdmin

        return AsyncAdmin(self.connections.storage, self.events, unchecked=self.connections.unchecked)

    @cached_property
    def sync(self) -> Sync:
        """The same for code that is not async."""
        from ferryman.sync import Sync

        return Sync(self.connections, self.events, self.on_enqueue)

    async def enqueue(self, job: NewJob) -> Inserted:
        """Store one job."""
        return await self.client.enqueue(job)

    async def enqueue_many(self, jobs: Iterable[NewJob]) -> list[Inserted]:
        """Store all of these jobs or none."""
        return await self.client.enqueue_many(jobs)

    def enqueue_sync(self, job: NewJob) -> Inserted:
        """Store one job from code that is not async."""
        return self.sync.client.enqueue(job)

    def worker(self, *, burst: bool = False, max_jobs: int | None = None, **settings: Any) -> Worker:
        """Make a worker of these tasks: `async with jobs.worker(concurrency=5): …`, or `await ….serve()`."""
        from ferryman.worker import Worker

        loaded = load({**self._arguments, **settings, "url": self.settings.url}, file=self._config)
        worker = Worker(self.connections.storage, self.tasks, loaded.settings, self.events)
        worker.middleware, worker.on_enqueue = self.middleware, self.on_enqueue
        worker.burst, worker.max_jobs = burst, max_jobs
        worker.origin = self.loaded.origin("url")
        if self.lifespan is not None:
            worker.lifespan = with_types(self.lifespan)
        return worker

    async def close(self) -> None:
        """Close every connection; the next use opens them again."""
        if "connections" in self.__dict__:
            await self.connections.close()

    async def __aenter__(self) -> Self:
        """Connect now, so that what is wrong is said here and not at the first job."""
        await self.connections.storage()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
