"""What asynq's format can keep, checked before anything is stored (spec/asynq.md 5.1).

asynq itself takes nearly everything: names need only not be blank.  What it would cut,
overflow or silently leave out is refused here.  Options that the format has no place
for are `Unsupported`, values that are out of range `InvalidJob`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import inf

from ferryman.errors import InvalidJob, Unsupported
from ferryman.job import FINAL, NewJob, State, Unique
from ferryman.storage.filters import NEWEST_FIRST, JobFilter, JobOrder

__all__ = ["check", "check_queue", "refuse_what_nobody_finds"]

_MOST_ATTEMPTS = 2**31  # the message keeps the retries, one less, in 32 bits
_UNFINISHED = frozenset(State) - FINAL
_SHORTEST_LOCK = timedelta(seconds=1)


def check(jobs: Sequence[NewJob]) -> None:
    """Refuse jobs that asynq would refuse, or could not keep as they are.  Raises InvalidJob or Unsupported."""
    seen: set[tuple[str, str]] = set()
    for job in jobs:
        # Kind and queue repeat in a batch: each pair is looked at once.
        pair = (job.kind, job.queue)
        if pair not in seen:
            _check_text("kind", job.kind)
            check_queue(job.queue)
            seen.add(pair)
        _check_job(job)


def check_queue(name: str) -> None:
    """Refuse a name that no queue can have.  Raises InvalidJob."""
    _check_text("queue", name)


def refuse_what_nobody_finds(which: JobFilter, order: JobOrder) -> None:
    """Refuse to list what asynq's collections give no way to find.  Raises Unsupported."""
    asked = {"ids": which.ids, "priorities": which.priorities, "metadata": which.metadata}
    if found := [name for name, value in asked.items() if value]:
        raise Unsupported(
            f"Jobs on Redis cannot be found by {', '.join(found)}. By state, queue, kind and time they can."
        )
    if order != NEWEST_FIRST:
        raise Unsupported("Jobs on Redis are listed in asynq's own order only, what came last first.")


def _check_job(job: NewJob) -> None:
    _refuse_what_has_no_place(job)
    if job.id is not None:
        _check_text("id", job.id)
    if job.group is not None:
        _check_text("group", job.group)
    if not isinstance(job.args, bytes):
        raise InvalidJob(f'The arguments of "{job.kind}" are a {type(job.args).__name__}. Encode them first: bytes.')
    _check_time("deadline", job.deadline)
    _check_time("scheduled_at", job.scheduled_at)
    _check_length("timeout", job.timeout)
    _check_length("retention", job.retention)
    if job.max_attempts is not None and not 1 <= job.max_attempts <= _MOST_ATTEMPTS:
        raise InvalidJob(f"max_attempts is {job.max_attempts}. It takes 1 to {_MOST_ATTEMPTS}.")
    if job.unique is not None:
        _check_unique(job.unique)
    if job.headers:
        _check_headers(job.headers)
    for tag in job.tags:
        _check_utf8("tag", tag)


def _refuse_what_has_no_place(job: NewJob) -> None:
    if job.tx is not None:
        ways_out = "Enqueue after the commit, or give the Ferryman an outbox."
        raise Unsupported(f"tx= cannot be kept on Redis, which takes part in no transaction. {ways_out}")
    if job.priority is not None:
        raise _unsupported(f"priority={job.priority}", "Use a queue of its own, with more weight")
    if job.state is State.PENDING:
        raise _unsupported("pending=True", "Use delay=… or at=…, or pause a queue of its own")
    if job.metadata:
        raise _unsupported(f"metadata={dict(job.metadata)!r}", "Use headers=…, which are text")


def _check_unique(unique: Unique) -> None:
    """Refuse what a lock cannot do: it is held for a kind, a payload and a queue, for a time, until success."""
    if unique.by_args is not True or not unique.by_queue or unique.exclude_kind:
        raise _unsupported(f"unique={unique}", 'Its locks compare kind, queue and all arguments: use unique="1h"')
    if unique.by_states not in (None, _UNFINISHED):
        raise _unsupported("by_states", 'Its locks are freed when the job succeeds: use unique="1h"')
    if unique.by_period is None:
        raise _unsupported("unique without a time", 'Its locks run out: say when, as in unique="1h"')
    if unique.by_period < _SHORTEST_LOCK:
        raise InvalidJob(f"unique is {unique.by_period.total_seconds():g} s. It takes 1 second or more, such as 1h.")


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        _check_utf8("header", name)
        _check_utf8(f"header {name}", value)


def _check_time(what: str, at: datetime | None) -> None:
    if at is not None and at.tzinfo is None:
        raise InvalidJob(f"{what} is {at} without a time zone. Say which, as in datetime.now(UTC).")


def _check_length(what: str, seconds: float | None) -> None:
    if seconds is not None and not 0 <= seconds < inf:
        raise InvalidJob(f"{what} is {seconds}. It takes seconds, 0 or more.")


def _check_text(what: str, text: str) -> None:
    if not isinstance(text, str) or not text.strip():
        raise InvalidJob(f"The {what} is {text!r}. It takes at least one character that is no space.")
    _check_utf8(what, text)


def _check_utf8(what: str, text: str) -> None:
    try:
        text.encode()
    except (UnicodeEncodeError, AttributeError) as error:
        raise InvalidJob(f"The {what} is {text!a}. It takes text that UTF-8 can carry.") from error


def _unsupported(what: str, instead: str) -> Unsupported:
    return Unsupported(f"{what} cannot be kept in asynq's format. {instead}; or use a postgres:// or sqlite:// URL.")
