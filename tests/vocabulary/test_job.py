"""Jobs as values: their addresses, and what they know of themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.errors import ConfigError
from ferryman.job import FINAL, AttemptError, Job, JobRef, State

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def job(**said: Any) -> Job:
    usual: dict[str, Any] = {
        "ref": JobRef("42"),
        "kind": "mail",
        "args": b"{}",
        "state": State.RUNNING,
        "attempt": 1,
        "max_attempts": 4,
        "queue": "default",
        "scheduled_at": NOW,
    }
    return Job(**{**usual, **said})


# Addresses


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        (JobRef("42"), "42"),
        (JobRef("9f2c", "default"), "default/9f2c"),
        (JobRef("a/b", "c d"), "c%20d/a%2Fb"),
        (JobRef("order:7", "low-prio"), "low-prio/order:7"),
        (JobRef("ü{}", "🚢"), "%F0%9F%9A%A2/%C3%BC%7B%7D"),
    ],
)
def test_an_address_is_written_so_that_it_can_be_read_again(ref: JobRef, text: str) -> None:
    assert str(ref) == text
    assert JobRef.parse(text) == ref


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"])))
def test_every_address_survives_being_written(id: str, queue: str) -> None:
    assert JobRef.parse(str(JobRef(id, queue))) == JobRef(id, queue)


@pytest.mark.parametrize("text", ["", "/", "default/", "a/b/c"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is not the address of a job. It is an id such as 42, or queue/id"):
        JobRef.parse(text)


# What a job knows


def test_the_last_attempt_knows_that_it_is_the_last() -> None:
    assert [job(attempt=attempt).last for attempt in (1, 3, 4, 5)] == [False, False, True, True]


def test_the_latest_failure_is_at_hand() -> None:
    first, second = AttemptError(NOW, 1, "no route"), AttemptError(NOW, 2, "mailbox full")

    assert job().error is None
    assert job(errors=(first, second)).error == second


def test_metadata_is_read_without_rounding() -> None:
    assert job(raw_metadata=b'{"price":0.10000000000000000001}').metadata == {
        "price": Decimal("0.10000000000000000001")
    }


def test_a_job_is_a_value_that_nobody_changes() -> None:
    assert job() == job()
    with pytest.raises(AttributeError):
        job().attempt = 2  # type: ignore[misc]
    assert msgspec.structs.replace(job(), attempt=2).attempt == 2


def test_three_states_are_final() -> None:
    assert {State.COMPLETED, State.CANCELLED, State.DISCARDED} == FINAL
