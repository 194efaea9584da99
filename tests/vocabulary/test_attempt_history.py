"""What is known of the attempts of a job, in each format."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.attempts import attempts, ran_by
from ferryman.cli.attempts_shown import not_kept
from ferryman.job import AttemptError, Job, JobRef, State
from storage.samples import NOW


def job(**said: Any) -> Job:
    usual = {"ref": JobRef("42"), "kind": "mail", "args": b"{}", "queue": "default", "max_attempts": 4}
    return Job(**{**usual, "scheduled_at": NOW, **said})


def failure(attempt: int, worker: str = "") -> AttemptError:
    return AttemptError(NOW, attempt, "no route", worker=worker)


@pytest.mark.parametrize(
    ("state", "errors", "outcomes"),
    [
        (State.AVAILABLE, (), []),
        (State.RETRYABLE, (1, 2), ["failed", "failed"]),
        (State.RUNNING, (1,), ["failed", "running"]),
        (State.COMPLETED, (1,), ["failed", "completed"]),
        (State.CANCELLED, (1, 2), ["failed", "failed"]),
    ],
)
def test_an_attempt_failed_or_is_where_its_job_is(state: State, errors: tuple[int, ...], outcomes: list[str]) -> None:
    known = attempts(job(state=state, attempt=min(2, len(outcomes)), errors=tuple(map(failure, errors))))

    assert [each.outcome for each in known] == outcomes


def test_the_latest_worker_ran_the_latest_attempt() -> None:
    first_forgotten = job(state=State.RUNNING, attempt=3, attempted_by=("w2", "w3"))

    assert [ran_by(first_forgotten, attempt) for attempt in (1, 2, 3)] == ["", "w2", "w3"]


def test_who_ran_it_is_what_is_kept_with_the_failure() -> None:
    on_redis = job(state=State.RETRYABLE, attempt=1, errors=(failure(1, "w1"),))

    assert [each.worker for each in attempts(on_redis)] == ["w1"]


def test_attempts_of_which_nothing_is_kept_are_counted() -> None:
    gone = job(state=State.DISCARDED, attempt=3, errors=(failure(3),))

    assert not_kept([gone]) == ["Of 2 earlier attempts of job 42 nothing is kept."]
    assert not_kept([job(state=State.AVAILABLE, attempt=0)]) == []
