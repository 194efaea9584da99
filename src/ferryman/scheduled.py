"""What is enqueued by the clock: a task or a job, and when.

A task makes its job anew each time, with the defaults of its arguments; a job that was
made beforehand has arguments of its own and is the same each time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import Protocol

import msgspec

from ferryman.cron import ZONE_PREFIXES, Cron, Interval, Schedule
from ferryman.duration import format_duration, parse_duration
from ferryman.errors import ConfigError
from ferryman.job import NewJob, State

__all__ = ["Fixed", "Makes", "PeriodicEntry", "Scheduled", "Source"]


class Makes(Protocol):
    """Makes a job whenever it is due; a `Task` does."""

    @property
    def kind(self) -> str: ...
    def job(self) -> NewJob: ...


class Fixed(msgspec.Struct, frozen=True):
    """Makes the same job each time.  Two of the same job are equal."""

    made: NewJob

    def __hash__(self) -> int:
        return hash((self.made.kind, self.made.queue, self.made.args))  # a job may hold what has no hash

    @classmethod
    def of(cls, job: NewJob) -> Fixed:
        """Take a job as it was made; when it runs is for the clock to say."""
        return cls(msgspec.structs.replace(job, state=State.AVAILABLE, scheduled_at=None))

    @property
    def kind(self) -> str:
        """The kind of the job."""
        return self.made.kind

    def job(self) -> NewJob:
        """Return the job."""
        return self.made


class PeriodicEntry(msgspec.Struct, frozen=True):
    """A task that is enqueued by the clock.  `id` is known to every program that shares the schedule."""

    id: str
    task: Makes
    schedule: Schedule
    spec: str
    on_start: bool = False


@dataclass(frozen=True)
class Scheduled:
    """A task or a job, and when it is enqueued: `every` so long, or at the times of a `cron` line in a zone.

        Scheduled(report.job(account=7), cron="0 6 * * 1", id="report of 7")

    Without an `id` it is the kind; each schedule needs one of its own.
    """

    task: Makes | NewJob
    _: KW_ONLY
    every: timedelta | float | str | None = None
    cron: str | None = None
    tz: str = "UTC"
    on_start: bool = False
    id: str | None = None

    def entry(self) -> PeriodicEntry:
        """Work out what it means.  Raises ConfigError when the line is wrong, or the time is not said once."""
        makes = Fixed.of(self.task) if isinstance(self.task, NewJob) else self.task
        schedule, spec = self._when(makes.kind)
        return PeriodicEntry(self.id or makes.kind, makes, schedule, spec, self.on_start)

    def _when(self, kind: str) -> tuple[Schedule, str]:
        if (self.every is None) == (self.cron is None):
            raise ConfigError(f"When is {kind} to be enqueued? Give one of every=… and cron=….")
        if self.cron is not None:
            return Cron.parse(self.cron, tz=self.tz), _with_zone(self.cron, self.tz)
        delay = parse_duration(self.every or 0)
        return Interval(delay), f"@every {format_duration(delay)}"


def _with_zone(line: str, tz: str) -> str:
    """Return a line that says its zone itself: dashboards and Go's tools read it where `tz` is not known."""
    needs_none = tz in ("", "UTC") or line.strip().startswith((*ZONE_PREFIXES, "@every"))
    return line if needs_none else f"CRON_TZ={tz} {line.strip()}"


class Source:
    """Says again and again what is to be enqueued by the clock; `entries` are what it said the last time."""

    def __init__(self, find: Callable[[], Iterable[Scheduled] | Awaitable[Iterable[Scheduled]]], every: float) -> None:
        self.find = find
        self.every = every
        self.entries: tuple[PeriodicEntry, ...] = ()
