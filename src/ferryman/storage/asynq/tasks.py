"""asynq's tasks → our jobs (spec/asynq.md 1.4, 2.1 and 4.2).

A message says nearly everything of a task.  Where it stands is in its hash, and in the
score that it has in the collection of its state.  A job that is read carries its message
with it, since whatever becomes of the job is written from that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec.structs import replace

from ferryman.errors import StorageError
from ferryman.job import AttemptError, Job, JobRef, State
from ferryman.storage.asynq.messages import TaskMessage
from ferryman.storage.asynq.times import EPOCH, moment, moment_ns

__all__ = [
    "DEFAULT_TIMEOUT",
    "NO_LIMIT",
    "STATES",
    "TAGS",
    "WORDS",
    "StoredJob",
    "errors_of",
    "job_from",
    "running_job",
]

DEFAULT_TIMEOUT = 1_800
"""The timeout, in seconds, of a job that says neither timeout nor deadline."""

NO_LIMIT = 100 * 365 * 24 * 3_600
"""The timeout, in seconds, of a job that may take for ever: asynq has no word for it, and takes 0 for half an hour."""

TAGS = "ferryman:tags"
"""The header with a job's tags, a JSON list: the format has no other place for them (design.md 5.6)."""

STATES: Mapping[str, State] = {
    "pending": State.AVAILABLE,
    "active": State.RUNNING,
    "scheduled": State.SCHEDULED,
    "retry": State.RETRYABLE,
    "archived": State.DISCARDED,
    "completed": State.COMPLETED,
    # In its group a task rests until somebody makes it available, whatever the time: River's pending.
    "aggregating": State.PENDING,
}
"""asynq's word for a state → ours."""

WORDS: Mapping[State, str] = {state: word for word, state in STATES.items()}
"""Our states → asynq's words.  `cancelled` is not among them."""


class StoredJob(Job, frozen=True, kw_only=True):
    """A job as asynq keeps it."""

    message: TaskMessage
    data: bytes = b""
    """The message in the very bytes that Redis has, to tell whether it is the same still."""
    result: bytes | None = None
    """What the job wrote, which need not be JSON."""
    since: bytes = b""
    """The nanosecond at which a running job had become available, as text: few jobs are ever asked."""

    @property
    def waited(self) -> float | None:
        """How long it was available before its first attempt."""
        if self.attempt != 1 or self.attempted_at is None or not self.since:
            return None
        return self.attempted_at.timestamp() - int(self.since) / 1e9

    @property
    def failures(self) -> int:
        """How many attempts have failed: asynq counts them all, and keeps only the latest error."""
        return self.attempt - (self.state in (State.RUNNING, State.COMPLETED))


def running_job(message: TaskMessage, data: bytes, *, worker: str, now: datetime, since: bytes = b"") -> StoredJob:
    """Make the job that a worker has just taken; `since` is the nanosecond at which it became available, as text."""
    headers, tags = _headers_and_tags(message.headers) if message.headers else ({}, ())
    return StoredJob(
        ref=JobRef(message.id, message.queue),
        kind=message.type,
        args=message.payload,
        state=State.RUNNING,
        attempt=message.retried + 1,
        max_attempts=max(message.retry, 0) + 1,
        queue=message.queue,
        scheduled_at=now,
        attempted_at=now,
        attempted_by=(worker,),
        errors=errors_of(message, message.retried) if message.error_msg else (),
        tags=tags,
        timeout=_timeout(message),
        deadline=moment(message.deadline) if message.deadline else None,
        retention=float(message.retention),
        headers=headers,
        group=message.group_key,
        message=message,
        data=data,
        since=since,
    )


def job_from(
    message: TaskMessage,
    word: str,
    *,
    data: bytes = b"",
    score: float | None = None,
    pending_since: int | None = None,
    result: bytes | None = None,
    attempted_at: datetime | None = None,
    attempted_by: tuple[str, ...] = (),
    orphaned: bool = False,
) -> StoredJob:
    """Make the job of a task that was found in Redis.

    `word` is asynq's for its state, `score` (seconds) what it has in that state's sorted
    set, `pending_since` (nanoseconds) and `result` are fields of its hash.  When it was
    attempted and by whom is known only while it runs.  Raises StorageError for a word
    that asynq has not.
    """
    state = _state(message, word)
    attempt = message.retried + (1 if _counts(message, state, score) else 0)
    return replace(
        running_job(message, data, worker="", now=EPOCH),
        state=state,
        attempt=attempt,
        scheduled_at=_scheduled_at(message, state, score, pending_since),
        attempted_at=attempted_at,
        attempted_by=attempted_by,
        orphaned=orphaned,
        finalized_at=_finalized_at(message, state, score),
        errors=errors_of(message, attempt if state is State.DISCARDED else message.retried),
        raw_metadata=_metadata(result),
        result=result,
    )


def _state(message: TaskMessage, word: str) -> State:
    try:
        return STATES[word]
    except KeyError:
        raise StorageError(
            f'The task {JobRef(message.id, message.queue)} is in the state "{word}". asynq has {", ".join(STATES)}. '
            "Look for a program that writes this queue in another format."
        ) from None


def _counts(message: TaskMessage, state: State, score: float | None) -> bool:
    """Say whether the latest attempt is one that `retried` does not count: it runs, it worked, or it was the last."""
    if state is State.DISCARDED:
        # An attempt that fails is archived in the very second; a person's archiving leaves the message as it is.
        return message.last_failed_at != 0 and score in (None, message.last_failed_at)
    return state in (State.RUNNING, State.COMPLETED)


def _scheduled_at(message: TaskMessage, state: State, score: float | None, pending_since: int | None) -> datetime:
    """Return when the task was or is to be taken, or the latest time that is known of it: asynq keeps no other."""
    if score is not None and state in (State.SCHEDULED, State.RETRYABLE, State.PENDING):
        return moment(score)
    if pending_since is not None:
        return moment_ns(pending_since)
    return moment(message.completed_at or message.last_failed_at)


def _finalized_at(message: TaskMessage, state: State, score: float | None) -> datetime | None:
    if state is State.COMPLETED:
        return moment(message.completed_at)
    if state is State.DISCARDED:
        return moment(message.last_failed_at if score is None else score)
    return None


def errors_of(message: TaskMessage, attempt: int) -> tuple[AttemptError, ...]:
    """Return the one failure that a message remembers, the latest."""
    if not message.error_msg:
        return ()
    return (AttemptError(moment(message.last_failed_at), max(attempt, 1), message.error_msg),)


def _timeout(message: TaskMessage) -> float:
    """Return the seconds that an attempt may take, 0 for no limit (spec/asynq.md 4.2)."""
    if not message.timeout:
        return 0.0 if message.deadline else float(DEFAULT_TIMEOUT)
    return 0.0 if message.timeout >= NO_LIMIT else float(message.timeout)


def _headers_and_tags(headers: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return what belongs to the job's own headers, and what we keep among them."""
    own = dict(headers)
    text = own.pop(TAGS, "[]")
    try:
        return own, msgspec.json.decode(text, type=tuple[str, ...])
    except msgspec.DecodeError:
        return dict(headers), ()


def _metadata(result: bytes | None) -> bytes:
    """Return a result as River shows it, so that a reader finds it in one place; one that is no JSON stays out."""
    if result is None:
        return b"{}"
    try:
        msgspec.json.decode(result, type=msgspec.Raw)
    except msgspec.DecodeError:
        return b"{}"
    return b'{"output":' + result + b"}"
