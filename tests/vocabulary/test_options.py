"""The options of a job: who wins, and which values are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ferryman.errors import ConfigError, InvalidJob
from ferryman.job import State, Unique
from ferryman.options import Options, check_names, merge, new_job

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def job(**options: Any) -> Any:
    return new_job("mail", b"{}", options, now=NOW)  # type: ignore[arg-type]


def test_nothing_said_leaves_everything_to_the_format() -> None:
    plain = job()

    assert (plain.queue, plain.state, plain.scheduled_at) == ("default", State.AVAILABLE, None)
    assert (plain.max_attempts, plain.priority, plain.timeout, plain.retention) == (None, None, None, None)


def test_every_option_reaches_the_job() -> None:
    said = job(
        queue="bulk",
        retries=3,
        timeout="5m",
        deadline=NOW,
        priority=2,
        tags=["eu-west"],
        retention="24h",
        metadata={"tenant": 7},
        headers={"trace": "00"},
        id="42",
        group="g",
    )

    assert (said.queue, said.max_attempts, said.timeout, said.deadline) == ("bulk", 4, 300.0, NOW)
    assert (said.priority, said.tags, said.retention) == (2, ("eu-west",), 86_400.0)
    assert (said.metadata, said.headers, said.id, said.group) == ({"tenant": 7}, {"trace": "00"}, "42", "g")


# Who wins


def test_the_stronger_wins_and_the_rest_stays() -> None:
    weaker: Options = {"queue": "bulk", "retries": 3}

    assert merge(weaker, {"retries": 5}) == {"queue": "bulk", "retries": 5}
    assert weaker == {"queue": "bulk", "retries": 3}


def test_delay_and_at_are_two_spellings_of_one_thing() -> None:
    assert merge({"at": NOW}, {"delay": "1m"}) == {"delay": "1m"}
    assert merge({"delay": "1m"}, {"at": NOW}) == {"at": NOW}


def test_both_at_once_are_refused() -> None:
    with pytest.raises(InvalidJob, match=r"Both delay \(1m\) and at \(.*\) are given. Give one of them"):
        job(delay="1m", at=NOW)


# When


@pytest.mark.parametrize("delay", ["10m", 600, 600.0, timedelta(minutes=10)])
def test_a_delay_counts_from_now(delay: Any) -> None:
    later = job(delay=delay)

    assert (later.state, later.scheduled_at) == (State.SCHEDULED, NOW + timedelta(minutes=10))


def test_a_time_may_be_in_any_zone() -> None:
    there = timezone(timedelta(hours=-5))

    assert job(at=datetime(2026, 11, 21, 7, tzinfo=there)).scheduled_at == NOW


def test_a_parked_job_waits_for_somebody() -> None:
    assert job(pending=True).state is State.PENDING
    assert job(pending=True, delay="1m").state is State.PENDING


@pytest.mark.parametrize("name", ["delay", "timeout", "retention"])
@pytest.mark.parametrize("value", [-1, "-1s", timedelta(seconds=-1), "soon", float("nan"), True])
def test_a_length_of_time_that_is_none_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidJob, match=f"^{name} is "):
        job(**{name: value})


@pytest.mark.parametrize("name", ["at", "deadline"])
def test_a_time_without_a_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidJob, match=f"^{name} is 2026-11-21 12:00:00 without a time zone"):
        job(**{name: NOW.replace(tzinfo=None)})


@pytest.mark.parametrize("name", ["at", "deadline"])
def test_a_time_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidJob, match="It takes a datetime with a time zone"):
        job(**{name: "2026-11-21"})


# How often


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (3, 4), (32_766, 32_767)])
def test_retries_are_attempts_after_the_first(retries: int, attempts: int) -> None:
    assert job(retries=retries).max_attempts == attempts


@pytest.mark.parametrize("retries", [-1, 32_767, 1.5, "3", True])
def test_retries_that_cannot_be_are_refused(retries: Any) -> None:
    with pytest.raises(InvalidJob, match="It takes a whole number from 0 to 32766"):
        job(retries=retries)


# Unique

UNFINISHED = frozenset(set(State) - {State.COMPLETED, State.CANCELLED, State.DISCARDED})


@pytest.mark.parametrize("value", [None, False])
def test_not_unique_is_not_unique(value: Any) -> None:
    assert job(unique=value).unique is None


def test_unique_is_no_second_unfinished_job() -> None:
    assert job(unique=True).unique == Unique(by_args=True, by_queue=True, by_states=UNFINISHED)


def test_unique_for_a_time() -> None:
    hour = Unique(by_args=True, by_queue=True, by_period=timedelta(hours=1), by_states=UNFINISHED)

    assert job(unique="1h").unique == job(unique=3600).unique == hour


def test_the_full_form_is_taken_as_it_is() -> None:
    full = Unique(by_args=("customer.id",), exclude_kind=True)

    assert job(unique=full).unique is full


@pytest.mark.parametrize("value", [0, 0.5, "999ms", "-1h", "often"])
def test_a_period_that_cannot_be_is_refused(value: Any) -> None:
    with pytest.raises(InvalidJob, match=r"^unique is "):
        job(unique=value)


# Names


def test_a_misspelt_option_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r'^using\(\) has no option "retires". Did you mean retries\?'):
        check_names({"retires": 3}, "using()")


def test_an_option_like_no_other_gets_the_list() -> None:
    with pytest.raises(ConfigError, match=r"There are: at, deadline, delay, .*, unique\."):
        check_names({"xyzzy": 3}, "using()")
