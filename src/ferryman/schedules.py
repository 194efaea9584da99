"""What is enqueued by the clock, which may change while workers run.

    jobs.periodic.add(report.using(queue="slow"), cron="0 6 * * 1", id="weekly report")
    jobs.periodic.add(report.job(account=7), every="1h", id="report of 7")
    jobs.periodic.remove("weekly report")

    @jobs.periodic.source(every="3m")
    async def reports() -> list[Scheduled]: ...

Only one worker, the leader, enqueues by the clock, and it does by its own schedules: what
changes must change in every process that runs one.  A source is asked by all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

from ferryman.duration import parse_duration
from ferryman.job import NewJob
from ferryman.scheduled import Makes, PeriodicEntry, Scheduled, Source
from ferryman.task import Tasks

__all__ = ["Schedules"]

F = TypeVar("F", bound=Callable[[], Iterable[Scheduled] | Awaitable[Iterable[Scheduled]]])


class Schedules:
    """The schedules of a program."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    def add(
        self,
        task: Makes | NewJob,
        *,
        every: timedelta | float | str | None = None,
        cron: str | None = None,
        tz: str = "UTC",
        on_start: bool = False,
        id: str | None = None,
    ) -> PeriodicEntry:
        """Enqueue a task, or a job with arguments, from now on by the clock: `every` so long, or by a `cron` line.

        A worker that runs in this process takes it up within a second.  Raises ConfigError when the line is
        wrong, and when the id (without one: the kind) is taken.
        """
        entry = Scheduled(task, every=every, cron=cron, tz=tz, on_start=on_start, id=id).entry()
        return self._tasks.schedule(entry.task, entry.schedule, entry.spec, id=entry.id, on_start=on_start)

    def remove(self, id: str) -> None:
        """Enqueue this no more.  Raises ScheduleNotFound."""
        self._tasks.unschedule(id)

    def source(self, *, every: timedelta | float | str = "3m") -> Callable[[F], F]:
        """Ask a function again and again what is to be enqueued by the clock: `@jobs.periodic.source(every="1m")`.

        It takes nothing, is async or plain, and returns a `Scheduled` for each schedule; what it says no more is
        enqueued no more, and what it says again goes on as it was.  When it fails, what it said last stands.
        A schedule that is wrong is left out and reported (spec/asynq.md 6.3).
        """
        seconds = parse_duration(every).total_seconds()

        def add(find: F) -> F:
            self._tasks.sources.append(Source(find, seconds))
            return find

        return add

    def __iter__(self) -> Iterator[PeriodicEntry]:
        return iter(tuple(self._tasks.periodic))

    def __len__(self) -> int:
        return len(self._tasks.periodic)
