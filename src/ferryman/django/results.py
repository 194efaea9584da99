"""Jobs as Django's results of tasks, and what is told while one runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.utils.module_loading import import_string

from ferryman.django.tasks_api import (
    Task,
    TaskContext,
    TaskError,
    TaskResult,
    TaskResultDoesNotExist,
    TaskResultStatus,
    signals,
)
from ferryman.job import AttemptError, Job, State

__all__ = ["new_result", "result_of", "telling"]

_STATUS = {
    State.RUNNING: TaskResultStatus.RUNNING,
    State.COMPLETED: TaskResultStatus.SUCCESSFUL,
    State.CANCELLED: TaskResultStatus.FAILED,
    State.DISCARDED: TaskResultStatus.FAILED,
}
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)


class _Arguments(msgspec.Struct):
    args: list[Any]
    kwargs: dict[str, Any]


def new_result(task: Any, args: Sequence[Any], kwargs: dict[str, Any], alias: str) -> Any:
    """Return the result of a task that is about to be enqueued."""
    return _result(task, list(args), kwargs, alias, id="", status=TaskResultStatus.READY)


def result_of(job: Job, alias: str) -> Any:
    """Return what a job says of the task that it runs.  Raises TaskResultDoesNotExist when it runs none."""
    task = _task_of(job)
    given = msgspec.json.decode(job.args, type=_Arguments)
    result = _result(
        task,
        given.args,
        given.kwargs,
        alias,
        id=str(job.ref),
        status=_STATUS.get(job.state, TaskResultStatus.READY),
        enqueued_at=job.created_at,
        started_at=job.attempted_at,
        last_attempted_at=job.attempted_at,
        finished_at=job.finalized_at,
        errors=[_error(each) for each in job.errors],
        worker_ids=_workers(job),
    )
    if job.state is State.COMPLETED:
        object.__setattr__(result, "_return_value", job.metadata.get("output"))
    return result


@contextmanager
def telling(sender: type, task: Any, job: Job, alias: str) -> Iterator[tuple[Any, ...]]:
    """Tell Django when a task starts and how it ends; yield the arguments that come before its own."""
    result = result_of(msgspec.structs.replace(job, attempted_at=job.attempted_at or _now()), alias)
    object.__setattr__(result, "status", TaskResultStatus.RUNNING)
    signals.task_started.send(sender, task_result=result)
    status = TaskResultStatus.FAILED
    try:
        yield (TaskContext(task_result=result),) if task.takes_context else ()
        status = TaskResultStatus.SUCCESSFUL
    except Exception as error:
        result.errors.append(TaskError(exception_class_path=_path(type(error)), traceback=str(error)))
        raise
    finally:
        object.__setattr__(result, "finished_at", _now())
        object.__setattr__(result, "status", status)
        signals.task_finished.send(sender, task_result=result)


def _task_of(job: Job) -> Any:
    try:
        task = import_string(job.kind)
    except ImportError as error:
        raise TaskResultDoesNotExist(str(job.ref)) from error
    if not isinstance(task, Task):
        raise TaskResultDoesNotExist(str(job.ref))
    return task


def _result(task: Any, args: list[Any], kwargs: dict[str, Any], alias: str, **known: Any) -> Any:
    times = dict.fromkeys(("enqueued_at", "started_at", "finished_at", "last_attempted_at"))
    values = {**times, "errors": [], "worker_ids": [], **known}
    return TaskResult(task=task, args=args, kwargs=kwargs, backend=alias, **values)


def _workers(job: Job) -> list[str]:
    """Return who attempted it, once for each attempt: Django counts them.  Redis remembers no names."""
    return [*job.attempted_by, *[""] * (job.attempt - len(job.attempted_by))][: job.attempt]


def _error(error: AttemptError) -> Any:
    """Return a failure as Django has it: the class by its path, which a trace ends with."""
    found = _RAISED.findall(error.trace) or [error.error.partition(":")[0]]
    path = found[-1] if re.fullmatch(r"[A-Za-z_][\w.]*", found[-1]) else "Exception"
    return TaskError(
        exception_class_path=path if "." in path else f"builtins.{path}", traceback=error.trace or error.error
    )


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _now() -> datetime:
    return datetime.now(UTC)
