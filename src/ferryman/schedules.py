"""What is enqueued by the clock, which may change while workers run.

    jobs.periodic.add(report.using(queue="slow"), cron="0 6 * * 1", id="weekly report")
    jobs.periodic.remove("weekly report")

Only one worker, the leader, enqueues by the clock, and it does by its own schedules: what
changes must change in every process that runs one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from ferryman.cron import Cron, Interval, Schedule
from ferryman.duration import format_duration, parse_duration
from ferryman.errors import ConfigError
from ferryman.task import PeriodicEntry, Task, Tasks

__all__ = ["Schedules"]


class Schedules:
    """The schedules of a program."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    def add(
        self,
        task: Task[..., Any],
        *,
        every: timedelta | float | str | None = None,
        cron: str | None = None,
        tz: str = "UTC",
        on_start: bool = False,
        id: str | None = None,
    ) -> PeriodicEntry:
        """Enqueue a task from now on by the clock: `every` so long, or at the times of a `cron` line.

        A worker that runs in this process takes it up within a second.  Raises ConfigError when the line is
        wrong, and when the id (without one: the task's kind) is taken.
        """
        if (every is None) == (cron is None):
            raise ConfigError(f"When is {task.kind} to be enqueued? Give one of every=… and cron=….")
        schedule, spec = _interval(every) if every is not None else (Cron.parse(str(cron), tz=tz), str(cron))
        return self._tasks.schedule(task, schedule, spec, id=id, on_start=on_start)

    def remove(self, id: str) -> None:
        """Enqueue this no more.  Raises ScheduleNotFound."""
        self._tasks.unschedule(id)

    def __iter__(self) -> Iterator[PeriodicEntry]:
        return iter(tuple(self._tasks.periodic))

    def __len__(self) -> int:
        return len(self._tasks.periodic)


def _interval(every: timedelta | float | str) -> tuple[Schedule, str]:
    delay = parse_duration(every)
    return Interval(delay), f"@every {format_duration(delay)}"
