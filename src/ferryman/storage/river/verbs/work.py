"""Taking jobs, and writing what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from ferryman.job import Job, JobRef, State
from ferryman.outcome import Cancelled, Completed, Discarded, Finished, Outcome, Released, Retry, Snoozed, Uncounted
from ferryman.storage.river.attempts import error_json
from ferryman.storage.river.rows import fetched_job, without_nul
from ferryman.storage.river.steps import NOW, Batch, Query, Verb

__all__ = ["SOON", "complete", "fetch", "finish", "snooze_count", "stand_alone", "wait_for"]

_PRIORITY_TIME_ID = itemgetter(8, 6, 0)

SOON = timedelta(seconds=5)
"""What is due within River's scheduler interval becomes available at once (spec/river.md 5.2)."""

_LARGEST_COUNT = 2**63 - 1

_States = dict[tuple[int, int], State]
"""What became of attempts, each the id of a job and a number."""


def fetch(
    wanted: Sequence[tuple[str, int]],
    *,
    limit: int,
    kinds: frozenset[str] | None,
    worker: str,
    now: datetime | None,
) -> Verb[list[Job]]:
    """Take jobs, queue by queue."""
    names = None if kinds is None else sorted(kinds)
    at = now or datetime.now(UTC)
    taken: list[Job] = []
    for queue, most in wanted:
        room = min(most, limit - len(taken))
        if room <= 0:
            continue
        rows = yield Query("fetch", {"queue": queue, "max": room, "now": now or NOW, "worker": worker, "kinds": names})
        rows.sort(key=_PRIORITY_TIME_ID)  # what a statement returns has no order
        taken += [fetched_job(row, at) for row in rows]
    return taken


def finish(finished: Sequence[Finished], *, now: datetime | None) -> Verb[list[State | None]]:
    """Write outcomes, each only if it is the same running attempt still.

    A job whose row somebody else holds is left as it is, and still running.
    """
    free = {row[0] for row in (yield Query("hold", {"ids": [int(each.job.id) for each in finished]}))}
    found = yield from _write([each for each in finished if int(each.job.id) in free], now or datetime.now(UTC))
    return (yield from _answers(finished, found))


def complete(finished: Sequence[Finished], *, now: datetime | None) -> Verb[list[State | None]]:
    """Write outcomes that `stand_alone` by one statement; answers as `finish`."""
    found = yield from _complete([each.job for each in finished], now or datetime.now(UTC))
    return (yield from _answers(finished, found))


def wait_for(ref: JobRef) -> Verb[None]:
    """Return when nobody else holds a job's row, be it there or not."""
    yield Query("wait_for", {"id": int(ref.id)})


def stand_alone(finished: Sequence[Finished]) -> bool:
    """Whether these can be written by one statement: all completed, in the same attempt, with nothing recorded."""
    attempt = finished[0].job.attempt if finished else 1
    for each in finished:  # a loop: every outcome comes here, and all() takes twice as long
        outcome = each.outcome
        if type(outcome) is not Completed or each.job.attempt != attempt:
            return False
        if outcome.result is not None or each.output is not None or each.metadata:
            return False
    return True


def _answers(finished: Sequence[Finished], found: _States) -> Verb[list[State | None]]:
    attempts = [_attempt(each.job) for each in finished]
    if missing := [attempt[0] for attempt in attempts if attempt not in found]:
        rows = yield Query("still_running", {"ids": missing})
        found |= dict.fromkeys(rows, State.RUNNING)
    return [found.get(attempt) for attempt in attempts]


def _write(finished: Sequence[Finished], at: datetime) -> Verb[_States]:
    # First, while the attempt still has its number: a snooze gives it back.
    if notes := [{**_guard(each.job), "recorded": recorded} for each in finished if (recorded := _recorded(each))]:
        yield Batch("record", notes)
    done = yield from _complete([each.job for each in finished if type(each.outcome) is Completed], at)
    if others := [each for each in finished if type(each.outcome) is not Completed]:
        rows = yield Batch("settle", [_settled(each, at) for each in others])
        done |= {_attempt(each.job): State(row[0]) for each, row in zip(others, rows, strict=True) if row}
    return done


def _complete(jobs: Sequence[Job], now: datetime) -> Verb[_States]:
    """Mark jobs completed, all of one attempt number in one statement."""
    by_attempt: dict[int, list[int]] = {}
    for job in jobs:
        by_attempt.setdefault(job.attempt, []).append(int(job.id))
    done: _States = {}
    for attempt, ids in by_attempt.items():
        rows = yield Query("complete", {"ids": sorted(ids), "attempt": attempt, "now": now})
        done |= {(row[0], attempt): State.COMPLETED for row in rows}
    return done


def _attempt(job: Job) -> tuple[int, int]:
    return int(job.id), job.attempt


def _guard(job: Job) -> dict[str, Any]:
    return {"id": int(job.id), "attempt": job.attempt}


def _recorded(finished: Finished) -> list[tuple[str, str]]:
    """What goes into the metadata: names, and values as they are encoded."""
    result = finished.outcome.result if isinstance(finished.outcome, Completed) else None
    output = finished.output if result is None else result
    found = finished.metadata if output is None else {**finished.metadata, "output": output}
    return [(name.replace("\0", "\ufffd"), without_nul(value)) for name, value in found.items()]


def _settled(finished: Finished, now: datetime) -> Mapping[str, Any]:
    job, outcome = finished.job, finished.outcome
    error = getattr(outcome, "error", None)
    when = _when(outcome, now)
    gives_back = isinstance(outcome, Snoozed | Released | Uncounted)
    return {
        **_guard(job),
        "state": _state(outcome, now).value,
        "attempt_after": max(job.attempt - 1, 0) if gives_back else job.attempt,
        "finalized_at": now if when is None else None,
        "scheduled_at": when,
        "error": None if error is None else error_json(error),
        "snoozes": _snoozes(job) + 1 if isinstance(outcome, Snoozed) else None,
        "now": now,
    }


def _when(outcome: Outcome, now: datetime) -> datetime | None:
    match outcome:
        case Retry(at=at) | Snoozed(until=at):
            return at
        case Released():
            return now
    return None


def _state(outcome: Outcome, now: datetime) -> State:
    match outcome:
        case Retry(at=at):
            return State.AVAILABLE if at - now <= SOON else State.RETRYABLE
        case Snoozed(until=until):
            return State.AVAILABLE if until - now <= SOON else State.SCHEDULED
        case Cancelled():
            return State.CANCELLED
        case Discarded():
            return State.DISCARDED
        case Completed():
            return State.COMPLETED
        case Released():
            return State.AVAILABLE


def _snoozes(job: Job) -> int:
    try:
        return snooze_count(job.metadata)
    except ValueError:  # Python reads no number of more than some 4,000 digits
        return 0


def snooze_count(metadata: Any) -> int:
    """Read the counter as River's ports agree to: fractions are cut, numbers in text count, true is 1, all else 0."""
    value = metadata.get("snoozes", 0) if isinstance(metadata, Mapping) else 0
    if isinstance(value, str) and not value.lstrip("-").isdecimal():
        return 0
    try:
        count = int(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    # The next one has to fit a database's integer: a counter that does not must not stop a whole batch.
    return count if abs(count) < _LARGEST_COUNT else 0
