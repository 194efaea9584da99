"""Ferryman: the object that a program holds.  It only puts pieces together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ferryman.events import EventBus
from ferryman.job import Inserted, NewJob
from ferryman.lifespan import provided_types, with_types
from ferryman.middleware import EnqueueMiddleware, InThread, Middleware, OnError
from ferryman.registry import Registry
from ferryman.retry import Backoff, IsFailure, always, curve_of, river
from ferryman.settings import Settings
from ferryman.settings_sources import Loaded, load

if TYPE_CHECKING:
    from ferryman.admin._async.admin import AsyncAdmin
    from ferryman.client._async.client import AsyncClient
    from ferryman.client._async.semaphore import AsyncSemaphore
    from ferryman.connections import Connections
    from ferryman.outbox import Outbox
    from ferryman.redaction import Redact, Redaction
    from ferryman.sync import Sync
    from ferryman.worker import Worker

__all__ = ["Ferryman"]


class Ferryman(Registry):
    """Settings and tasks.  Connects on first use, never on import.

    Keyword arguments are the fields of `Settings`; they win over FERRYMAN_… variables,
    which win over the settings file.  `on_error` hears of every failed attempt; `backoff` says
    when to try again and `is_failure` which errors count, where a task does not.  `in_thread` makes
    the context manager in which each plain function runs, such as Flask's `app.app_context`.
    `redact` is given a kind and its decoded arguments, and returns these as people may see them.
    With an `outbox`, `using(tx=…)` works on Redis too.  `async with` closes connections at its end.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        lifespan: Callable[[], AbstractAsyncContextManager[Any]] | None = None,
        middleware: Sequence[Middleware] = (),
        on_enqueue: Sequence[EnqueueMiddleware] = (),
        on_error: OnError | None = None,
        in_thread: InThread | None = None,
        backoff: Backoff = river,
        is_failure: IsFailure = always,
        redact: Redact | None = None,
        outbox: Outbox | None = None,
        config: Path | None = None,
        **settings: Any,
    ) -> None:
        super().__init__()
        self.tasks.bind(self)
        self.tasks.curve = curve_of(backoff)
        self.tasks.is_failure = is_failure
        self.events = EventBus()
        self.lifespan = lifespan
        self.middleware = middleware
        self.on_enqueue = on_enqueue
        self.on_error = on_error
        self.in_thread = in_thread
        self._redact = redact
        self._outbox = outbox
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
        said = {name: value for name, value in settings.items() if value is not None}
        if "url" in said or "storage" in said:  # either goes before what the program says of both
            self._arguments |= {"url": None, "storage": None}
        self._arguments |= said
        for made_of_them in ("loaded", "redaction"):
            self.__dict__.pop(made_of_them, None)

    @cached_property
    def redaction(self) -> Redaction:
        """What is hidden wherever jobs are shown.  Raises ConfigError when a setting is wrong."""
        from ferryman.redaction import Redaction

        settings = self.settings
        return Redaction(settings.hide_names, settings.show_names, settings.hide_args, self._redact)

    @cached_property
    def connections(self) -> Connections:
        """What is connected, once somebody asked for it."""
        from ferryman.connections import Connections

        origin = self.loaded.origin("url")
        said = "The URL" if origin == "argument" else origin
        return Connections(self.settings.url, said, side_data=self.settings.side_data)

    @cached_property
    def outbox(self) -> Outbox | None:
        """The outbox, where jobs are on Redis, which joins no transactions."""
        if self._outbox is None or self.connections.in_tables:
            return None
        return self._outbox.bound(self.connections.storage, self.events)

    @cached_property
    def client(self) -> AsyncClient:
        """The client, which connects when it is first used."""
        from ferryman.client._async.client import AsyncClient

        apart = self.outbox.put if self.outbox else None
        return AsyncClient(self.connections.storage, events=self.events, middleware=self.on_enqueue, apart=apart)

    @cached_property
    def admin(self) -> AsyncAdmin:
        """The admin API: look at everything, act on anything."""
        from ferryman.admin._async.admin import AsyncAdmin

        return AsyncAdmin(self.connections.storage, self.events, unchecked=self.connections.unchecked)

    @cached_property
    def sync(self) -> Sync:
        """The same for code that is not async."""
        from ferryman.sync import Sync

        return Sync(self.connections, self.events, self.on_enqueue, self.outbox.put_sync if self.outbox else None)

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

        said = load({**self._arguments, **settings}, file=self._config).settings
        # It shares our connections, so where jobs are kept is settled.
        said = replace(said, url=self.settings.url, storage=self.settings.storage)
        worker = Worker(self.tasks, said, self.events, open=self.connections.storage)
        worker.middleware, worker.on_enqueue = self.middleware, self.on_enqueue
        worker.burst, worker.max_jobs = burst, max_jobs
        worker.on_error, worker.in_thread = self.on_error, self.in_thread
        worker.origin = self.loaded.origin("url")
        if self.lifespan is not None:
            worker.lifespan = with_types(self.lifespan)
        if self.outbox:
            worker.lifespan = self.outbox.beside(worker.lifespan)
        return worker

    def semaphore(self, scope: str, most: int) -> AsyncSemaphore:
        """Name a semaphore of which `most` running jobs hold a token at a time; on Redis.  Raises ConfigError.

        crm = jobs.semaphore("crm", 5)
        """
        from ferryman.client._async.semaphore import AsyncSemaphore

        return AsyncSemaphore(lambda: self.connections.storage(), scope, most)

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
