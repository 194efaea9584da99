"""Where a program says what it can do: its tasks, what is enqueued by the clock, what becomes of groups.

Saying it touches nothing.  `Ferryman` is such a registry with a storage behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ferryman.aggregation import Aggregation, Combine, group_rules
from ferryman.cron import Cron
from ferryman.duration import parse_duration
from ferryman.schedules import Schedules
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
        self.periodic = Schedules(self.tasks)

    def every(
        self,
        interval: timedelta | float | str,
        *,
        on_start: bool = False,
        id: str | None = None,
    ) -> Callable[[T], T]:
        """Enqueue a task again and again: `@jobs.every("1m", on_start=True)` above `@jobs.task(…)`."""
        parse_duration(interval)  # whatever is wrong with it is said where it is written

        def add(task: T) -> T:
            self.periodic.add(task, every=interval, on_start=on_start, id=id)
            return task

        return add

    def cron(self, line: str, *, tz: str = "UTC", on_start: bool = False, id: str | None = None) -> Callable[[T], T]:
        """Enqueue a task at the times of a cron line, in a zone.  Raises ConfigError when the line is wrong."""
        Cron.parse(line, tz=tz)

        def add(task: T) -> T:
            self.periodic.add(task, cron=line, tz=tz, on_start=on_start, id=id)
            return task

        return add

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
