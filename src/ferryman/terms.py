"""What a program's tasks and its settings mean together: how long jobs are kept, and when they are given up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ferryman.cron import Cron
from ferryman.duration import parse_duration
from ferryman.errors import ConfigError, InvalidJob, Unsupported
from ferryman.settings import Settings
from ferryman.storage.values import Feature, Retention
from ferryman.task import Tasks

__all__ = ["refuse_what_cannot_work", "refuse_what_is_lacking", "rescue_after", "retention"]

_BEATS = 3
_REMEMBERED = 1800.0
"""Half the time for which a storage keeps workers that have died."""


def retention(tasks: Tasks, settings: Settings) -> Retention:
    """Return how long finished jobs are kept."""
    kinds = {kind: _seconds(task.options["retention"]) for kind, task in tasks.items() if "retention" in task.options}
    return Retention(
        completed=_period(settings.keep_completed),
        cancelled=_period(settings.keep_cancelled),
        discarded=_period(settings.keep_discarded),
        kinds=kinds,
    )


def rescue_after(tasks: Tasks, settings: Settings) -> timedelta:
    """Return River's hour, or the longest timeout and an hour; never below the longest timeout."""
    timeouts = [_seconds(task.options["timeout"]) for task in tasks.values() if "timeout" in task.options]
    longest = max([settings.timeout, *timeouts])
    if settings.rescue_after is None:
        return timedelta(seconds=max(3600.0, longest + 3600.0 if timeouts else 0.0))
    return timedelta(seconds=settings.rescue_after)


def refuse_what_cannot_work(tasks: Tasks, settings: Settings) -> None:
    """Find out before the first job that a task cannot be run as it is written.  Raises ConfigError."""
    if not tasks and not settings.take_unknown_kinds:
        raise ConfigError("This worker has no task to run. Import the modules that define them, or name the right app.")
    for task in tasks.values():
        _ = task.arguments
        if task.run == "process" and "<locals>" in task.function.__qualname__:
            raise ConfigError(
                f"{task!r} is written inside a function, where its process cannot find it. Move it to the module."
            )
    least, silent = _BEATS * settings.heartbeat_interval, settings.rescue_silent
    if silent is not None and silent > _REMEMBERED:
        raise ConfigError(
            f"rescue_silent is {silent:g} s. Take {_REMEMBERED:g} s at most: then a worker that died is forgotten."
        )
    if silent is not None and silent < least:
        raise ConfigError(
            f"rescue_silent is {silent:g} s and workers beat every {settings.heartbeat_interval:g} s. "
            f"Take {least:g}s or more, which is {_BEATS} beats: one that is lost must not cost a job."
        )
    Cron.parse(settings.reindex_schedule)  # which says what is wrong with it
    if (tasks.periodic or tasks.sources) and settings.periodic and not settings.lead:
        what = f'"{tasks.periodic[0].id}"' if tasks.periodic else "anything"
        raise ConfigError(
            f"This worker is told not to lead, so it cannot enqueue {what} by the clock. Leave that "
            "to others with periodic = false, or let it lead."
        )
    for entry in tasks.periodic if settings.periodic else ():
        try:
            entry.task.job()
        except InvalidJob as error:
            raise ConfigError(
                f'The schedule "{entry.id}" gives no arguments, so its task needs defaults. {error}'
            ) from error


def refuse_what_is_lacking(tasks: Tasks, settings: Settings, features: frozenset[Feature]) -> None:
    """Find out before the first job that the storage cannot do what tasks and settings ask for.  Raises Unsupported."""
    if tasks.prefixes and Feature.KINDS in features and not settings.take_unknown_kinds:
        raise Unsupported(
            f'The task "{tasks.prefixes[0]}" is for all kinds that begin so, and from Postgres and SQLite a worker '
            "takes kinds by their names. Name them as aliases=…, or have it take every kind: take_unknown_kinds = true."
        )
    if settings.durable_schedules and Feature.PLANS not in features:
        raise Unsupported("durable_schedules needs Postgres or SQLite: on Redis each run is claimed by itself.")


def _seconds(duration: Any) -> float:
    return parse_duration(duration).total_seconds()


def _period(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
