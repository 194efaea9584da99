"""What asynq's format cannot keep is refused, by name, before anything is stored (spec/asynq.md 5.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from recorded_asynq import calls

from ferryman.errors import FerrymanError, InvalidJob, Unsupported
from ferryman.job import NewJob, State, Unique
from ferryman.options import unique_for
from ferryman.storage.asynq.newtasks import new_tasks
from ferryman.storage.asynq.rules import check, check_queue

HOUR = timedelta(hours=1)
LOCK = unique_for("1h")


def mail(**said: Any) -> NewJob:
    return NewJob(**{"kind": "mail", **said})


@pytest.mark.parametrize(
    "job",
    [
        mail(),
        mail(args=b"\x00\xff no JSON"),
        mail(kind="Type With Spaces", queue=" padded {queue} 😀 ", id=" padded id ", group="a:b"),
        mail(unique=LOCK, tags=("x",), headers={"": ""}, metadata={}),
        mail(unique=Unique(by_args=True, by_queue=True, by_period=HOUR)),
        mail(max_attempts=1),
        mail(max_attempts=2**31),
    ],
    ids=["bare", "payload", "names", "options", "lock in full", "one attempt", "most attempts"],
)
def test_whatever_asynq_keeps_is_welcome(job: NewJob) -> None:
    check([job])


NAMES = [("kind", {"kind": ""}), ("kind", {"kind": " \t"}), ("queue", {"queue": ""}), ("queue", {"queue": "  "})]
NAMES += [("id", {"id": ""}), ("id", {"id": " "}), ("group", {"group": ""}), ("group", {"group": "\n"})]


@pytest.mark.parametrize(("what", "said"), NAMES)
def test_a_name_has_at_least_one_character_that_is_no_space(what: str, said: dict[str, Any]) -> None:
    with pytest.raises(InvalidJob, match=f"The {what} is ") as refused:
        check([mail(), mail(**said)])

    assert repr(said[what]) in str(refused.value)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("kind", {"kind": "bad\udcff"}),
        ("queue", {"queue": "bad\udcff"}),
        ("id", {"id": "bad\udcff"}),
        ("group", {"group": "bad\udcff"}),
        ("tag", {"tags": ("bad\udcff",)}),
        ("header", {"headers": {"bad\udcff": "x"}}),
        ("header trace", {"headers": {"trace": "bad\udcff"}}),
        ("header trace", {"headers": {"trace": 7}}),
    ],
)
def test_text_that_go_could_not_write_is_refused(what: str, said: dict[str, Any]) -> None:
    with pytest.raises(InvalidJob, match=rf"The {what} is ('bad\\udcff'|7)\. It takes text"):
        check([mail(**said)])


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("priority=1", {"priority": 1}),
        ("pending=True", {"state": State.PENDING}),
        ("metadata=", {"metadata": {"a": 1}}),
        ("tx=", {"tx": object()}),
    ],
)
def test_an_option_that_has_no_place_in_the_format_is_refused_by_name(named: str, said: dict[str, Any]) -> None:
    with pytest.raises(Unsupported, match=named):
        check([mail(**said)])


@pytest.mark.parametrize(
    "unique",
    [
        Unique(by_args=("to",), by_queue=True, by_period=HOUR),
        Unique(by_args=False, by_queue=True, by_period=HOUR),
        Unique(by_args=True, by_queue=False, by_period=HOUR),
        Unique(by_args=True, by_queue=True, by_period=HOUR, exclude_kind=True),
        Unique(by_args=True, by_queue=True, by_period=HOUR, by_states=frozenset(State)),
        unique_for(True),
    ],
    ids=["some arguments", "no arguments", "any queue", "any kind", "completed jobs too", "for ever"],
)
def test_what_a_lock_cannot_do_is_refused(unique: Unique) -> None:
    with pytest.raises(Unsupported, match='unique="1h"'):
        check([mail(unique=unique)])


def test_a_lock_lasts_a_second_at_least() -> None:
    with pytest.raises(InvalidJob, match=r"unique is 0\.999 s"):
        check([mail(unique=Unique(by_args=True, by_queue=True, by_period=timedelta(milliseconds=999)))])


@pytest.mark.parametrize("attempts", [0, -1, 2**31 + 1])
def test_attempts_are_at_least_one_and_fit_into_the_message(attempts: int) -> None:
    with pytest.raises(InvalidJob, match=f"max_attempts is {attempts}"):
        check([mail(max_attempts=attempts)])


@pytest.mark.parametrize("option", ["timeout", "retention"])
@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan")])
def test_lengths_of_time_are_counted_from_0_up(option: str, value: float) -> None:
    with pytest.raises(InvalidJob, match=f"{option} is {value}"):
        check([mail(**{option: value})])


@pytest.mark.parametrize("option", ["deadline", "scheduled_at"])
def test_a_time_without_a_zone_is_refused(option: str) -> None:
    with pytest.raises(InvalidJob, match=f"{option} is 2026-11-21 12:00:00 without a time zone"):
        check([mail(**{option: datetime(2026, 11, 21, 12, tzinfo=UTC).replace(tzinfo=None)})])


def test_a_payload_is_bytes() -> None:
    with pytest.raises(InvalidJob, match="are a dict"):
        check([mail(args={"to": "ada"})])


@pytest.mark.parametrize("name", ["", " ", "bad\udcff"])
def test_a_queues_name_can_be_checked_alone(name: str) -> None:
    with pytest.raises(InvalidJob, match="The queue is"):
        check_queue(name)


def test_what_gos_client_refuses_is_refused_here() -> None:
    refused = [
        call
        for call in calls("errors", "Client.Enqueue")
        if call["error"] and call["task"] and "conflicts" not in call["error"]["error"]
    ]
    fields = {"Queue": "queue", "TaskID": "id", "Group": "group"}
    for call in refused:
        said: dict[str, Any] = {"kind": call["task"]["type"]}
        for option in call["options"]:
            if option["option"] == "Unique":
                said["unique"] = Unique(
                    by_args=True, by_queue=True, by_period=timedelta(microseconds=option["value_ns"] / 1e3)
                )
            else:
                said[fields[option["option"]]] = option["value"]
        with pytest.raises(InvalidJob):
            check([NewJob(**said)])
    assert len(refused) == 7


@pytest.mark.parametrize("job", [mail(kind="bad\udcff"), mail(max_attempts=2**33), mail(headers={"a": "\ud800"})])
def test_a_job_that_is_refused_here_would_have_been_no_message(job: NewJob) -> None:
    from ferryman.storage.asynq.messages import TASK

    with pytest.raises(FerrymanError):
        TASK.encode(new_tasks([job], now=datetime.now(UTC))[0].message)
    with pytest.raises(InvalidJob):
        check([job])
