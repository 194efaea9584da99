"""Django's tasks on ferryman: a backend for `django.tasks`, or for the `django-tasks` package before Django 6.

Each task is a kind of its own, named by its module and function, and its arguments are
kept as `{"args": […], "kwargs": {…}}`.  So they are listed, retried and counted like all
jobs.  Retries and timeouts, of which Django knows nothing, stand in OPTIONS, or with the
task: `@task(options={"retries": 5})`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from typing import Any

from ferryman.django import tasks_api as api
from ferryman.django.queues import band
from ferryman.django.results import new_result, result_of, telling
from ferryman.errors import ConfigError, JobNotFound
from ferryman.job import Inserted, Job

__all__ = ["FerrymanBackend", "FerrymanTask"]

_DEFAULTS = {"retries": 3, "retention": "24h"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FerrymanTask(api.Task):
    """A task of Django's with options of ferryman's: retries, timeout, unique, tags …"""

    options: Mapping[str, Any] = field(default_factory=dict)


class FerrymanBackend(api.BaseTaskBackend):
    """Stores Django's tasks as jobs.  Everything that a backend may support it does."""

    task_class = FerrymanTask
    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def validate_task(self, task: Any) -> None:
        """Refuse a task that cannot be run, and declare the others: a worker takes the kinds it knows."""
        super().validate_task(task)
        kinds = _jobs().tasks
        if task.module_path not in kinds:
            options = {**_DEFAULTS, **self.options, **getattr(task, "options", {})}
            try:
                kinds.task(task.module_path, **options)(_runner(task, self.alias))
            except ConfigError as error:
                raise api.InvalidTask(str(error)) from error

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        """Store a job for this call, in the transaction that is open or after it; return a TaskResult.

        Where the job is stored after the commit by a storage that gives ids itself, the result has none until then.
        """
        self.validate_task(task)
        jobs = _jobs()
        priority, queue = band(task.priority, task.queue_name, redis=jobs.on_redis)
        said = {"queue": queue, "at": task.run_after, "priority": priority}
        kind = jobs.tasks[task.module_path].using(**{name: value for name, value in said.items() if value is not None})
        job = kind.job(list(args), dict(kwargs))
        result = new_result(task, list(args), dict(kwargs), self.alias)

        def told(stored: Inserted) -> None:
            object.__setattr__(result, "id", str(stored.ref))
            object.__setattr__(result, "enqueued_at", datetime.now(UTC))
            api.signals.task_enqueued.send(type(self), task_result=result)

        stored = jobs.place(job, told)
        object.__setattr__(result, "id", str(stored.ref) if stored.ref.id else "")
        return result

    def get_result(self, result_id: str) -> Any:
        """Return what became of a task.  Raises TaskResultDoesNotExist."""
        try:
            job = _jobs().sync.admin.jobs.get(result_id)
        except (JobNotFound, ConfigError) as error:
            raise api.TaskResultDoesNotExist(result_id) from error
        return result_of(job, self.alias)


def _runner(task: Any, alias: str) -> Callable[..., Any]:
    """Return the function that runs jobs of a task, as a worker calls it."""
    if iscoroutinefunction(task.func):

        async def run_async(args: list[Any], kwargs: dict[str, Any], job: Job) -> Any:
            with telling(FerrymanBackend, task, job, alias) as context:
                return await task.func(*context, *args, **kwargs)

        return run_async

    def run(args: list[Any], kwargs: dict[str, Any], job: Job) -> Any:
        with telling(FerrymanBackend, task, job, alias) as context:
            return task.func(*context, *args, **kwargs)

    return run


def _jobs() -> Any:
    from ferryman.django import jobs

    return jobs
