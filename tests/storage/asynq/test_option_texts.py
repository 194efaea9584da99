"""A periodic task's options read as Go's scheduler writes them (spec/asynq.md 5.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_asynq import SCENARIOS, calls, messages, recording

from ferryman.duration import parse_go_duration
from ferryman.job import NewJob
from ferryman.options import unique_for
from ferryman.storage.asynq.optiontext import option_text, option_texts


def recorded_options() -> list[Any]:
    return [option for scenario in SCENARIOS for call in calls(scenario) for option in call.get("options", [])]


@pytest.mark.parametrize("option", [pytest.param(o, id=o["string"][:30]) for o in recorded_options()])
def test_an_option_reads_as_go_writes_it(option: dict[str, Any]) -> None:
    assert option_text(option["option"], value_of(option)) == option["string"]


def value_of(option: dict[str, Any]) -> Any:
    if "value_unix_ns" in option:
        return datetime.fromtimestamp(option["value_unix_ns"] // 10**9, UTC)
    if "value_ns" in option:
        return timedelta(microseconds=option["value_ns"] / 1000)
    return tuple(option["value"]) if isinstance(option["value"], list) else option["value"]


def test_the_options_of_a_job_are_those_of_gos_entry() -> None:
    entries = [decoded for name, _, decoded in messages(recording("scheduler")) if name == "SchedulerEntry"]
    (every_second,) = [entry for entry in entries if entry["spec"] == "@every 1s"]

    job = NewJob(kind="email:welcome", max_attempts=6, timeout=90.0, retention=86_400.0)

    assert list(option_texts(job)) == every_second["enqueue_options"]


def test_every_option_is_told() -> None:
    job = NewJob(
        kind="mail",
        queue="low",
        max_attempts=4,
        id="x",
        timeout=90.0,
        deadline=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        unique=unique_for("1h"),
        retention=60.0,
        group="g",
        headers={"k": "<v>"},
        tags=("monthly",),
    )

    assert option_texts(job) == (
        'Queue("low")',
        "MaxRetry(3)",
        'TaskID("x")',
        "Timeout(1m30s)",
        "Deadline(Tue Nov 14 22:13:20 UTC 2023)",
        "Unique(1h0m0s)",
        "Retention(1m0s)",
        'Group("g")',
        r'Header(["k","\u003cv\u003e"])',
        r'Header(["ferryman:tags","[\"monthly\"]"])',
    )


def test_a_job_that_says_nothing_tells_its_queue() -> None:
    assert option_texts(NewJob(kind="mail")) == ('Queue("default")',)


def test_a_job_without_a_limit_tells_the_hundred_years_that_its_message_has() -> None:
    assert option_texts(NewJob(kind="mail", timeout=0.0))[1] == "Timeout(876000h0m0s)"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(microseconds=1), "1µs"),
        (timedelta(microseconds=999), "999µs"),
        (timedelta(microseconds=1500), "1.5ms"),
        (timedelta(milliseconds=999), "999ms"),
        (timedelta(seconds=1), "1s"),
        (timedelta(seconds=1.5), "1.5s"),
        (timedelta(seconds=10), "10s"),
        (timedelta(seconds=1, microseconds=1), "1.000001s"),
        (timedelta(minutes=1), "1m0s"),
        (timedelta(hours=36), "36h0m0s"),
        (timedelta(hours=1, seconds=0.25), "1h0m0.25s"),
        (timedelta(days=36500), "876000h0m0s"),
    ],
)
def test_a_length_of_time_is_in_gos_notation(length: timedelta, text: str) -> None:
    assert option_text("Timeout", length) == f"Timeout({text})"


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=10_000)))
def test_a_length_of_time_reads_back_as_it_was(length: timedelta) -> None:
    text = option_text("Timeout", length).removeprefix("Timeout(").removesuffix(")")

    assert parse_go_duration(text) == length


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("low", '"low"'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        ("\x00\x1f\x7f", r'"\x00\x1f\x7f"'),
        ("é 😀", '"é 😀"'),
        ("\x85\xa0\xad\u2028", r'"\u0085\u00a0\u00ad\u2028"'),
        ("\U000e0001", r'"\U000e0001"'),
    ],
)
def test_a_name_is_quoted_as_go_does(name: str, text: str) -> None:
    assert option_text("Queue", name) == f"Queue({text})"


def test_a_time_is_told_in_utc_with_its_day_padded_by_a_space() -> None:
    at = datetime(2029, 12, 31, 19, tzinfo=timezone(timedelta(hours=-5)))

    assert option_text("Deadline", at) == "Deadline(Tue Jan  1 00:00:00 UTC 2030)"
