"""Jobs as the harness wants them inserted, made into ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ferryman.errors import InvalidJob
from ferryman.job import NewJob, State, Unique
from ferryman.storage.river.times import parse_time
from ferryman.storage.river.unique import unique_key
from ferryman.testing.river_adapter.client import KIND, encoded_args
from ferryman.testing.river_adapter.requests import InsertJob, InsertOpts, InvalidParams, Rejected, UniqueOpts

__all__ = ["exact_object", "new_jobs", "refuse_repeated_keys"]


def new_jobs(jobs: Sequence[InsertJob]) -> list[NewJob]:
    """Return our jobs for theirs.  Raises InvalidParams for times that are none, Rejected for unknown states."""
    return [_new_job(job, job.opts or InsertOpts()) for job in jobs]


def refuse_repeated_keys(jobs: Sequence[NewJob]) -> None:
    """Refuse a batch with two jobs of one unique key, as River does since 0.48; ours would tell of a duplicate."""
    now = datetime.now(UTC)
    keys = [
        unique_key(job.unique, kind=job.kind, args=job.args, queue=job.queue, at=job.scheduled_at or now)
        for job in jobs
        if job.unique is not None
    ]
    if len(set(keys)) < len(keys):
        raise InvalidJob("Two jobs of this batch have the same unique key. Nothing was stored.")


def exact_object(raw: msgspec.Raw, name: str) -> dict[str, Any]:
    """Return the members of an object, each as it is written: no number is rounded.  Raises InvalidParams."""
    if bytes(raw) == b"null":
        return {}
    try:
        return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError as error:
        raise InvalidParams(f"{name} is no object: {error}.") from error


def _new_job(job: InsertJob, opts: InsertOpts) -> NewJob:
    scheduled_at = _time(opts.scheduled_at)
    return NewJob(
        kind=KIND,
        args=encoded_args(job.behavior or "", job.duration_ms or 0, job.message or ""),
        queue=opts.queue or "default",
        state=_state(opts, scheduled_at),
        scheduled_at=scheduled_at,
        max_attempts=opts.max_attempts or None,
        priority=opts.priority or None,
        tags=tuple(opts.tags or ()),
        metadata=exact_object(opts.metadata, "metadata") or None,
        unique=_unique(opts.unique),
    )


def _state(opts: InsertOpts, scheduled_at: datetime | None) -> State:
    if opts.pending:
        return State.PENDING
    return State.AVAILABLE if scheduled_at is None else State.SCHEDULED  # even when its time has passed


def _time(text: str | None) -> datetime | None:
    try:
        return parse_time(text)
    except ValueError as error:
        raise InvalidParams(f'scheduled_at is "{text}", which is no time.') from error


def _unique(opts: UniqueOpts | None) -> Unique | None:
    if opts is None:
        return None
    try:
        states = frozenset(map(State, opts.by_state)) if opts.by_state else None
    except ValueError as error:
        raise Rejected(str(error)) from error
    unique = Unique(
        by_args=bool(opts.by_args),
        by_period=timedelta(milliseconds=opts.by_period_ms) if opts.by_period_ms else None,
        by_queue=bool(opts.by_queue),
        by_states=states,
        exclude_kind=bool(opts.exclude_kind),
    )
    return None if unique == Unique() else unique
