"""The words for states that people may write."""

from __future__ import annotations

import pytest

from ferryman.errors import ConfigError
from ferryman.job import State
from ferryman.state_words import PENDING_HINT, hint, read_states


@pytest.mark.parametrize("state", State)
def test_rivers_words_are_ours(state: State) -> None:
    assert read_states([state.value]) == (state,)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("active", State.RUNNING),
        ("retry", State.RETRYABLE),
        ("archived", State.DISCARDED),
        ("aggregating", State.PENDING),
        ("asynq:pending", State.AVAILABLE),
        ("asynq:scheduled", State.SCHEDULED),
        ("asynq:completed", State.COMPLETED),
        ("failed", State.DISCARDED),
        (" Failed ", State.DISCARDED),
    ],
)
def test_asynqs_words_and_failed_are_understood(word: str, state: State) -> None:
    assert read_states([word]) == (state,)


def test_pending_is_always_rivers() -> None:
    assert read_states(["pending"]) == (State.PENDING,)
    assert hint(["failed,pending"]) == PENDING_HINT
    assert hint(["asynq:pending", "available"]) is None


def test_several_words_are_read_in_order_and_each_once() -> None:
    assert read_states(["failed,running", "active", ""]) == (State.DISCARDED, State.RUNNING)
    assert read_states([]) == ()


def test_an_unknown_word_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r'no state "runing"\. Did you mean running'):
        read_states(["runing"])
