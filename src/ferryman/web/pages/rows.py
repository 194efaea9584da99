"""Jobs in a list: one row for each, and what can be done with those that are selected."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from ferryman.job import FINAL, Job, JobRef, State
from ferryman.storage.values import Action
from ferryman.web.pages.parts import Act, Empty, Pager
from ferryman.web.places import Place

__all__ = ["JobList", "JobRow", "acts_for", "one_line", "row", "time_that_matters"]

_PREVIEW = 200
_ERROR = 300

_NATIVE = {
    State.AVAILABLE: "pending",
    State.RUNNING: "active",
    State.RETRYABLE: "retry",
    State.DISCARDED: "archived",
    State.PENDING: "aggregating",
}
_WAITING = frozenset({State.PENDING, State.SCHEDULED, State.AVAILABLE, State.RETRYABLE})
_CAN: dict[Action, frozenset[State]] = {
    Action.RETRY: frozenset({State.SCHEDULED, State.RETRYABLE, State.DISCARDED, State.CANCELLED, State.COMPLETED}),
    Action.CANCEL: _WAITING | {State.RUNNING},
    Action.DISCARD: _WAITING,
    Action.DELETE: frozenset(State) - {State.RUNNING},
}
_LABELS = {Action.RETRY: "Retry", Action.CANCEL: "Cancel", Action.DISCARD: "Discard", Action.DELETE: "Delete"}
_TEXTS = {
    Action.CANCEL: "What waits will never run. What runs is asked to stop, and may take a while.",
    Action.DISCARD: "No further attempt is made; it stays to be seen among what failed.",
    Action.DELETE: "Nothing of it stays: no arguments, no errors.",
}


@dataclass(frozen=True)
class JobRow:
    """A job in a list."""

    ref: JobRef
    kind: str
    queue: str
    state: str
    native: str
    at: datetime | None
    attempt: int
    max_attempts: int
    args: str | None = None
    error: str = ""
    at_reason: str = "not recorded"
    missing: bool = False


@dataclass(frozen=True)
class JobList:
    """A page of a list of jobs."""

    jobs: Sequence[JobRow]
    text: str
    pager: Pager
    actions: Sequence[Act]
    empty: Empty
    all_url: str = ""
    all_label: str = ""
    further: str = ""


def row(job: Job, place: Place, *, args: bool = True) -> JobRow:
    """Return a job as a list shows it; it must have no secrets any more."""
    return JobRow(
        ref=job.ref,
        kind=job.kind,
        queue=job.queue,
        state=job.state.value,
        native=native(job.state, place),
        at=time_that_matters(job),
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        args=one_line(job.args.decode("utf-8", "backslashreplace"), _PREVIEW) if args else None,
        error=one_line(job.error.error, _ERROR) if job.error else "",
    )


def native(state: State, place: Place) -> str:
    """Return the format's own word for a state."""
    return _NATIVE.get(state, state.value) if place.asynq else state.value


def time_that_matters(job: Job) -> datetime | None:
    """Return when a job ended, began, or will begin."""
    if job.state in FINAL:
        return job.finalized_at
    return job.attempted_at if job.state is State.RUNNING else job.scheduled_at


def one_line(text: str, most: int) -> str:
    """Return text as one line that is not too long."""
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def acts_for(states: Collection[State], place: Place, number: int = 2) -> list[Act]:
    """Return what can be done with jobs in these states; with none given, with any."""
    return [
        _act(action, number)
        for action in (Action.RETRY, Action.CANCEL, Action.DISCARD, Action.DELETE)
        if (not states or _CAN[action] & set(states)) and _offered(action, place)
    ]


def _offered(action: Action, place: Place) -> bool:
    # River has one word for giving up on a job that waits, which is cancel.
    return place.asynq or action is not Action.DISCARD


def _act(action: Action, number: int) -> Act:
    label = _LABELS[action]
    if action is Action.RETRY:
        return Act(action.value, label)
    whom, it = ("this job", "it") if number == 1 else ("the selected jobs", "them")
    return Act(action.value, label, question=f"{label} {whom}?", text=_TEXTS[action], yes=f"{label} {it}")
