"""Background jobs for Python that share their queues with Go.

Names are loaded when they are first used: `import ferryman` costs next to nothing.
"""

from __future__ import annotations

# Not from typing, which a probe would load for this alone.
TYPE_CHECKING = False

__all__ = [
    "AsyncClient",
    "AttemptError",
    "Cancel",
    "Client",
    "ConfigError",
    "Discard",
    "DuplicateJob",
    "Ferryman",
    "FerrymanError",
    "Inserted",
    "InvalidArguments",
    "InvalidJob",
    "Job",
    "JobNotFound",
    "JobRef",
    "MissingExtra",
    "NewJob",
    "Options",
    "QueueNotFound",
    "RetryIn",
    "Revoke",
    "Scheduled",
    "SchemaOutOfDate",
    "Settings",
    "Snooze",
    "State",
    "StorageError",
    "StorageUnavailable",
    "Task",
    "Tasks",
    "Unique",
    "UnknownTask",
    "Unsupported",
    "Worker",
    "WrongState",
    "__version__",
    "checkpoint",
    "checkpoint_sync",
    "complete",
    "complete_sync",
    "connect",
    "cursor_step",
    "cursor_step_sync",
    "exponential",
    "fixed",
    "keep_logs",
    "provided",
    "record_output",
    "river",
    "set_cursor",
    "set_metadata",
    "step",
    "step_sync",
]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from typing import Any

    from ferryman.app import Ferryman
    from ferryman.arguments import provided
    from ferryman.client._async.client import AsyncClient
    from ferryman.client._sync.client import Client
    from ferryman.connect import connect
    from ferryman.context import complete, complete_sync, record_output, set_metadata
    from ferryman.errors import (
        ConfigError,
        DuplicateJob,
        FerrymanError,
        InvalidArguments,
        InvalidJob,
        JobNotFound,
        MissingExtra,
        QueueNotFound,
        SchemaOutOfDate,
        StorageError,
        StorageUnavailable,
        UnknownTask,
        Unsupported,
        WrongState,
    )
    from ferryman.job import AttemptError, Inserted, Job, JobRef, NewJob, State, Unique
    from ferryman.job_logs import keep_logs
    from ferryman.options import Options
    from ferryman.outcome import Cancel, Discard, RetryIn, Revoke, Snooze
    from ferryman.resumable import (
        checkpoint,
        checkpoint_sync,
        cursor_step,
        cursor_step_sync,
        set_cursor,
        step,
        step_sync,
    )
    from ferryman.retry import exponential, fixed, river
    from ferryman.scheduled import Scheduled
    from ferryman.settings import Settings
    from ferryman.task import Task, Tasks
    from ferryman.worker import Worker

_HOMES = {
    "ferryman.app": ("Ferryman",),
    "ferryman.arguments": ("provided",),
    "ferryman.client._async.client": ("AsyncClient",),
    "ferryman.client._sync.client": ("Client",),
    "ferryman.connect": ("connect",),
    "ferryman.context": ("complete", "complete_sync", "record_output", "set_metadata"),
    "ferryman.errors": (
        "ConfigError",
        "DuplicateJob",
        "FerrymanError",
        "InvalidArguments",
        "InvalidJob",
        "JobNotFound",
        "MissingExtra",
        "QueueNotFound",
        "SchemaOutOfDate",
        "StorageError",
        "StorageUnavailable",
        "UnknownTask",
        "Unsupported",
        "WrongState",
    ),
    "ferryman.job": ("AttemptError", "Inserted", "Job", "JobRef", "NewJob", "State", "Unique"),
    "ferryman.job_logs": ("keep_logs",),
    "ferryman.options": ("Options",),
    "ferryman.outcome": ("Cancel", "Discard", "RetryIn", "Revoke", "Snooze"),
    "ferryman.resumable": (
        "checkpoint",
        "checkpoint_sync",
        "cursor_step",
        "cursor_step_sync",
        "set_cursor",
        "step",
        "step_sync",
    ),
    "ferryman.retry": ("exponential", "fixed", "river"),
    "ferryman.scheduled": ("Scheduled",),
    "ferryman.settings": ("Settings",),
    "ferryman.task": ("Task", "Tasks"),
    "ferryman.worker": ("Worker",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
