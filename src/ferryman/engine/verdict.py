"""What an attempt's end means: an exception becomes an outcome, and nothing else decides that."""

from __future__ import annotations

import asyncio
import traceback
from datetime import datetime, timedelta

from ferryman.engine.attempt import Attempt, Stopped
from ferryman.errors import InvalidArguments
from ferryman.job import AttemptError, Job
from ferryman.outcome import (
    Cancel,
    Cancelled,
    Discard,
    Discarded,
    Outcome,
    Released,
    Retry,
    RetryIn,
    Revoke,
    Revoked,
    Snooze,
    Snoozed,
    Uncounted,
)
from ferryman.retry import IsFailure, RetryCurve, always, next_attempt, river

__all__ = ["cut_short", "judge", "retry_or_discard"]

_REMOTELY = "JobCancelError: job cancelled remotely"


def judge(
    error: BaseException,
    attempt: Attempt,
    *,
    now: datetime,
    curve: RetryCurve = river,
    is_failure: IsFailure = always,
    bare: bool = False,
) -> Outcome:
    """Say what an exception that left the task's function means for the job."""
    job, started_at = attempt.job, attempt.started_at
    if attempt.stopped is Stopped.CANCELLED:
        return Cancelled(AttemptError(started_at, job.attempt, _REMOTELY))
    match error:
        case Snooze(delay=delay):
            return Snoozed(now + delay)
        case RetryIn(delay=delay):
            failure = _described(error.__cause__ or error, job, started_at, bare)
            return Discarded(failure) if job.last else Retry(now + delay, failure)
        case Revoke():
            return Revoked(AttemptError(started_at, job.attempt, f"JobCancelError: {error}"))
        case Cancel():
            return Cancelled(AttemptError(started_at, job.attempt, f"JobCancelError: {error}"))
        case Discard() | InvalidArguments():
            return Discarded(AttemptError(started_at, job.attempt, f"{type(error).__qualname__}: {error}"))
        case asyncio.CancelledError() if attempt.stopped is not None:
            return cut_short(attempt, now=now, curve=curve)
        case _ if attempt.stopped is Stopped.SHUTDOWN and _comes_of_cancelling(error):
            return cut_short(attempt, now=now, curve=curve)
    outcome = retry_or_discard(job, _described(error, job, started_at, bare), now=now, curve=curve)
    if isinstance(outcome, Retry) and not _counts(error, is_failure):
        return Uncounted(outcome.at, outcome.error)
    return outcome


def cut_short(attempt: Attempt, *, now: datetime, curve: RetryCurve = river) -> Outcome:
    """Say what becomes of a job whose attempt we stopped."""
    job, started_at = attempt.job, attempt.started_at
    if attempt.stopped is Stopped.SHUTDOWN:
        return Released()
    if attempt.stopped is Stopped.CANCELLED:
        return Cancelled(AttemptError(started_at, job.attempt, _REMOTELY))
    text = f"TimeoutError: the attempt took longer than its {attempt.timeout:g} s"
    return retry_or_discard(job, AttemptError(started_at, job.attempt, text), now=now, curve=curve)


def retry_or_discard(job: Job, error: AttemptError, *, now: datetime, curve: RetryCurve = river) -> Outcome:
    """Try again while attempts are left."""
    return Discarded(error) if job.last else Retry(_again(job, curve, now), error)


def _counts(error: BaseException, is_failure: IsFailure) -> bool:
    try:
        return is_failure(error)
    except Exception:
        return True  # whoever cannot tell has not said that it does not count


def _again(job: Job, curve: RetryCurve, now: datetime) -> datetime:
    """Ask the task's curve; where it fails, or names a time that has passed, River's takes its place."""
    try:
        at = next_attempt(job, curve, now)
    except Exception:
        at = now - timedelta(1)
    return at if at >= now else next_attempt(job, river, now)


def _comes_of_cancelling(error: BaseException | None) -> bool:
    """Whether an error is a cancellation in other words, as libraries like to put it (spec/river.md 5.2)."""
    while error is not None and not isinstance(error, asyncio.CancelledError):
        error = error.__cause__ or error.__context__
    return error is not None


def _described(error: BaseException, job: Job, at: datetime, bare: bool) -> AttemptError:
    """Describe a failure.  Bare is as Go does: the message alone, a trace only for what is no ordinary Exception."""
    said, name = _said(error), type(error).__qualname__
    if bare and isinstance(error, Exception):
        return AttemptError(at, job.attempt, _storable(said))
    trace = "".join(traceback.format_exception(_without_our_frames(error)))
    text = name if not said else said if bare else f"{name}: {said}"
    return AttemptError(at, job.attempt, _storable(text), _storable(trace))


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""  # an error's own code can fail like any other


def _storable(text: str) -> str:
    """Replace what is no character: Python reads file names that are not UTF-8 into halves of pairs."""
    return text.encode("utf-8", "replace").decode()


def _without_our_frames(error: BaseException) -> BaseException:
    """Cut the engine's own frames off the top: the reader looks for the task's."""
    frame = error.__traceback__
    while frame is not None and _ours(frame.tb_frame.f_code.co_filename) and frame.tb_next is not None:
        frame = frame.tb_next
    return error.with_traceback(frame)


def _ours(filename: str) -> bool:
    return "/ferryman/engine/" in filename.replace("\\", "/")
