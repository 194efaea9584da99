"""Reads the names of states as people write them: River's words, asynq's, and "failed".

Values carry River's words only (design.md 1.4).  Whoever comes from asynq may filter by
asynq's all the same.  One word means different things in the two: `pending` is always
River's, a job parked until someone makes it available, and asynq's is `asynq:pending`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ferryman.errors import ConfigError
from ferryman.job import State

__all__ = ["PENDING_HINT", "hint", "read_states"]

_ASYNQ = {
    "pending": State.AVAILABLE,
    "active": State.RUNNING,
    "scheduled": State.SCHEDULED,
    "retry": State.RETRYABLE,
    "completed": State.COMPLETED,
    "archived": State.DISCARDED,
    "aggregating": State.PENDING,
}
_WORDS: dict[str, State] = {
    "failed": State.DISCARDED,
    **_ASYNQ,
    **{f"asynq:{word}": state for word, state in _ASYNQ.items()},
    **{state.value: state for state in State},
}

PENDING_HINT = (
    "pending means parked until someone makes it available, as in River. "
    "For what asynq calls pending write available, or asynq:pending."
)


def read_states(words: Iterable[str]) -> tuple[State, ...]:
    """Read names of states, each a word or several with commas between.  Raises ConfigError for an unknown one."""
    return tuple(dict.fromkeys(_state(word) for word in _split(words)))


def hint(words: Iterable[str]) -> str | None:
    """Say what a reader from asynq may have got wrong, if anything."""
    return PENDING_HINT if "pending" in _split(words) else None


def _split(words: Iterable[str]) -> list[str]:
    return [part.strip().lower() for word in words for part in word.split(",") if part.strip()]


def _state(word: str) -> State:
    if word in _WORDS:
        return _WORDS[word]
    from difflib import get_close_matches

    near = get_close_matches(word, _WORDS, n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    raise ConfigError(f'There is no state "{word}". {meant}There are: {", ".join(State)}; and failed for discarded.')
