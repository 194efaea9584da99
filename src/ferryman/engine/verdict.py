"""What an attempt's end means: an exception becomes an outcome, and nothing else decides that."""

from __future__ import annotations

import asyncio
import traceback
from datetime import datetime

from ferryman.engine.attempt import Attempt, Stopped
from ferryman.errors import InvalidArguments
from ferryman.job import AttemptError, Job
from ferryman.outcome import Cancel, Cancelled, Discard, Discarded, Outcome, Released, Retry, Snooze, Snoozed
from ferryman.retry import RetryCurve, next_attempt, river

__all__ = ["cut_short", "judge", "retry_or_discard"]

_REMOTELY = "JobCancelError: job cancelled remotely"


def judge(
    error: BaseException,
    attempt: Attempt,
    *,
    started_at: datetime,
    now: datetime,
    curve: RetryCurve = river,
    bare: bool = False,
) -> Outcome:
    """Say what an exception that left the task's function means for the job."""
    job = attempt.job
    if attempt.stopped is Stopped.CANCELLED:
        return Cancelled(AttemptError(started_at, job.attempt, _REMOTELY))
    match error:
        case Snooze(delay=delay):
            return Snoozed(now + delay)
        case Cancel():
            return Cancelled(AttemptError(started_at, job.attempt, f"JobCancelError: {error}"))
        case Discard() | InvalidArguments():
            return Discarded(AttemptError(started_at, job.attempt, f"{type(error).__qualname__}: {error}"))
        case asyncio.CancelledError() if attempt.stopped is not None:
            return cut_short(attempt, started_at=started_at, now=now, curve=curve)
    return retry_or_discard(job, _described(error, job, started_at, bare), now=now, curve=curve)


def cut_short(attempt: Attempt, *, started_at: datetime, now: datetime, curve: RetryCurve = river) -> Outcome:
    """Say what becomes of a job whose attempt we stopped."""
    job = attempt.job
    if attempt.stopped is Stopped.SHUTDOWN:
        return Released()
    if attempt.stopped is Stopped.CANCELLED:
        return Cancelled(AttemptError(started_at, job.attempt, _REMOTELY))
    text = f"TimeoutError: the attempt took longer than its {attempt.timeout:g} s"
    return retry_or_discard(job, AttemptError(started_at, job.attempt, text), now=now, curve=curve)


def retry_or_discard(job: Job, error: AttemptError, *, now: datetime, curve: RetryCurve = river) -> Outcome:
    """Try again while attempts are left."""
    return Discarded(error) if job.last else Retry(next_attempt(job, curve, now), error)


def _described(error: BaseException, job: Job, at: datetime, bare: bool) -> AttemptError:
    """Describe a failure.  Bare is as Go does: the message alone, a trace only for what is no ordinary Exception."""
    if bare and isinstance(error, Exception):
        return AttemptError(at, job.attempt, str(error))
    trace = "".join(traceback.format_exception(_without_our_frames(error)))
    name = "" if bare else f"{type(error).__qualname__}: "
    return AttemptError(at, job.attempt, f"{name}{error}" if str(error) else type(error).__qualname__, trace)


def _without_our_frames(error: BaseException) -> BaseException:
    """Cut the engine's own frames off the top: the reader looks for the task's."""
    frame = error.__traceback__
    while frame is not None and _ours(frame.tb_frame.f_code.co_filename) and frame.tb_next is not None:
        frame = frame.tb_next
    return error.with_traceback(frame)


def _ours(filename: str) -> bool:
    return "/ferryman/engine/" in filename.replace("\\", "/")
