"""The project's Ferryman: settings from Django's, jobs in Django's transactions, connections closed around jobs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections, connections, reset_queries, transaction
from django.utils.module_loading import import_string

from ferryman.app import Ferryman
from ferryman.django.databases import is_database, url_of
from ferryman.django.queues import with_urgent, worked
from ferryman.errors import ConfigError
from ferryman.job import Inserted, Job, JobRef, NewJob
from ferryman.middleware import Call
from ferryman.settings_sources import Loaded, load

if TYPE_CHECKING:
    from ferryman.worker import Worker

__all__ = ["DjangoFerryman", "given"]

_NAMED = ("lifespan", "on_error")
_NAMED_MANY = ("middleware", "on_enqueue")
Told = Callable[[Inserted], None]


def given() -> dict[str, Any]:
    """Return what the setting FERRYMAN says, functions imported by their dotted names.  Raises ConfigError."""
    said = getattr(settings, "FERRYMAN", {})
    if not isinstance(said, Mapping):
        raise ConfigError(f'FERRYMAN in Django\'s settings is {said!r}. It takes a dict, such as {{"concurrency": 5}}.')
    values = {str(name).lower(): value for name, value in said.items()}
    try:
        values |= {name: _imported(values[name]) for name in _NAMED if name in values}
        values |= {name: [_imported(each) for each in values[name]] for name in _NAMED_MANY if name in values}
    except ImportError as error:
        raise ConfigError(f"FERRYMAN in Django's settings names something that cannot be imported: {error}.") from error
    return values


def _imported(value: Any) -> Any:
    return import_string(value) if isinstance(value, str) else value


class DjangoFerryman(Ferryman):
    """A Ferryman whose jobs are part of Django's transactions.

    Jobs are kept in the Django database `database` unless a URL is given.  Within `atomic()` a job is stored in the
    transaction itself where that reaches it, and otherwise, as on Redis, when it has been committed.
    """

    def __init__(self, url: str | None = None, *, database: str = "default", **said: Any) -> None:
        self.database = database
        middleware = [self._closing_connections, *said.pop("middleware", ())]
        super().__init__(url, middleware=middleware, in_thread=said.pop("in_thread", _own_connections), **said)

    @cached_property
    def loaded(self) -> Loaded:
        """The settings; the URL is that of the Django database where neither arguments nor the environment say one."""
        said = self._arguments
        if not any(said.get(name) or os.environ.get(f"FERRYMAN_{name.upper()}") for name in ("url", "storage")):
            said = {**said, "url": url_of(connections[self.database].settings_dict)}
        return load(said, file=self._config)

    def worker(self, *, burst: bool = False, max_jobs: int | None = None, **said: Any) -> Worker:
        """Make a worker, which takes from the queues of Django's tasks too unless others are chosen."""
        queues = worked(self.settings.queues, chosen=self.loaded.origin("queues") != "default")
        said.setdefault("queues", with_urgent(queues) if self.on_redis else queues)
        return super().worker(burst=burst, max_jobs=max_jobs, **said)

    def enqueue_sync(self, job: NewJob) -> Inserted:
        """Store one job, in the transaction that is open or after it.

        A job that is stored after the commit has no id yet, except on Redis, where it is made here.
        """
        return self.place(job)

    def place(self, job: NewJob, told: Told = lambda stored: None) -> Inserted:
        """Store a job as `enqueue_sync` does, and tell what became of it, now or after the commit."""
        connection = connections[self.database]
        if job.tx is None and connection.in_atomic_block:
            if not is_database(self.settings.url, connection.settings_dict):
                return self._after_commit(job, told)
            job = msgspec.structs.replace(job, tx=connection)
        stored = super().enqueue_sync(job)
        told(stored)
        return stored

    def _after_commit(self, job: NewJob, told: Told) -> Inserted:
        if self.on_redis and job.id is None:
            job = msgspec.structs.replace(job, id=str(uuid4()))
        store = super().enqueue_sync
        transaction.on_commit(lambda: told(store(job)), using=self.database)
        return Inserted(JobRef(job.id or "", job.queue if self.on_redis else ""), state=job.state)

    async def _closing_connections(self, call: Call, job: Job) -> Any:
        # Queries of tasks in the event loop run in a thread that Django keeps for them; `in_thread` is for the others.
        task = self.tasks.get(job.kind)
        if task is None or task.run != "async":
            return await call(job)
        await _tidy_connections()
        try:
            return await call(job)
        finally:
            await _tidy_connections()

    @property
    def on_redis(self) -> bool:
        """Whether jobs are kept on Redis."""
        return not self.settings.url.startswith(("sqlite:", "postgres"))


@contextmanager
def _own_connections() -> Iterator[None]:
    """Give a plain function fresh connections in its thread, as Django gives each request."""
    _tidy()
    try:
        yield
    finally:
        _tidy()


def _tidy() -> None:
    reset_queries()  # which DEBUG keeps, for ever where there are no requests
    close_old_connections()


_tidy_connections = sync_to_async(_tidy, thread_sensitive=True)
