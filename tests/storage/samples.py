"""Jobs, times and failures that the tests of storages speak of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ferryman.job import AttemptError, Job, NewJob, State
from ferryman.outcome import Cancelled, Completed, Discarded, Finished, Released, Retry, Snoozed
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Feature

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
"""When everything happens unless a test says otherwise.  In whole seconds, which is all that some formats keep."""

EVERYTHING = JobFilter()


def needs(feature: Feature) -> pytest.MarkDecorator:
    """Skip a test where the storage has not this feature."""
    return pytest.mark.needs(feature)


def later(**passed: float) -> datetime:
    """Return the time when this much has passed since `NOW`: later(hours=1)."""
    return NOW + timedelta(**passed)


def mail(**said: Any) -> NewJob:
    """Return a job to store."""
    return NewJob(**{"kind": "mail", "args": b'{"to":"ada@example.com"}', **said})


def kept_mail(**said: Any) -> NewJob:
    """Return a job that stays for a day after it completed, in every format."""
    return mail(retention=86_400.0, given=frozenset({"retention"}), **said)


def mail_at(when: datetime, **said: Any) -> NewJob:
    """Return a job for later."""
    return mail(state=State.SCHEDULED, scheduled_at=when, **said)


def failure(text: str = "no route to host", *, attempt: int = 1) -> AttemptError:
    """Return why an attempt did not work."""
    return AttemptError(NOW, attempt, text)


def completed(job: Job, result: bytes | None = None) -> Finished:
    return Finished(job, Completed(result))


def failed(job: Job, *, again: datetime, text: str = "no route to host") -> Finished:
    return Finished(job, Retry(again, failure(text, attempt=job.attempt)))


def snoozed(job: Job, *, until: datetime) -> Finished:
    return Finished(job, Snoozed(until))


def released(job: Job) -> Finished:
    return Finished(job, Released())


def discarded(job: Job, text: str = "no route to host") -> Finished:
    return Finished(job, Discarded(failure(text, attempt=job.attempt)))


def cancelled(job: Job) -> Finished:
    return Finished(job, Cancelled(failure("not wanted any more", attempt=job.attempt)))
