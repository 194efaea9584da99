"""A task that is found in Redis becomes our job, wherever in its life it is (spec/asynq.md 1.4, 2.1 and 4.2)."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from recorded_asynq import SCENARIOS, dumps, recording

from ferryman.errors import StorageError
from ferryman.job import AttemptError, JobRef, State
from ferryman.state_words import read_states
from ferryman.storage.asynq.messages import TASK, TaskMessage
from ferryman.storage.asynq.tasks import NO_LIMIT, STATES, WORDS, StoredJob, job_from, running_job
from ferryman.storage.asynq.times import EPOCH, moment, moment_ns, nanoseconds, seconds

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = seconds(NOW)


def task(**said: Any) -> TaskMessage:
    return TaskMessage(
        **{"type": "mail", "payload": b"{}", "id": "7", "queue": "bulk", "retry": 3, "timeout": 90, **said}
    )


def running(message: TaskMessage) -> StoredJob:
    return running_job(message, b"", worker="ada", now=NOW)


# What Go left


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_recorded_task_becomes_a_job(scenario: str) -> None:
    for dump in dumps(recording(scenario)):
        for key, stored in dump.items():
            if "}:t:" in key:
                queue, id = key.removeprefix("asynq:{").split("}:t:")
                job = found(stored["value"])

                assert job.ref == JobRef(id, queue)
                assert job.state is STATES[stored["value"]["state"]["text"]]
                assert 0 <= job.attempt <= job.max_attempts
                assert (job.error is not None) == ("error_msg" in stored["value"]["msg"]["decoded"])


def found(fields: dict[str, Any]) -> StoredJob:
    pending_since, result = fields.get("pending_since"), fields.get("result")
    return job_from(
        TASK.decode(b64decode(fields["msg"]["b64"])),
        fields["state"]["text"],
        pending_since=int(pending_since["text"]) if pending_since else None,
        result=b64decode(result["b64"]) if result else None,
    )


# States


def test_a_state_has_one_word_there_and_one_here() -> None:
    assert {WORDS[state]: state for state in WORDS} == STATES
    assert set(State) - set(WORDS) == {State.CANCELLED}


def test_filters_understand_the_words_as_the_storage_does() -> None:
    assert {word: read_states([f"asynq:{word}"])[0] for word in STATES} == STATES


def test_a_state_that_asynq_has_not_is_named() -> None:
    with pytest.raises(StorageError, match='The task bulk/7 is in the state "lost"'):
        job_from(task(), "lost")


# Attempts


def test_a_running_job_counts_the_attempt_that_runs() -> None:
    first, last = running(task()), running(task(retried=3))

    assert (first.attempt, first.max_attempts, first.last) == (1, 4, False)
    assert (last.attempt, last.last) == (4, True)


@pytest.mark.parametrize(
    ("word", "message", "score", "attempt"),
    [
        ("pending", task(), None, 0),
        ("scheduled", task(), SECOND, 0),
        ("aggregating", task(), SECOND, 0),
        ("retry", task(retried=2, error_msg="boom", last_failed_at=SECOND - 9), SECOND, 2),
        ("pending", task(retried=2, error_msg="boom", last_failed_at=SECOND - 9), None, 2),
        ("active", task(retried=2), None, 3),
        ("completed", task(retried=2, completed_at=SECOND), SECOND, 3),
        ("archived", task(retried=3, error_msg="boom", last_failed_at=SECOND), SECOND, 4),
        ("archived", task(retried=3, error_msg="boom", last_failed_at=SECOND), None, 4),
        ("archived", task(retried=2, error_msg="boom", last_failed_at=SECOND - 9), SECOND, 2),
        ("archived", task(), SECOND, 0),
        ("archived", task(), None, 0),
    ],
    ids=[
        "new",
        "for later",
        "in its group",
        "waits for its retry",
        "is due again",
        "runs",
        "worked",
        "failed for the last time",
        "failed for the last time, score unknown",
        "archived by a person before its retry",
        "archived by a person before it ever ran",
        "archived by a person before it ever ran, score unknown",
    ],
)
def test_attempts_are_those_that_began(word: str, message: TaskMessage, score: int | None, attempt: int) -> None:
    assert job_from(message, word, score=score).attempt == attempt


@pytest.mark.parametrize(("retry", "attempts"), [(0, 1), (-1, 1), (25, 26)])
def test_every_job_has_one_attempt_more_than_it_has_retries(retry: int, attempts: int) -> None:
    assert running(task(retry=retry)).max_attempts == attempts


# Errors


def test_the_latest_failure_is_the_one_that_is_remembered() -> None:
    message = task(retried=2, error_msg="mailbox full", last_failed_at=SECOND)
    failure = AttemptError(NOW, 2, "mailbox full")

    assert running(message).errors == (failure,)
    assert job_from(message, "retry", score=SECOND + 60).errors == (failure,)


def test_the_failure_of_the_last_attempt_has_its_number() -> None:
    given_up = job_from(task(retried=3, error_msg="mailbox full", last_failed_at=SECOND), "archived", score=SECOND)

    assert given_up.errors == (AttemptError(NOW, 4, "mailbox full"),)


def test_a_failure_that_did_not_count_belongs_to_the_first_attempt() -> None:
    job = job_from(task(error_msg="not yet", last_failed_at=SECOND), "retry", score=SECOND + 60)

    assert (job.attempt, job.error) == (0, AttemptError(NOW, 1, "not yet"))


# Times


def test_a_job_that_runs_says_how_long_it_waited() -> None:
    since = b"%d" % nanoseconds(NOW - timedelta(milliseconds=3))
    job = running_job(task(), b"", worker="ada", now=NOW, since=since)

    assert job.waited == pytest.approx(0.003, abs=1e-6)
    assert (job.attempted_at, job.attempted_by) == (NOW, ("ada",))
    assert running(task()).waited is None


@pytest.mark.parametrize("word", ["scheduled", "retry", "aggregating"])
def test_the_score_is_the_time_that_a_job_waits_for(word: str) -> None:
    assert job_from(task(), word, score=float(SECOND)).scheduled_at == NOW


def test_a_job_that_waits_says_since_when() -> None:
    assert job_from(task(), "pending", pending_since=nanoseconds(NOW)).scheduled_at == NOW


def test_where_no_time_is_known_the_latest_event_stands_for_it() -> None:
    assert job_from(task(last_failed_at=SECOND), "pending").scheduled_at == NOW
    assert job_from(task(completed_at=SECOND), "completed", score=SECOND + 60).scheduled_at == NOW
    assert job_from(task(), "pending").scheduled_at == EPOCH


def test_a_finished_job_says_when_it_was_finished() -> None:
    assert job_from(task(completed_at=SECOND), "completed", score=SECOND + 3600).finalized_at == NOW
    assert job_from(task(), "archived", score=SECOND).finalized_at == NOW
    assert job_from(task(last_failed_at=SECOND), "archived").finalized_at == NOW
    assert job_from(task(last_failed_at=SECOND), "retry", score=SECOND).finalized_at is None


def test_who_runs_a_job_is_known_only_from_outside() -> None:
    job = job_from(task(), "active", attempted_at=NOW, attempted_by=("ada",))

    assert (job.attempted_at, job.attempted_by) == (NOW, ("ada",))
    assert job_from(task(), "pending").attempted_by == ()


@pytest.mark.parametrize("score", [float("inf"), float("-inf"), 2.0**63, -(2.0**63)])
def test_a_score_beyond_all_calendars_breaks_nothing(score: float) -> None:
    assert job_from(task(deadline=2**62), "scheduled", score=score).scheduled_at.year in (1, 9999)


def test_seconds_and_nanoseconds_are_cut_and_never_rounded() -> None:
    at = datetime(2026, 11, 21, 12, 0, 0, 999_999, UTC)

    assert (seconds(at), nanoseconds(at)) == (SECOND, SECOND * 10**9 + 999_999_000)
    assert seconds(datetime(1969, 12, 31, 23, 59, 59, 500_000, UTC)) == -1
    assert seconds(datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)) == 253402300799
    assert moment_ns(nanoseconds(at) + 999) == at
    assert moment(SECOND + 0.5) == NOW + timedelta(seconds=0.5)


# What the message carries


@pytest.mark.parametrize(
    ("message", "timeout", "deadline"),
    [
        (task(timeout=90), 90.0, None),
        (task(timeout=90, deadline=SECOND), 90.0, NOW),
        (task(timeout=0, deadline=SECOND), 0.0, NOW),
        (task(timeout=0), 1800.0, None),
        (task(timeout=NO_LIMIT), 0.0, None),
    ],
    ids=["timeout", "both", "deadline", "neither, which is half an hour", "a hundred years, which is no limit"],
)
def test_a_job_has_the_timeout_that_go_would_give_it(
    message: TaskMessage, timeout: float, deadline: datetime | None
) -> None:
    job = running(message)

    assert (job.timeout, job.deadline) == (timeout, deadline)


def test_a_job_keeps_what_came_with_it() -> None:
    job = running(task(payload=b"\x00\xff", retention=60, headers={"trace": "abc"}))

    assert (job.kind, job.args, job.queue, job.ref) == ("mail", b"\x00\xff", "bulk", JobRef("7", "bulk"))
    assert (job.retention, job.headers, job.tags) == (60.0, {"trace": "abc"}, ())
    assert running(task()).retention == 0.0


def test_tags_are_taken_out_of_the_headers() -> None:
    job = running(task(headers={"trace": "abc", "ferryman:tags": '["monthly","eu"]'}))

    assert (job.tags, job.headers) == (("monthly", "eu"), {"trace": "abc"})


@pytest.mark.parametrize("text", ["", "monthly", '{"a":1}', "[1]", "null"])
def test_a_tags_header_that_is_no_list_of_texts_stays_a_header(text: str) -> None:
    job = running(task(headers={"ferryman:tags": text}))

    assert (job.tags, job.headers) == ((), {"ferryman:tags": text})


def test_a_jobs_headers_are_its_own() -> None:
    message = task(headers={"trace": "abc"})
    running(message).headers["trace"] = "changed"  # type: ignore[index]
    running(task()).headers["trace"] = "changed"  # type: ignore[index]

    assert message.headers == {"trace": "abc"}
    assert running(task()).headers == {}


@pytest.mark.parametrize(
    ("result", "metadata"),
    [
        (b'{"n":[1,2]}', {"output": {"n": [1, 2]}}),
        (b'"text"', {"output": "text"}),
        (b"plain text", {}),
        (b"\xff", {}),
        (b"", {}),
        (None, {}),
    ],
)
def test_a_result_is_where_river_has_its_output_if_it_is_json(result: bytes | None, metadata: Any) -> None:
    job = job_from(task(), "completed", result=result)

    assert job.result == result
    assert json.loads(job.raw_metadata) == job.metadata == metadata


def test_a_job_carries_the_message_from_which_the_next_one_is_written() -> None:
    message = task(unique_key="asynq:{bulk}:unique:mail:x", group_key="g1")
    data = TASK.encode(message)

    assert running_job(message, data, worker="ada", now=NOW).data == data
    assert job_from(message, "retry", data=data).message is message
