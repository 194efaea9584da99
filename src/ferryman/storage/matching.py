"""What of a filter can only be judged by looking at a job: its error, its arguments, its tags, its group, who ran it.

No format has an index for these, so a storage reads jobs and asks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec

from ferryman.fingerprint import fingerprint
from ferryman.job import AttemptError
from ferryman.storage.filters import JobFilter

__all__ = ["Seen", "looks_inside", "matches"]

_MISSING = object()


class Seen(Protocol):
    """What a filter looks at: a job, or one that is not made yet of what was read."""

    @property
    def kind(self) -> str: ...
    @property
    def args(self) -> bytes: ...
    @property
    def error(self) -> AttemptError | None: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def group(self) -> str: ...
    @property
    def attempted_by(self) -> tuple[str, ...]: ...
    @property
    def finalized_at(self) -> datetime | None: ...


def looks_inside(which: JobFilter) -> bool:
    """Whether jobs have to be read to be judged."""
    inside = (which.error, which.fingerprint, which.tags, which.args, which.worker, which.group)
    return any(inside) or which.ended_since is not None or which.ended_before is not None


def matches(which: JobFilter, job: Seen) -> bool:
    """Whether a job fits what can only be judged by looking at it.  Nothing is looked at that nobody asks for."""
    return (
        (not which.error or _text(job).find(which.error.lower()) >= 0)
        and (not which.fingerprint or _fingerprint(job) == which.fingerprint)
        and (not which.tags or set(which.tags) <= set(job.tags))
        and (not which.group or which.group == job.group)
        and (not which.worker or any(which.worker in name for name in job.attempted_by))
        and (not which.args or _fits(job.args, which.args))
        and _ended(which, job)
    )


def _ended(which: JobFilter, job: Seen) -> bool:
    if which.ended_since is None and which.ended_before is None:
        return True
    # A job that will be tried again has no end yet: its latest failure counts.
    at = job.finalized_at or (job.error.at if job.error else None)
    if which.ended_since is not None and (at is None or at < which.ended_since):
        return False
    return which.ended_before is None or (at is not None and at < which.ended_before)


def _text(job: Seen) -> str:
    return job.error.error.lower() if job.error else ""


def _fingerprint(job: Seen) -> str:
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
