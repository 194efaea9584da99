"""When to try again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.errors import ConfigError
from ferryman.job import AttemptError, Job, JobRef, State
from ferryman.retry import curve_of, exponential, fixed, next_attempt, river

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def job(failures: int) -> Job:
    return Job(
        ref=JobRef("1"),
        kind="mail",
        args=b"{}",
        state=State.RUNNING,
        attempt=99,
        max_attempts=500,
        queue="default",
        scheduled_at=NOW,
        errors=(AttemptError(NOW, 1, "no"),) * failures,
    )


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 16), (3, 81), (5, 625), (10, 10_000), (24, 331_776)])
def test_rivers_curve_is_the_fourth_power_give_or_take_a_tenth(failures: int, seconds: int) -> None:
    delays = {river(failures).total_seconds() for _ in range(100)}

    assert all(0.9 * seconds <= delay <= 1.1 * seconds for delay in delays)
    assert max(delays) - min(delays) > 0.1 * seconds


@pytest.mark.parametrize("failures", [310, 1_000, 10**9])
def test_rivers_curve_ends_where_gos_durations_end(failures: int) -> None:
    assert river(failures) == timedelta(seconds=(2**63 - 1) / 1e9)


@given(st.integers(1, 400))
def test_rivers_curve_never_leaves_gos_durations(failures: int) -> None:
    assert timedelta() < river(failures) <= timedelta(seconds=(2**63 - 1) / 1e9)


def test_an_exponential_curve_grows_up_to_its_longest() -> None:
    curve = exponential("10s", factor=2, longest="1m")

    for failures, seconds in ((1, 10), (2, 20), (3, 40), (4, 60), (5_000, 60)):
        assert 0.9 * seconds <= curve(failures).total_seconds() <= 1.1 * seconds


def test_a_fixed_curve_stays() -> None:
    assert [fixed("30s")(failures) for failures in (1, 2, 99)] == [timedelta(seconds=30)] * 3


@pytest.mark.parametrize("backoff", ["30s", 30, 30.0, timedelta(seconds=30)])
def test_a_length_of_time_is_a_fixed_curve(backoff: Any) -> None:
    assert curve_of(backoff)(7) == timedelta(seconds=30)


def test_a_curve_is_a_curve() -> None:
    assert curve_of(river) is river


def test_what_is_no_length_of_time_is_refused() -> None:
    with pytest.raises(ConfigError):
        curve_of("soon")


def test_failures_count_and_not_attempts() -> None:
    """A snooze does not lengthen the wait."""
    assert next_attempt(job(failures=2), lambda failures: timedelta(seconds=failures), NOW) == NOW + timedelta(
        seconds=3
    )


def test_a_wait_beyond_the_end_of_time_ends_there() -> None:
    end = datetime(9999, 12, 31, tzinfo=UTC)

    assert next_attempt(job(0), lambda failures: timedelta(days=999_999_999), NOW) == end
