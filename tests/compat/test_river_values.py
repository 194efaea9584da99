"""Delays, counters, masks and notices have River's values.

Read from what was recorded (tests/vectors/river), and from River's own fixture files where they are present.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from replay import recorded

from ferryman.job import AttemptError, Job, JobRef, State
from ferryman.retry import next_attempt, river
from ferryman.storage.river.attempts import error_json
from ferryman.storage.river.times import text_time
from ferryman.storage.river.unique import states
from ferryman.storage.river.verbs.notices import notices_in
from ferryman.storage.river.verbs.work import snooze_count
from ferryman.storage.values import (
    CancelRequested,
    JobsAvailable,
    LeaderResigned,
    Notice,
    QueueChanged,
    ResignRequested,
)

OFFICIAL = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "river-official"
PROTOCOL = ["rust-fixtures/protocol_values.json", "fixtures/protocol_values.json"]
SNOOZES = ["js-testdata/snooze-counters.json", "fixtures/maintenance_values.json"]

NOW = datetime(2026, 1, 2, 3, 4, 5, 678_900, UTC)
# A timedelta counts microseconds, and a float of three hundred years has steps of nearly two.
STEP = timedelta(microseconds=2)


def official(file: str, part: str) -> list[Any]:
    """Return a list out of one of River's own files, or one case that skips where the file is absent."""
    path = OFFICIAL / file
    if not path.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"River's {file} is not on this machine"))]
    cases = json.loads(path.read_text(), parse_float=Decimal)[part]
    return [
        pytest.param(case, id=f"{path.parent.name}-{case.get('name', number)}") for number, case in enumerate(cases)
    ]


def official_everywhere(files: list[str], part: str) -> list[Any]:
    return [case for file in files for case in official(file, part)]


@pytest.fixture
def bounds(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], tuple[timedelta, timedelta]]:
    """Give the shortest and the longest delay after so many errors."""

    def both(errors: int) -> tuple[timedelta, timedelta]:
        monkeypatch.setattr(random, "uniform", min)
        shortest = river(errors)
        monkeypatch.setattr(random, "uniform", max)
        return shortest, river(errors)

    return both


def failed(times: int) -> Job:
    return Job(
        ref=JobRef("1"),
        kind="work",
        args=b"{}",
        state=State.RUNNING,
        attempt=20,  # the errors decide, not the attempts
        max_attempts=25,
        queue="default",
        scheduled_at=NOW,
        errors=(AttemptError(NOW, 1, "smtp: connection refused"),) * times,
    )


@pytest.mark.parametrize("case", recorded("retry_policy")["by_attempt"], ids=lambda case: str(case["attempt"]))
def test_delays_range_as_rivers_do(case: dict[str, Any], bounds: Callable[[int], tuple[timedelta, timedelta]]) -> None:
    shortest, longest = bounds(case["errors_so_far"] + 1)

    # Of 2,000 delays, each end comes near the end of the range.
    assert shortest.total_seconds() == pytest.approx(case["min_s_of_2000"], rel=0.001)
    assert longest.total_seconds() == pytest.approx(case["max_s_of_2000"], rel=0.001)
    assert shortest <= next_attempt(failed(case["errors_so_far"]), river, NOW) - NOW <= longest


@pytest.mark.parametrize("case", official_everywhere(PROTOCOL, "retry_cases"))
def test_delays_keep_to_the_published_bounds(
    case: dict[str, Any], bounds: Callable[[int], tuple[timedelta, timedelta]]
) -> None:
    shortest, longest = bounds(case["error_count"])

    if "expected_delay_ns" in case:  # what one seed gave
        assert shortest - STEP <= nanoseconds(case["expected_delay_ns"]) <= longest + STEP
    else:
        assert abs(shortest - nanoseconds(case["min_delay_ns"])) <= STEP
        assert abs(longest - nanoseconds(case["max_delay_ns"])) <= STEP


def nanoseconds(count: int) -> timedelta:
    return timedelta(microseconds=count // 1000)


@pytest.mark.parametrize("case", official_everywhere(SNOOZES, "snooze_counters"))
def test_a_snooze_counts_on_from_the_published_counters(case: dict[str, Any]) -> None:
    assert snooze_count(case["metadata"]) + 1 == case["expected_snoozes"]


@pytest.mark.parametrize(
    ("metadata", "next_count"),
    [
        ({}, 1),
        ({"snoozes": 0}, 1),
        ({"snoozes": 2}, 3),
        ({"snoozes": 9007199254740993}, 9007199254740994),
        ({"snoozes": 9223372036854775806}, 9223372036854775807),
    ],
)
def test_a_snooze_counts_on_from_any_whole_number(metadata: dict[str, Any], next_count: int) -> None:
    """The five cases that every port of River must agree on (spec/river-conformance.md 6.1)."""
    assert snooze_count(metadata) + 1 == next_count


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63) - 1, "9" * 30, Decimal("1e400"), Decimal("Infinity")])
def test_a_counter_that_leaves_the_range_of_a_column_begins_anew(value: object) -> None:
    assert snooze_count({"snoozes": value}) == 0


@pytest.mark.parametrize("case", official_everywhere(PROTOCOL, "job_states"))
def test_each_state_has_its_published_bit(case: dict[str, Any]) -> None:
    assert states(case["unique_bit"]) == [case["state"]]


def given_times() -> list[tuple[str, str]]:
    """Return the times that recorded jobs were given, and as which they were kept."""
    names = "insert_every_option", "insert_pending", "insert_scheduled", "job_cancel_retry_delete", "notify_insert"
    calls = [call for name in names for call in recorded(f"sqlite_{name}")["calls"]]
    return [
        (given, call["result"]["job"]["scheduled_at"])
        for call in calls
        if (given := call.get("insert_params", {}).get("scheduled_at"))
    ]


@pytest.mark.parametrize(("given", "kept"), given_times())
def test_a_given_time_is_rounded_as_rivers_is(given: str, kept: str) -> None:
    text = text_time(datetime.fromisoformat(given))

    assert datetime.fromisoformat(f"{text}Z") == datetime.fromisoformat(kept)


HEARD: dict[str, Notice] = {
    "cancel": CancelRequested(JobRef("42")),
    "insert": JobsAvailable("priority"),
    "metadata_changed": QueueChanged("priority"),
    "pause": QueueChanged("priority", True),
    "request_resign": ResignRequested(),
    "resigned": LeaderResigned("client-1"),
    "resume": QueueChanged("priority", False),
}


@pytest.mark.parametrize("case", official_everywhere(PROTOCOL, "notifications"))
def test_every_published_notification_is_understood(case: dict[str, Any]) -> None:
    assert list(notices_in(case["topic"], json.dumps(case["payload"]))) == [HEARD[case["name"]]]


@pytest.mark.parametrize("file", PROTOCOL)
def test_an_error_is_written_as_published(file: str) -> None:
    if not (OFFICIAL / file).exists():
        pytest.skip(f"River's {file} is not on this machine")
    published = json.loads((OFFICIAL / file).read_text())["attempt_error"]

    ours = error_json(AttemptError(NOW, published["attempt"], published["error"], published["trace"]))

    assert json.loads(ours) == published
