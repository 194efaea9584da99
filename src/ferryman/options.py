"""The options of a job, written once, and how they become part of a `NewJob`.

A task declares some, `using()` gives others for one call, the settings hold the rest:
the call wins over the task, the task over the settings.  Unknown names are refused
where they are written, by the type checker through `Options` and at run time here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from ferryman.duration import parse_duration
from ferryman.errors import ConfigError, InvalidJob
from ferryman.job import NewJob, State, Unique

__all__ = ["Options", "Unique", "check_names", "merge", "new_job", "unique_for"]

Duration = timedelta | float | str


class Options(TypedDict, total=False):
    """What can be said about a job, in a decorator or in `using()`.  Durations are timedelta, seconds or "1h30m"."""

    queue: str
    """Name of the queue."""
    retries: int
    """How often a failed job is tried again; 3 means four attempts."""
    timeout: Duration
    """How long one attempt may take; 0 is no limit."""
    deadline: datetime
    """When the job is no longer worth running."""
    delay: Duration
    """How long to wait before the first attempt."""
    at: datetime
    """When to run the first attempt."""
    unique: bool | Duration | Unique
    """No second unfinished job of the same kind, arguments and queue: at all (True), or within this time."""
    priority: int
    """1 (first) to 4; River's formats only."""
    tags: list[str]
    """Labels; no effect on running."""
    retention: Duration
    """How long a completed job is kept."""
    metadata: Mapping[str, Any]
    """Kept beside the arguments; River's formats only."""
    headers: Mapping[str, str]
    """Kept beside the arguments, text only."""
    id: str
    """An id of your own; refused when it is taken."""
    group: str
    """Gather with others of this group into one job; asynq's format only."""
    pending: bool
    """Park the job until someone makes it available; River's formats only."""
    tx: Any
    """Your own open transaction: the job exists if and only if it commits."""


NAMES = frozenset(Options.__annotations__)
_LARGEST_RETRIES = 32_766


def check_names(options: Mapping[str, Any], where: str) -> None:
    """Refuse an option that does not exist.  Raises ConfigError naming the nearest that does."""
    for name in options:
        if name not in NAMES:
            import difflib

            near = difflib.get_close_matches(name, NAMES, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(sorted(NAMES))}."
            raise ConfigError(f'{where} has no option "{name}". {hint}')


def merge(weaker: Options, stronger: Options) -> Options:
    """Put two sets of options together; `delay` and `at` are two spellings of one thing."""
    merged: Options = {**weaker, **stronger}
    if "delay" in stronger and "at" not in stronger:
        merged.pop("at", None)
    elif "at" in stronger and "delay" not in stronger:
        merged.pop("delay", None)
    return merged


def new_job(
    kind: str,
    args: bytes,
    options: Options,
    *,
    given: frozenset[str] = frozenset(),
    now: datetime | None = None,
) -> NewJob:
    """Make the job that these options describe; `given` names those that came with the call.

    Raises InvalidJob when a value cannot be right: a negative delay or retries, both
    `delay` and `at`, a time without a zone.
    """
    if not options:
        return NewJob(kind=kind, args=args)
    at = _when(options, now)
    return NewJob(
        kind=kind,
        args=args,
        queue=options.get("queue", "default"),
        state=_state(options, at),
        scheduled_at=at,
        max_attempts=_attempts(options.get("retries")),
        priority=options.get("priority"),
        tags=tuple(options.get("tags", ())),
        metadata=options.get("metadata"),
        unique=unique_for(options.get("unique")),
        id=options.get("id"),
        group=options.get("group"),
        timeout=_seconds("timeout", options.get("timeout")),
        deadline=_aware("deadline", options.get("deadline")),
        retention=_seconds("retention", options.get("retention")),
        headers=options.get("headers"),
        given=given,
        tx=options.get("tx"),
    )


def unique_for(given: bool | Duration | Unique | None) -> Unique | None:
    """Return the full form of `unique` (design.md 5.15): arguments and queue, any unfinished state."""
    if given is None or given is False or isinstance(given, Unique):
        return given or None
    unfinished = frozenset(set(State) - {State.COMPLETED, State.CANCELLED, State.DISCARDED})
    period = None if given is True else _duration("unique", given)
    if period is not None and period < timedelta(seconds=1):
        raise InvalidJob(f"unique is {given}. A period is at least 1 second, such as 1h.")
    return Unique(by_args=True, by_queue=True, by_period=period, by_states=unfinished)


def _state(options: Options, at: datetime | None) -> State:
    if options.get("pending"):
        return State.PENDING
    return State.AVAILABLE if at is None else State.SCHEDULED


def _when(options: Options, now: datetime | None) -> datetime | None:
    if "delay" in options and "at" in options:
        raise InvalidJob(f"Both delay ({options['delay']}) and at ({options['at']}) are given. Give one of them.")
    if "at" in options:
        return _aware("at", options["at"])
    if "delay" not in options:
        return None
    try:
        return (now or datetime.now(UTC)) + _duration("delay", options["delay"])
    except OverflowError:
        raise InvalidJob(f"delay is {options['delay']}, which ends after the year 9999. Give a shorter one.") from None


def _attempts(retries: int | None) -> int | None:
    if retries is None:
        return None
    if isinstance(retries, bool) or not isinstance(retries, int) or not 0 <= retries <= _LARGEST_RETRIES:
        raise InvalidJob(f"retries is {retries!r}. It takes a whole number from 0 to {_LARGEST_RETRIES}.")
    return retries + 1


def _seconds(name: str, value: Duration | None) -> float | None:
    return None if value is None else _duration(name, value).total_seconds()


def _duration(name: str, value: Duration) -> timedelta:
    try:
        return parse_duration(value)
    except ConfigError as error:
        raise InvalidJob(f"{name} is {value!r}. {error}") from error


def _aware(name: str, value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise InvalidJob(f"{name} is {value!r}. It takes a datetime with a time zone.")
    if value.tzinfo is None:
        raise InvalidJob(f"{name} is {value} without a time zone. Say which, as in datetime.now(UTC).")
    return value.astimezone(UTC)
