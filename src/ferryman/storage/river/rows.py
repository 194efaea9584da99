"""River's rows ⇄ our values.

Times are text in UTC with three fraction digits on SQLite; what Go and other tools have
written there in other shapes is read as well (spec/river.md 9).  JSON columns arrive as
text and stay text until somebody looks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ferryman.job import AttemptError, Job, JobRef, State
from ferryman.storage.river.steps import Row
from ferryman.storage.river.unique import states

__all__ = [
    "error_json",
    "fetched_job",
    "has_nul",
    "job_from",
    "json_time",
    "parse_time",
    "running_job",
    "text_time",
    "without_nul",
]

_CANONICAL = 23  # len("2026-11-21 20:59:11.827")
_SHORTEST, _LONGEST = 19, 26  # without any fraction, and with a whole one
_GO = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))? ?(Z|[+-]\d\d:?\d\d)?")
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")  # an escaped backslash may stand before u0000: that is no NUL
_HALF_MILLISECOND = timedelta(microseconds=500)


def text_time(at: datetime) -> str:
    """Write a time as SQLite columns hold it, rounded to milliseconds."""
    return (at.astimezone(UTC) + _HALF_MILLISECOND).isoformat(" ", "milliseconds")[:_CANONICAL]


def json_time(at: datetime) -> str:
    """Write a time as River's JSON holds it: RFC 3339, the shortest fraction, Z."""
    whole = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{at.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{whole}{fraction}Z"


def parse_time(text: str | float | None) -> datetime | None:
    """Read a time in any of the shapes that River's writers leave.  Raises ValueError for anything else."""
    if text is None:
        return None
    if isinstance(text, int | float):
        return datetime.fromtimestamp(text, UTC)
    if _SHORTEST <= len(text) <= _LONGEST:  # as both databases give nearly all; with a zone or a T it is read below
        try:
            return datetime.fromisoformat(f"{text}+00:00")
        except ValueError:
            pass
    match = _GO.match(text)
    if match is None:
        raise ValueError(f'"{text}" is not a time in any form that River writes')
    day, clock, fraction, zone = match.groups()
    fraction = (fraction or "0")[:6].ljust(6, "0")
    return datetime.fromisoformat(f"{day}T{clock}.{fraction}{zone or 'Z'}").astimezone(UTC)


def has_nul(json: bytes) -> bool:
    """Whether JSON holds a NUL, which Postgres' jsonb refuses."""
    return b"\\u0000" in json and _NUL.search(json) is not None


def without_nul(json: bytes) -> str:
    """Return JSON as text, with U+FFFD for NUL."""
    return (_NUL.sub(rb"\1\\ufffd", json) if b"\\u0000" in json else json).decode()


def error_json(error: AttemptError) -> str:
    """Write one element of `errors` (spec/river.md 2.4); what jsonb or JSON refuses becomes U+FFFD or ?."""
    fields = {
        "at": json_time(error.at),
        "attempt": error.attempt,
        "error": _storable(error.error),
        "trace": _storable(error.trace),
    }
    return _text(msgspec.json.encode(fields))


def _storable(text: str) -> str:
    # Half a surrogate pair comes with the name of a file that is not UTF-8.
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


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
    scheduled = _lenient_time(scheduled_at) or _EPOCH
    return Job(
        ref=JobRef(str(id)),
        kind=kind,
        args=args if isinstance(args, bytes) else (args or "{}").encode(),
        state=State.RUNNING,
        attempt=attempt,
        max_attempts=max_attempts,
        queue=queue,
        scheduled_at=scheduled,
        created_at=scheduled if created_at == scheduled_at else _lenient_time(created_at),
        attempted_at=attempted_at,
        priority=priority,
        raw_metadata=metadata.encode(),
        errors=_errors(errors) if errors else (),
        tags=_texts(tags),
        **({} if plain else _carried(metadata)),
    )


def job_from(row: Row) -> Job:
    """Make the job that a full row holds."""
    state, attempted_at, finalized_at, attempted_by, unique_key, unique_states = row[12:]
    return msgspec.structs.replace(
        running_job(row[:12]),
        state=State(state),
        attempted_at=_lenient_time(attempted_at),
        finalized_at=_lenient_time(finalized_at),
        attempted_by=_texts(attempted_by),
        unique_key=unique_key,
        unique_states=None if unique_states is None else tuple(states(unique_states)),
    )


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


class _Carried(msgspec.Struct):
    timeout: float | None = msgspec.field(name="ferryman:timeout", default=None)
    deadline: datetime | None = msgspec.field(name="ferryman:deadline", default=None)
    retention: float | None = msgspec.field(name="ferryman:retention", default=None)
    headers: dict[str, str] = msgspec.field(name="ferryman:headers", default_factory=dict)
    # Anything but a time is no request: one bad value must not stop a rescue (spec/river.md 14.2).
    cancel_requested_at: Any = msgspec.field(name="cancel_attempted_at", default=None)


class _Error(msgspec.Struct):
    """One element of `errors`, each part as it was written: a client that writes it badly must not stop a queue."""

    at: msgspec.Raw = msgspec.Raw(b'""')
    attempt: msgspec.Raw = msgspec.Raw(b"0")
    error: msgspec.Raw = msgspec.Raw(b'""')
    trace: msgspec.Raw = msgspec.Raw(b'""')


_decode_carried = msgspec.json.Decoder(_Carried).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_error = msgspec.json.Decoder(_Error).decode
_decode_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_decode_text = msgspec.json.Decoder(str).decode
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TIME = datetime.min.replace(tzinfo=UTC)


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


def _errors(text: str | bytes) -> tuple[AttemptError, ...]:
    # How many there are decides the next delay, so each counts even if nobody can read it.
    return tuple(map(_error, _list(text)))


def _error(raw: msgspec.Raw) -> AttemptError:
    """Read one failed attempt as River does since 0.48: what is not of its type is told as it stands."""
    try:
        entry = _decode_error(raw)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return AttemptError(_NO_TIME, 0, _said(raw))
    return AttemptError(_said_time(entry.at), _said_number(entry.attempt), _said(entry.error), _said(entry.trace))


def _said(raw: msgspec.Raw) -> str:
    try:
        return _decode_text(raw)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return bytes(raw).decode(errors="replace")


def _said_number(raw: msgspec.Raw) -> int:
    try:
        return int(_said(raw))
    except ValueError:
        return 0


def _said_time(raw: msgspec.Raw) -> datetime:
    text = _said(raw)
    try:
        at = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return _NO_TIME
    if text[10] != "T":  # Go is stricter than RFC 3339
        return _NO_TIME
    return at.astimezone(UTC) if at.tzinfo is not None and at.year > 1 else _NO_TIME


def _list(text: str | bytes) -> Sequence[msgspec.Raw]:
    try:
        return _decode_list(text)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return (msgspec.Raw(text),)


def _texts(text: str | None) -> tuple[str, ...]:
    if not text or text == "[]":
        return ()
    try:
        return _decode_texts(text)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return ()


def _lenient_time(text: str | float | None) -> datetime | None:
    """Read a time, or nothing where nobody can: one bad row must not stop a queue."""
    try:
        return parse_time(text)
    except (ValueError, OverflowError, OSError):
        return None


def _text(raw: bytes) -> str:
    return raw.decode()
