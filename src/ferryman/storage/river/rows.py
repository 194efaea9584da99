"""River's rows ⇄ our values.

JSON columns arrive as text and stay text until somebody looks.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from ferryman.job import AttemptError, Job, JobRef, State
from ferryman.storage.river.attempts import failures, latest_failure
from ferryman.storage.river.steps import Row
from ferryman.storage.river.times import json_time, lenient_time
from ferryman.storage.river.unique import states

__all__ = [
    "SeenRow",
    "fetched_job",
    "has_nul",
    "job_from",
    "running_job",
    "without_nul",
]

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")  # an escaped backslash may stand before u0000: that is no NUL


def has_nul(json: bytes) -> bool:
    """Whether JSON holds a NUL, which Postgres' jsonb refuses."""
    return b"\\u0000" in json and _NUL.search(json) is not None


def without_nul(json: bytes) -> str:
    """Return JSON as text, with U+FFFD for NUL."""
    return (_NUL.sub(rb"\1\\ufffd", json) if b"\\u0000" in json else json).decode()


def fetched_job(row: Row, at: datetime) -> Job:
    """Make the job that a fetch gave at this time; a damaged one says so, and fails its attempt (since River 0.48)."""
    job = running_job(row[:12], at)
    damage = _damage(row)
    return msgspec.structs.replace(job, unreadable=damage) if damage else job


def _damage(row: Row) -> str:
    """Say which columns hold no JSON.  Such are told from others by being bytes, or by being missing."""
    found = {
        "args": isinstance(row[2], bytes),
        "attempted_by": row[12] is None,
        "errors": isinstance(row[10], bytes),
        "metadata": row[9] is None,
        "tags": row[11] is None,
    }
    if True not in found.values():
        return ""
    return f"{', '.join(name for name, damaged in found.items() if damaged)} is not valid JSON"


def running_job(row: Row, attempted_at: datetime | None = None) -> Job:
    """Make a job of the columns that a worker needs; when it was taken is known without reading it."""
    (
        id,
        kind,
        args,
        attempt,
        max_attempts,
        queue,
        scheduled_at,
        created_at,
        priority,
        metadata,
        errors,
        tags,
    ) = row
    # Every job of every fetch passes here, and most have nothing to decode.
    metadata = metadata or "{}"
    plain = '"ferryman:' not in metadata and '"cancel_attempted_at"' not in metadata
    scheduled = lenient_time(scheduled_at) or _EPOCH
    return Job(
        ref=JobRef(str(id)),
        kind=kind,
        args=_args(args),
        state=State.RUNNING,
        attempt=attempt,
        max_attempts=max_attempts,
        queue=queue,
        scheduled_at=scheduled,
        created_at=scheduled if created_at == scheduled_at else lenient_time(created_at),
        attempted_at=attempted_at,
        priority=priority,
        raw_metadata=metadata.encode(),
        errors=failures(errors) if errors else (),
        tags=_texts(tags),
        **({} if plain else _carried(metadata)),
    )


def job_from(row: Row) -> Job:
    """Make the job that a full row holds."""
    state, attempted_at, finalized_at, attempted_by, unique_key, unique_states = row[12:]
    return msgspec.structs.replace(
        running_job(row[:12]),
        state=State(state),
        attempted_at=lenient_time(attempted_at),
        finalized_at=lenient_time(finalized_at),
        attempted_by=_texts(attempted_by),
        unique_key=unique_key,
        unique_states=None if unique_states is None else tuple(states(unique_states)),
    )


class SeenRow:
    """A full row as a filter looks at it: of thousands few are wanted, and to make a job of each would take longer."""

    __slots__ = ("row",)
    group = ""

    def __init__(self, row: Row) -> None:
        self.row = row

    @property
    def kind(self) -> str:
        return self.row[1]  # type: ignore[no-any-return]

    @property
    def args(self) -> bytes:
        return _args(self.row[2])

    @property
    def error(self) -> AttemptError | None:
        return latest_failure(self.row[10])

    @property
    def tags(self) -> tuple[str, ...]:
        return _texts(self.row[11])

    @property
    def finalized_at(self) -> datetime | None:
        return lenient_time(self.row[14])

    @property
    def attempted_by(self) -> tuple[str, ...]:
        return _texts(self.row[15])


def carried_metadata(
    timeout: float | None, deadline: datetime | None, retention: float | None, headers: Any
) -> dict[str, Any]:
    """Return what the columns have no place for, as it is kept in metadata (design.md 5.6)."""
    found = {
        "ferryman:timeout": timeout,
        "ferryman:deadline": json_time(deadline) if deadline else None,
        "ferryman:retention": retention,
        "ferryman:headers": dict(headers) if headers else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _args(column: str | bytes | None) -> bytes:
    return column if isinstance(column, bytes) else (column or "{}").encode()


class _Carried(msgspec.Struct):
    timeout: float | None = msgspec.field(name="ferryman:timeout", default=None)
    deadline: datetime | None = msgspec.field(name="ferryman:deadline", default=None)
    retention: float | None = msgspec.field(name="ferryman:retention", default=None)
    headers: dict[str, str] = msgspec.field(name="ferryman:headers", default_factory=dict)
    # Anything but a time is no request: one bad value must not stop a rescue (spec/river.md 14.2).
    cancel_requested_at: Any = msgspec.field(name="cancel_attempted_at", default=None)


_decode_carried = msgspec.json.Decoder(_Carried).decode
_decode_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _carried(metadata: str) -> dict[str, Any]:
    try:
        found = msgspec.structs.asdict(_decode_carried(metadata))
    except (msgspec.DecodeError, msgspec.ValidationError):
        return {}
    asked = found["cancel_requested_at"]
    found["cancel_requested_at"] = _json_moment(asked) if isinstance(asked, str) else None
    return found


def _json_moment(text: str) -> datetime | None:
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None


def _texts(text: str | None) -> tuple[str, ...]:
    if not text or text == "[]":
        return ()
    try:
        return _decode_texts(text)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return ()
