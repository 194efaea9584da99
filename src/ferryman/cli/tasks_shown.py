"""How an app's tasks are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ferryman.app import Ferryman
from ferryman.cli.output import Column, Listing
from ferryman.cli.times import Times
from ferryman.scheduled import PeriodicEntry
from ferryman.task import Task

__all__ = ["tasks_of"]

AnyTask = Task[..., Any]


def tasks_of(jobs: Ferryman) -> Listing[AnyTask]:
    """Return how to show the tasks of this app, each with when it is enqueued by the clock."""
    schedules: dict[str, list[PeriodicEntry]] = {}
    for entry in jobs.tasks.periodic:
        schedules.setdefault(entry.task.kind, []).append(entry)

    def specs(task: AnyTask) -> list[str]:
        return [entry.spec for entry in schedules.get(task.kind, ())]

    return Listing(
        lambda task: {"kind": task.kind, "run": task.run, "schedules": specs(task)},
        lambda task: task.kind,
        (
            Column("KIND", lambda task, times: task.kind),
            Column("RUNS IN", lambda task, times: {"async": "event loop"}.get(task.run, task.run)),
            Column("QUEUE", _option("queue")),
            Column("RETRIES", _option("retries"), right=True),
            Column("TIMEOUT", _option("timeout"), right=True),
            Column("SCHEDULE", lambda task, times: ", ".join(specs(task))),
        ),
        none="This app has no tasks.",
    )


def _option(name: str) -> Callable[[AnyTask, Times], str]:
    return lambda task, times: str(task.options.get(name, ""))
