"""Django's task API, wherever it is: in Django 6 itself, before that in the package `django-tasks`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import django

from ferryman.errors import MissingExtra

__all__ = [
    "BaseTaskBackend",
    "InvalidTask",
    "Task",
    "TaskContext",
    "TaskError",
    "TaskResult",
    "TaskResultDoesNotExist",
    "TaskResultStatus",
    "signals",
]

_HOME = "django.tasks" if int(django.VERSION[0]) >= 6 else "django_tasks"


def _part(name: str) -> Any:
    try:
        return import_module(f"{_HOME}.{name}")
    except ModuleNotFoundError as error:
        if error.name != "django_tasks":
            raise
        raise MissingExtra(
            "Before Django 6 its task API is the package django-tasks, which is not installed.", extra="django"
        ) from error


_base, _exceptions = _part("base"), _part("exceptions")
BaseTaskBackend: Any = _part("backends.base").BaseTaskBackend
Task: Any = _base.Task
TaskContext: Any = _base.TaskContext
TaskError: Any = _base.TaskError
TaskResult: Any = _base.TaskResult
TaskResultStatus: Any = _base.TaskResultStatus
TaskResultDoesNotExist: Any = _exceptions.TaskResultDoesNotExist
InvalidTask: Any = getattr(_exceptions, "InvalidTask", None) or _exceptions.InvalidTaskError
signals: Any = _part("signals")
