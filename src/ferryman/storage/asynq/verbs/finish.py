"""Writing what became of jobs (spec/asynq.md 3.7 to 3.10).

A job is ours while it is leased and its message is the one with which it was taken: every
retry writes another.  The scripts look at both before they change anything.  asynq has
no word for cancelled: such a job is put aside like one that gave up, where its reason
can be read, and its unique lock is freed.  One that was revoked is deleted and counted
as worked, whatever its retention: Go's RevokeTask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ferryman.job import AttemptError, State
from ferryman.outcome import Cancelled, Completed, Discarded, Finished, Released, Retry, Revoked, Snoozed, Uncounted
from ferryman.storage.asynq.attempts import remembered
from ferryman.storage.asynq.calls import Call, Command, Script, Value, Verb
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.messages import TASK, TaskMessage
from ferryman.storage.asynq.times import seconds
from ferryman.storage.asynq.verbs.on_queue import on_queue
from ferryman.storage.asynq.verbs.work import LEASE

__all__ = ["finish", "trimming"]

_MOST_JOBS = 1_000
_ARCHIVE_KEPT = timedelta(days=90)
_ARCHIVE_HOLDS = 10_000


class _Deed(msgspec.Struct, frozen=True, eq=False):
    """One of the scripts that end an attempt, the state that follows, and what it is told of each job."""

    script: str
    state: State
    values: Callable[[Any, datetime], tuple[Value, ...]]
    args: Callable[[datetime], Mapping[str, Any]] = lambda at: {}
    fails: bool = False
    """Whether it is a failure, of which more is remembered than asynq does."""


def finish(
    finished: Sequence[Finished],
    *,
    now: datetime | None,
    expired_by: datetime | None = None,
    remember: bool = True,
) -> Verb[list[State | None]]:
    """Write outcomes, each only if it is ours still; with `expired_by`, only if its lease ran out by then.

    `remember` keeps failed attempts beside their jobs.
    """
    at = now or datetime.now(UTC)
    loads: dict[tuple[str, _Deed], list[int]] = {}
    for place, each in enumerate(finished):
        loads.setdefault((each.job.queue, _deed(each)), []).append(place)
    parts = [
        (queue, deed, places[first : first + _MOST_JOBS])
        for (queue, deed), places in loads.items()
        for first in range(0, len(places), _MOST_JOBS)
    ]
    states: list[State | None] = [None] * len(finished)
    calls: list[Call] = [
        _call(queue, deed, [finished[place] for place in places], at, expired_by, remember)
        for queue, deed, places in parts
    ]
    replies = (yield [*calls, *_forget(finished)]) if calls else []
    for (_, deed, places), reply in zip(parts, replies, strict=False):
        for place, is_ours in zip(places, reply, strict=True):
            if is_ours:
                states[place] = deed.state
    return states


def _forget(finished: Sequence[Finished]) -> Iterator[Command]:
    """Forget the failed attempts of jobs that are deleted, now that they worked."""
    for each in finished:
        if each.job.attempt > 1 and _deed(each).script == "done":
            yield Command(("UNLINK", QueueKeys(each.job.queue).attempts(each.job.id)))


def _call(
    queue: str, deed: _Deed, jobs: Sequence[Finished], at: datetime, expired_by: datetime | None, remember: bool
) -> Script:
    rest: list[Value] = []
    for each in jobs:
        rest += deed.values(each, at)
        if deed.fails:
            rest.append(_remembered(each) if remember else b"")
    until = "" if expired_by is None else seconds(expired_by)
    return on_queue(deed.script, queue, at, rest, expired_by=until, **deed.args(at))


def _deed(finished: Finished) -> _Deed:
    match finished.outcome:
        case Completed():
            return _COMPLETE if finished.job.message.retention else _DONE  # type: ignore[attr-defined]
        case Uncounted():
            return _RETRY_UNCOUNTED
        case Retry():
            return _RETRY
        case Snoozed():
            return _SNOOZE
        case Discarded():
            return _ARCHIVE
        case Revoked():
            return _REVOKE
        case Cancelled():
            return _CANCEL
        case Released():
            return _REQUEUE


def _done(finished: Any, at: datetime) -> tuple[Value, ...]:
    job = finished.job
    # Within its first lease nobody else can have it, which saves the server a look at each job.
    is_fresh = job.attempted_at is not None and at - job.attempted_at < LEASE
    return job.message.id, b"" if is_fresh else job.data, job.message.unique_key


def _completed(finished: Any, at: datetime) -> tuple[Value, ...]:
    message = finished.job.message
    kept = msgspec.structs.replace(message, completed_at=seconds(at))
    until = seconds(at) + message.retention
    return message.id, finished.job.data, TASK.encode(kept), until, message.unique_key, _result(finished)


def _retried(finished: Any, at: datetime) -> tuple[Value, ...]:
    message, outcome = finished.job.message, finished.outcome
    counted = message.retried + (type(outcome) is not Uncounted)
    kept = _with_error(message, outcome.error, at, retried=counted)
    return message.id, finished.job.data, TASK.encode(kept), seconds(outcome.at), _result(finished)


def _archived(finished: Any, at: datetime) -> tuple[Value, ...]:
    message = finished.job.message
    kept = _with_error(message, finished.outcome.error, at, retried=message.retried)
    return message.id, finished.job.data, TASK.encode(kept), _result(finished), ""


def _cancelled(finished: Any, at: datetime) -> tuple[Value, ...]:
    return *_archived(finished, at)[:-1], finished.job.message.unique_key


def _snoozed(finished: Any, at: datetime) -> tuple[Value, ...]:
    return finished.job.message.id, finished.job.data, seconds(finished.outcome.until)


def _requeued(finished: Any, at: datetime) -> tuple[Value, ...]:
    return finished.job.message.id, finished.job.data


def _with_error(message: TaskMessage, error: AttemptError, at: datetime, *, retried: int) -> TaskMessage:
    # Go cannot read a message with bytes in it that are no text (D15).
    text = error.error.encode("utf-8", "replace").decode()
    return msgspec.structs.replace(message, error_msg=text, last_failed_at=seconds(at), retried=retried)


def _remembered(finished: Any) -> bytes:
    return remembered(finished.outcome.error, finished.job.attempted_by[-1] if finished.job.attempted_by else "")


def _result(finished: Finished) -> bytes:
    result = finished.outcome.result if isinstance(finished.outcome, Completed) else None
    return (finished.output if result is None else result) or b""


def trimming(at: datetime) -> Mapping[str, Any]:
    """Return how much the archive keeps, and for how long (spec/asynq.md 3.10)."""
    return {"cutoff": seconds(at - _ARCHIVE_KEPT), "most": _ARCHIVE_HOLDS}


_DONE = _Deed("done", State.COMPLETED, _done)
_COMPLETE = _Deed("complete", State.COMPLETED, _completed)
_RETRY = _Deed("retry", State.RETRYABLE, _retried, lambda at: {"counted": 1}, fails=True)
_RETRY_UNCOUNTED = _Deed("retry", State.RETRYABLE, _retried, lambda at: {"counted": 0}, fails=True)
_ARCHIVE = _Deed("archive", State.DISCARDED, _archived, trimming, fails=True)
_CANCEL = _Deed("archive", State.DISCARDED, _cancelled, trimming, fails=True)
_REVOKE = _Deed("done", State.CANCELLED, _done)
_SNOOZE = _Deed("snooze", State.SCHEDULED, _snoozed)
_REQUEUE = _Deed("requeue", State.AVAILABLE, _requeued)
