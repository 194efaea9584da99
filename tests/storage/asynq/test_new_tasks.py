"""A new job becomes the message that Go's client would write (spec/asynq.md 5.1 and 5.2)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from recorded_asynq import SCENARIOS, calls, dumps, messages, recording, stamp

from ferryman.job import NewJob, State
from ferryman.options import unique_for
from ferryman.storage.asynq.messages import TASK, TaskMessage
from ferryman.storage.asynq.newtasks import NewTask, new_tasks
from ferryman.storage.asynq.rules import check
from ferryman.storage.asynq.tasks import NO_LIMIT, running_job
from ferryman.storage.asynq.times import moment_ns, seconds

NOW = datetime(2026, 11, 21, 12, 0, 0, 250_000, UTC)


def made(job: NewJob, *, now: datetime = NOW) -> NewTask:
    check([job])
    return new_tasks([job], now=now)[0]


def mail(**said: Any) -> NewJob:
    return NewJob(**{"kind": "mail", "args": b"{}", **said})


def later(**passed: float) -> datetime:
    return NOW + timedelta(**passed)


# What Go's client made of the same options


def go_enqueued(scenario: str) -> Iterator[tuple[NewJob, datetime, dict[str, Any]]]:
    """Yield our form of each job that Go's client took, when it did, and what it answered."""
    for call in calls(scenario, "Client.Enqueue"):
        if call["error"] is None:
            now = moment_ns(call["called_unix_ns"])
            yield our_job(call, now), now, call["result"]


def our_job(call: dict[str, Any], now: datetime) -> NewJob:
    payload, headers = b64decode(call["task"]["payload_b64"]), dict(call["task"]["headers"] or {})
    # An id that nobody chose is random, and the queue may have been an option of the task's creation.
    said: dict[str, Any] = {"id": call["result"]["ID"], "queue": call["result"]["Queue"]}
    for option in call["options"]:
        if option["option"] == "Header":
            headers |= dict([option["value"]])
        else:
            said |= OURS.get(option["option"], lambda option, now: {})(option, now)
    return NewJob(kind=call["task"]["type"], args=payload, headers=headers or None, **said)


def length(option: dict[str, Any]) -> float:
    return option["value_ns"] / 1e9


OURS: dict[str, Callable[[dict[str, Any], datetime], dict[str, Any]]] = {
    "MaxRetry": lambda option, now: {"max_attempts": option["value"] + 1},
    "Timeout": lambda option, now: {"timeout": length(option)},
    "Deadline": lambda option, now: {"deadline": moment_ns(option["value_unix_ns"])},
    "Retention": lambda option, now: {"retention": length(option)},
    "Unique": lambda option, now: {"unique": unique_for(length(option))},
    "Group": lambda option, now: {"group": option["value"]},
    "ProcessIn": lambda option, now: waiting(now + timedelta(seconds=length(option))),
    "ProcessAt": lambda option, now: waiting(moment_ns(option["value_unix_ns"])),
}


def waiting(until: datetime) -> dict[str, Any]:
    return {"state": State.SCHEDULED, "scheduled_at": until}


ENQUEUED = [
    pytest.param(scenario, job, now, answer, id=f"{scenario}-{answer['ID'][:20]}")
    for scenario in SCENARIOS
    for job, now, answer in go_enqueued(scenario)
]
STATES = {"scheduled": State.SCHEDULED, "pending": State.AVAILABLE, "aggregating": State.PENDING}


def test_there_are_recorded_jobs_to_compare() -> None:
    assert len(ENQUEUED) > 70


@pytest.mark.parametrize(("scenario", "job", "now", "answer"), ENQUEUED)
def test_our_task_goes_where_gos_went_with_the_same_options(
    scenario: str, job: NewJob, now: datetime, answer: dict[str, Any]
) -> None:
    task = made(job, now=now)

    assert task.state is STATES[answer["State"]]
    assert (task.message.retry, task.message.timeout * 10**9) == (answer["MaxRetry"], answer["Timeout_ns"])
    assert (task.message.group_key, task.message.headers) == (answer["Group"], answer["Headers"] or {})
    assert task.message.retention * 10**9 == answer["Retention_ns"]
    assert task.message.deadline == (stamp(answer["Deadline"]).seconds if answer["Deadline"] else 0)
    if task.state is State.SCHEDULED:
        assert abs(task.due - stamp(answer["NextProcessAt"]).seconds) <= 1


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_our_message_is_the_one_that_go_wrote_of_the_same_options(scenario: str) -> None:
    written = {}
    for name, data, _ in messages(dumps(recording(scenario))):
        if name == "TaskMessage":
            message = replace(TASK.decode(data), retried=0, error_msg="", last_failed_at=0, completed_at=0)
            written.setdefault((message.queue, message.id), message)
    changed = {call["args"]["id"] for call in calls(scenario, "Inspector.UpdateTaskPayload") if not call["error"]}
    for job, now, _ in go_enqueued(scenario):
        gos = written.get((job.queue, job.id))
        if gos is not None and gos.id not in changed:
            ours = made(job, now=now).message
            nil = gos.unique_key.endswith(":")  # of a payload that Go calls nil, which Python has not
            assert replace(ours, unique_key=gos.unique_key) == gos if nil else ours == gos


# Defaults


def test_a_job_that_says_nothing_has_asynqs_defaults() -> None:
    task = made(mail())
    bare = TaskMessage(type="mail", payload=b"{}", id=task.message.id, queue="default", retry=25, timeout=1800)

    assert (task.message, task.state, task.due, task.lock) == (bare, State.AVAILABLE, 0, 0)


def test_a_job_without_an_id_gets_a_random_one() -> None:
    first, second = made(mail()).message.id, made(mail()).message.id

    assert UUID(first).version == UUID(second).version == 4
    assert first != second


def test_an_id_of_ones_own_is_kept_with_its_spaces() -> None:
    assert made(mail(id=" padded id ", queue=" padded queue ")).message.id == " padded id "


@pytest.mark.parametrize(("attempts", "retry"), [(None, 25), (1, 0), (4, 3), (2**31, 2**31 - 1)])
def test_retries_are_one_less_than_attempts(attempts: int | None, retry: int) -> None:
    assert made(mail(max_attempts=attempts)).message.retry == retry


# Lengths of time


@pytest.mark.parametrize(
    ("timeout", "deadline", "stored"),
    [
        (None, None, 1800),
        (None, later(hours=1), 0),
        (90.0, None, 90),
        (90.9, later(hours=1), 90),
        (0.0, later(hours=1), 0),
        (0.0, None, NO_LIMIT),
        (0.2, None, 1),
        (0.2, later(hours=1), 1),
        (1e12, None, NO_LIMIT),
    ],
    ids=[
        "nothing said",
        "only a deadline",
        "in seconds",
        "cut to seconds",
        "no limit but the deadline",
        "no limit",
        "less than a second",
        "less than a second, and a deadline",
        "more than Go can count",
    ],
)
def test_a_timeout_is_stored_in_seconds_and_never_means_something_else(
    timeout: float | None, deadline: datetime | None, stored: int
) -> None:
    assert made(mail(timeout=timeout, deadline=deadline)).message.timeout == stored


def test_a_job_without_a_limit_comes_back_without_one() -> None:
    message = made(mail(timeout=0.0)).message

    assert running_job(message, b"", worker="ada", now=NOW).timeout == 0.0


@pytest.mark.parametrize(("retention", "stored"), [(None, 0), (0.0, 0), (0.2, 1), (59.9, 59), (86_400.0, 86_400)])
def test_a_retention_is_stored_in_seconds_and_never_lost(retention: float | None, stored: int) -> None:
    assert made(mail(retention=retention)).message.retention == stored


def test_a_deadline_is_cut_to_its_second() -> None:
    assert made(mail(deadline=later(hours=1))).message.deadline == seconds(later(hours=1))


def test_a_deadline_in_the_first_second_of_all_is_still_one() -> None:
    assert made(mail(deadline=datetime(1970, 1, 1, tzinfo=UTC))).message.deadline == 1


# Where it goes


def test_a_job_for_later_waits_for_its_second() -> None:
    task = made(mail(state=State.SCHEDULED, scheduled_at=later(seconds=10)))

    assert (task.state, task.due) == (State.SCHEDULED, seconds(later(seconds=10)))


@pytest.mark.parametrize("at", [NOW, later(seconds=-5), None])
def test_a_job_whose_time_has_come_is_available(at: datetime | None) -> None:
    assert made(mail(state=State.SCHEDULED, scheduled_at=at)).state is State.AVAILABLE


def test_a_job_that_is_available_does_not_wait_for_its_nominal_time() -> None:
    assert made(mail(scheduled_at=later(milliseconds=20))).state is State.AVAILABLE


def test_a_job_of_a_group_waits_in_it() -> None:
    task = made(mail(group="user:42"))

    assert (task.state, task.message.group_key) == (State.PENDING, "user:42")


def test_a_job_of_a_group_for_later_waits_for_its_time_first() -> None:
    task = made(mail(group="user:42", state=State.SCHEDULED, scheduled_at=later(hours=1)))

    assert (task.state, task.message.group_key) == (State.SCHEDULED, "user:42")


# Unique jobs


def test_a_unique_job_holds_a_lock_for_its_time() -> None:
    task = made(mail(unique=unique_for("90m"), args=b'{"user_id":42}'))

    assert task.lock == 5400
    assert task.message.unique_key == "asynq:{default}:unique:mail:1181f89307fa271072c095747d5813cc"


def test_a_job_that_is_not_unique_holds_none() -> None:
    assert (made(mail()).lock, made(mail()).message.unique_key) == (0, "")


def test_the_lock_of_a_job_for_later_lasts_from_now_on_until_its_time_after_that() -> None:
    job = mail(unique=unique_for(60), state=State.SCHEDULED, scheduled_at=later(seconds=9.75))

    assert made(job).lock == 69  # 69.75 s, cut as Go does


@pytest.mark.parametrize("scenario", ["unique_keys", "scheduled_unique", "group"])
def test_our_lock_lasts_as_long_as_the_one_that_go_took(scenario: str) -> None:
    for job, now, _ in go_enqueued(scenario):
        task = made(job, now=now)
        if task.lock:
            gos = recording(scenario)["keys"][task.message.unique_key]
            assert 0 <= task.lock - gos["ttl_ms"] / 1000 < 2


# What has no field of its own


def test_tags_travel_in_a_header() -> None:
    message = made(mail(tags=("monthly", "größe"), headers={"trace": "abc"})).message

    assert message.headers == {"trace": "abc", "ferryman:tags": '["monthly","größe"]'}
    job = running_job(message, b"", worker="ada", now=NOW)
    assert (job.tags, job.headers) == (("monthly", "größe"), {"trace": "abc"})
