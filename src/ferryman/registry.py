"""Where a program says what it can do: its tasks, what is enqueued by the clock, what becomes of groups.

Saying it touches nothing.  `Ferryman` is such a registry with a storage behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ferryman.aggregation import Aggregation, Combine, group_rules
from ferryman.cron import Cron, Interval, Schedule
from ferryman.duration import format_duration, parse_duration
from ferryman.task import Kind, Task, Tasks

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["Registry"]

T = TypeVar("T", bound=Task[..., Any])
C = TypeVar("C", bound=Combine)


class Registry:
    """The tasks of a program, and the decorators that declare them."""

    def __init__(self) -> None:
        self.tasks = Tasks()
        self.task = self.tasks.task

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

    def kind(self, kind: str) -> Kind:
        """Name a task that is written elsewhere: `jobs.kind("email:send").enqueue({"to": …})`."""
        return Kind(kind, self.tasks)

    def _scheduled(self, schedule: Schedule, spec: str, id: str | None, on_start: bool) -> Callable[[T], T]:
        def add(task: T) -> T:
            self.tasks.schedule(task, schedule, spec, id=id, on_start=on_start)
            return task

        return add
