"""How jobs are shown: in a list, and one by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import click

from ferryman.attempts import attempts
from ferryman.cli.attempts_shown import lines_of
from ferryman.cli.output import Column, Listing, plain
from ferryman.cli.times import Times
from ferryman.job import FINAL, Job, State
from ferryman.redaction import Redaction
from ferryman.views import job_view

__all__ = ["CARD", "CHANGES", "FAILED", "JOBS", "RETRYING", "state_style"]

_STYLES = {
    State.AVAILABLE: "blue",
    State.RUNNING: "magenta",
    State.SCHEDULED: "cyan",
    State.RETRYABLE: "yellow",
    State.COMPLETED: "green",
    State.DISCARDED: "red",
}


def state_style(state: str) -> str:
    """Return the colour of a state."""
    return _STYLES.get(State(state), "")


def _when(job: Job, times: Times) -> str:
    return times.ago(_moment(job))


def _moment(job: Job) -> datetime | None:
    """Return the time that matters in the job's state: when it ended, began, or will begin."""
    if job.state in FINAL:
        return job.finalized_at
    return job.attempted_at if job.state is State.RUNNING else job.scheduled_at


def _attempt(job: Job, times: Times) -> str:
    return f"{job.attempt}/{job.max_attempts}"


def _error(job: Job, times: Times) -> str:
    return job.error.error if job.error else ""


_ID = Column[Job]("ID", lambda job, times: str(job.ref))
_STATE = Column[Job]("STATE", lambda job, times: job.state, style=state_style)
_KIND = Column[Job]("KIND", lambda job, times: job.kind)
_QUEUE = Column[Job]("QUEUE", lambda job, times: job.queue)
_ATTEMPT = Column[Job]("ATTEMPT", _attempt, right=True)
_WHEN = Column[Job]("WHEN", _when, right=True)
_ERROR = Column[Job]("ERROR", _error)
_WIDE = (
    Column[Job]("PRIORITY", lambda job, times: str(job.priority or ""), right=True, wide=True),
    Column[Job]("TAGS", lambda job, times: ",".join(job.tags), wide=True),
    Column[Job]("CREATED", lambda job, times: times.clock(job.created_at), wide=True),
    Column[Job]("SCHEDULED", lambda job, times: times.clock(job.scheduled_at), wide=True),
    Column[Job]("STARTED", lambda job, times: times.clock(job.attempted_at), wide=True),
    Column[Job]("ENDED", lambda job, times: times.clock(job.finalized_at), wide=True),
    Column[Job]("ARGS", lambda job, times: _text(job.args), wide=True),
)

_COLUMNS = (_ID, _STATE, _KIND, _QUEUE, _ATTEMPT, _WHEN, *_WIDE, _ERROR)
_WITHOUT_STATE = tuple(column for column in _COLUMNS if column is not _STATE)


def _address(job: Job) -> str:
    return str(job.ref)


JOBS = Listing(job_view, _address, _COLUMNS, none="No jobs.", safe=Redaction.job)
FAILED = Listing(job_view, _address, _WITHOUT_STATE, none="No job has given up.", safe=Redaction.job)
RETRYING = Listing(job_view, _address, _COLUMNS, none="No job has failed.", safe=Redaction.job)


def _card(job: Job, times: Times) -> Iterator[str]:
    """Show one job, line by line."""
    state = click.style(job.state, fg=_STYLES.get(job.state), bold=True)
    yield f"{click.style(plain(job.kind), bold=True)} {job.ref}  {state}"
    for name, value in _facts(job, times):
        if value:
            yield f"  {click.style(f'{name:<10}', dim=True)} {plain(value)}"
    for attempt in reversed(list(attempts(job))):
        if attempt.outcome == "failed":
            yield ""
            yield from lines_of(attempt, times)


def _facts(job: Job, times: Times) -> Iterator[tuple[str, str]]:
    yield "queue", job.queue
    yield "attempt", f"{job.attempt} of {job.max_attempts}"
    yield "priority", str(job.priority or "")
    yield "created", times.both(job.created_at)
    yield "scheduled", times.both(job.scheduled_at)
    yield "started", times.both(job.attempted_at)
    yield "ended", times.both(job.finalized_at)
    yield "stop asked", times.both(job.cancel_requested_at)
    yield "orphaned", "its lease ran out: no worker has said lately that it runs it" if job.orphaned else ""
    yield "timeout", f"{job.timeout:g} s" if job.timeout else ""
    yield "deadline", times.both(job.deadline)
    yield "worker", ", ".join(job.attempted_by[-1:])
    yield "tags", ", ".join(job.tags)
    yield "headers", ", ".join(f"{name}: {value}" for name, value in job.headers.items())
    yield "group", job.group
    yield "args", _text(job.args)
    yield "metadata", "" if job.raw_metadata == b"{}" else _text(job.raw_metadata)


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", "backslashreplace")


CARD = Listing(job_view, _address, lines=_card, safe=Redaction.job)


def _change(job: Job, times: Times) -> Iterator[str]:
    """Show in one line what a job is now."""
    state = click.style(f"{job.state:<9}", fg=_STYLES.get(job.state))
    due = "due " if job.state in (State.SCHEDULED, State.RETRYABLE) else ""
    attempt = f"attempt {job.attempt} of {job.max_attempts}" if job.attempt else ""
    error = "" if job.state in (State.RUNNING, State.COMPLETED) else plain(_error(job, times))
    at = times.clock(_moment(job))
    yield "  ".join(part for part in (str(job.ref), state, at and due + at, attempt, error) if part)


CHANGES = Listing(job_view, _address, lines=_change, safe=Redaction.job)
