"""A job as the harness compares it: eighteen fields, times that end in Z, numbers as they are stored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from ferryman.job import Job

__all__ = ["report"]

_NONCE = "river:unique_nonce"
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def report(job: Job) -> dict[str, Any]:
    """Return a job in the harness's form (spec/river-conformance.md 1.8)."""
    return {
        "args": _json(job.args),
        "attempt": job.attempt,
        "attempted_at": _time(job.attempted_at),
        "attempted_by": job.attempted_by,
        "created_at": _time(job.created_at),
        "errors": [
            {"at": _time(error.at), "attempt": error.attempt, "error": error.error, "trace": error.trace}
            for error in job.errors
        ],
        "finalized_at": _time(job.finalized_at),
        "id": int(job.id),
        "kind": job.kind,
        "max_attempts": job.max_attempts,
        "metadata": _metadata(job.raw_metadata),
        "priority": job.priority,
        "queue": job.queue,
        "scheduled_at": _time(job.scheduled_at),
        "state": job.state.value,
        "tags": job.tags,
        "unique_key": None if job.unique_key is None else job.unique_key.hex(),
        "unique_states": None if job.unique_states is None else sorted(state.value for state in job.unique_states),
    }


def _time(at: datetime | None) -> str | None:
    # The harness takes "+00:00" for another place than Z, and compares places too.
    return None if at is None else f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def _metadata(text: bytes) -> Any:
    try:
        members = _decode_object(text)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return _json(text)
    members.pop(_NONCE, None)
    return members


def _json(text: bytes) -> Any:
    """Return text as it is, so that no number is rounded; what is no JSON would break the line."""
    try:
        return msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError:
        return {}
