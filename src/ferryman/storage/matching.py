"""What of a filter can only be judged by looking at a job: its error, its arguments, its tags, its group, who ran it.

No format has an index for these, so a storage reads jobs and asks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ferryman.fingerprint import fingerprint
from ferryman.job import Job
from ferryman.storage.values import JobFilter

__all__ = ["looks_inside", "matches"]

_MISSING = object()


def looks_inside(which: JobFilter) -> bool:
    """Whether jobs have to be read to be judged."""
    inside = (which.error, which.fingerprint, which.tags, which.args, which.worker, which.group)
    return any(inside) or which.ended_since is not None or which.ended_before is not None


def matches(which: JobFilter, job: Job) -> bool:
    """Whether a job fits what can only be judged by looking at it."""
    return (
        _ended(which, job)
        and (not which.error or _text(job).find(which.error.lower()) >= 0)
        and (not which.fingerprint or _fingerprint(job) == which.fingerprint)
        and set(which.tags) <= set(job.tags)
        and which.group in ("", job.group)
        and (not which.worker or any(which.worker in name for name in job.attempted_by))
        and (not which.args or _fits(job.args, which.args))
    )


def _ended(which: JobFilter, job: Job) -> bool:
    # A job that will be tried again has no end yet: its latest failure counts.
    at = job.finalized_at or (job.error.at if job.error else None)
    if which.ended_since is not None and (at is None or at < which.ended_since):
        return False
    return which.ended_before is None or (at is not None and at < which.ended_before)


def _text(job: Job) -> str:
    return job.error.error.lower() if job.error else ""


def _fingerprint(job: Job) -> str:
    return fingerprint(job.kind, job.error) if job.error else ""


def _fits(payload: bytes, wanted: Mapping[str, str]) -> bool:
    try:
        args = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return all(_said(_at(args, path.split("."))) == text for path, text in wanted.items())


def _at(value: Any, path: list[str]) -> Any:
    for name in path:
        if isinstance(value, dict):
            value = value.get(name, _MISSING)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return _MISSING
    return value


def _said(value: Any) -> str | None:
    """Return a value as people type it: text without quotation marks, anything else as JSON."""
    if value is _MISSING or isinstance(value, str):
        return value if isinstance(value, str) else None
    return msgspec.json.encode(value).decode()
