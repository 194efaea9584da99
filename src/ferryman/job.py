"""What a job is: a value, the same in every storage.

`NewJob` is a job on its way in, `Job` one that is stored, `JobRef` its address.
States are River's words everywhere (design.md 1.4); asynq's words are another
spelling that filters accept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from ferryman.errors import ConfigError
from ferryman.utf8 import is_text

__all__ = ["FINAL", "AttemptError", "Inserted", "Job", "JobRef", "NewJob", "State", "Unique"]

# Characters of a queue name or an asynq id that need no escape in a reference.
_PLAIN = ":-_.~"


class State(StrEnum):
    """Where a job is in its life."""

    AVAILABLE = "available"
    RUNNING = "running"
    SCHEDULED = "scheduled"
    RETRYABLE = "retryable"
    PENDING = "pending"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"


FINAL = frozenset({State.COMPLETED, State.CANCELLED, State.DISCARDED})


# `gc=False` below: nothing in these leads back to them, and the collector's rounds took a fifth of a bulk insert.


class JobRef(msgspec.Struct, frozen=True, order=True, gc=False):
    """The address of a job: its id, and its queue where ids are unique only within a queue.

    `queue` is empty in River's formats, whose ids are unique by themselves.  The text
    form is `id` or `queue/id`, percent-encoded where needed (design.md 5.20).
    """

    id: str
    queue: str = ""

    def __str__(self) -> str:
        name = quote(self.id, safe=_PLAIN)
        return f"{quote(self.queue, safe=_PLAIN)}/{name}" if self.queue else name

    @classmethod
    def parse(cls, text: str) -> JobRef:
        """Read the text form.  Raises ConfigError when it is empty, has more than one slash, or is no UTF-8."""
        queue, _, name = text.rpartition("/")
        if not name or "/" in queue:
            raise ConfigError(f'"{text}" is not the address of a job. It is an id such as 42, or queue/id.')
        if not is_text(text):
            raise ConfigError(f"{text!a} is not the address of a job: it is not text in UTF-8.")
        return cls(unquote(name), unquote(queue))


class AttemptError(msgspec.Struct, frozen=True):
    """Why one attempt did not work.  `trace` is empty where the program that ran it kept none."""

    at: datetime
    attempt: int
    error: str
    trace: str = ""
    worker: str = ""
    """Who ran it, where that is kept with it."""


class Unique(msgspec.Struct, frozen=True, kw_only=True):
    """What makes two jobs the same, in River's terms (spec/river.md 3.5).

    `by_args` is True for all arguments, or the paths of some (`"customer.id"`); `by_period`
    counts from the scheduled time; `by_states` are the states in which an older job
    still blocks a new one, None for River's own set (all but cancelled and discarded).
    """

    by_args: bool | tuple[str, ...] = False
    by_period: timedelta | None = None
    by_queue: bool = False
    by_states: frozenset[State] | None = None
    exclude_kind: bool = False


class NewJob(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job on its way into a storage.

    `args` is the encoded payload: a JSON object in River's formats, any bytes in asynq's.
    None means that nothing was said and the format's own default stands.
    """

    kind: str
    args: bytes = b"{}"
    queue: str = "default"
    state: State = State.AVAILABLE
    scheduled_at: datetime | None = None
    max_attempts: int | None = None
    priority: int | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] | None = None
    unique: Unique | None = None
    id: str | None = None
    group: str | None = None
    timeout: float | None = None
    deadline: datetime | None = None
    retention: float | None = None
    headers: Mapping[str, str] | None = None
    periodic: str | None = None
    """The id of the schedule that makes this job, if one does."""
    tick: datetime | None = None
    """Which run of that schedule this is, by a time that every process names alike."""
    given: frozenset[str] = frozenset()
    """Which options were given with this job, as against declared by its task."""
    tx: Any = None
    """The caller's own open transaction, if the job is to be part of it."""


class Inserted(msgspec.Struct, frozen=True, gc=False):
    """What became of a `NewJob`.  For a duplicate, `ref` and `state` are those of the job that is already there."""

    ref: JobRef
    duplicate: bool = False
    state: State = State.AVAILABLE


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A stored job.  `attempt` counts from 1 while it runs; times are aware and in UTC.

    `timeout` and `retention` (seconds) and `deadline` are what the job itself carries;
    None means that the task or the settings decide.
    """

    ref: JobRef
    kind: str
    args: bytes
    state: State
    attempt: int
    max_attempts: int
    queue: str
    scheduled_at: datetime
    created_at: datetime | None = None
    attempted_at: datetime | None = None
    finalized_at: datetime | None = None
    attempted_by: tuple[str, ...] = ()
    errors: tuple[AttemptError, ...] = ()
    priority: int | None = None
    tags: tuple[str, ...] = ()
    timeout: float | None = None
    deadline: datetime | None = None
    retention: float | None = None
    headers: Mapping[str, str] = {}
    cancel_requested_at: datetime | None = None
    """When somebody asked its worker to stop it, if anybody did."""
    group: str = ""
    """With which others it is, or was, to become one job; on Redis."""
    orphaned: bool = False
    """It runs, and no worker has said lately that it is at it; known where the format has leases."""
    raw_metadata: bytes = b"{}"
    unique_key: bytes | None = None
    """By what River tells that two jobs are the same, if it is to."""
    unique_states: tuple[State, ...] | None = None
    """In which states this one keeps others out."""
    unreadable: str = ""
    """Which part of its row nobody can read, if there is one: then every attempt fails."""

    @property
    def id(self) -> str:
        """The storage's own id of the job."""
        return self.ref.id

    @property
    def metadata(self) -> Any:
        """What River keeps beside the arguments, usually an object.  Fractions come as Decimal: nothing is rounded."""
        return json.loads(self.raw_metadata, parse_float=Decimal)

    @property
    def last(self) -> bool:
        """Whether no further attempt follows if this one fails."""
        return self.attempt >= self.max_attempts

    @property
    def failures(self) -> int:
        """How many attempts have failed, though a format may keep only the latest error."""
        return len(self.errors)

    @property
    def waited(self) -> float | None:
        """For how many seconds it was available before its first attempt; None where that is not known."""
        if self.attempt != 1 or self.attempted_at is None:
            return None
        return (self.attempted_at - self.scheduled_at).total_seconds()

    @property
    def error(self) -> AttemptError | None:
        """The latest failure, if there was one."""
        return self.errors[-1] if self.errors else None
