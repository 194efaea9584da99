"""What a task raises to say how it ended."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Any

import pytest

from ferryman.errors import ConfigError
from ferryman.outcome import Cancel, Discard, Snooze, Verdict


@pytest.mark.parametrize("delay", ["10m", 600, timedelta(minutes=10)])
def test_a_snooze_takes_any_length_of_time(delay: Any) -> None:
    assert Snooze(delay).delay == timedelta(minutes=10)


def test_a_snooze_of_nothing_sensible_is_refused() -> None:
    with pytest.raises(ConfigError):
        Snooze("soon")
    with pytest.raises(ConfigError):
        Snooze(-1)


def test_cancel_and_discard_say_why() -> None:
    assert str(Cancel("the order was withdrawn")) == "the order was withdrawn"
    assert str(Discard("the account is closed")) == "the account is closed"
    assert str(Cancel()) == "cancelled by the task"


@pytest.mark.parametrize("verdict", [Snooze("10m"), Cancel("withdrawn"), Discard("closed")])
def test_a_verdict_travels_between_processes(verdict: Verdict) -> None:
    arrived = pickle.loads(pickle.dumps(verdict))

    assert type(arrived) is type(verdict)
    if isinstance(verdict, Snooze):
        assert arrived.delay == verdict.delay
    else:
        assert str(arrived) == str(verdict)
