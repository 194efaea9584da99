"""Looks for ids that stand in a queue without a task: what a deleted key, or half a restore, leaves behind."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.errors import StorageError
from ferryman.storage.asynq.calls import Command, Each, Verb
from ferryman.storage.asynq.keys import QueueKeys

__all__ = ["strays"]

_SAMPLED = 1_000
_FEWEST = 10

Place = tuple[str, str, str]
"""A queue, the word for a state, and an id."""


def strays(names: Sequence[str]) -> Verb[tuple[int, list[Place]] | StorageError]:
    """Return how many ids were looked at, about a thousand, and those that have no task; or why nobody may look."""
    places = [(name, word) for name in names for word in (*_LISTS, *_ZSETS)]
    most = max(_SAMPLED // max(len(places), 1), _FEWEST)
    replies = (yield Each(_read(name, word, most) for name, word in places)) if places else []
    if refused := next((reply for reply in replies if isinstance(reply, StorageError)), None):
        return refused
    found = [(name, word, id.decode()) for (name, word), ids in zip(places, replies, strict=True) for id in ids]
    lost = yield from _without_task(found)
    # A task that ended while we looked has left both meanwhile.
    return len(found), (yield from _still_there(lost, most))


_LISTS = ("pending", "active")
_ZSETS = ("scheduled", "retry", "archived", "completed")


def _key(name: str, word: str) -> str:
    return f"{QueueKeys(name).prefix}{word}"


def _read(name: str, word: str, most: int) -> Command:
    return Command(("LRANGE" if word in _LISTS else "ZRANGE", _key(name, word), 0, most - 1))


def _without_task(places: Sequence[Place]) -> Verb[list[Place]]:
    if not places:
        return []
    there = yield [Command(("EXISTS", QueueKeys(name).task(id))) for name, _, id in places]
    return [place for place, exists in zip(places, there, strict=True) if not exists]


def _still_there(places: Sequence[Place], most: int) -> Verb[list[Place]]:
    if not places:
        return []
    replies = yield [_find(name, word, id, most) for name, word, id in places]
    return [place for place, reply in zip(places, replies, strict=True) if reply is not None]


def _find(name: str, word: str, id: str, most: int) -> Command:
    if word in _LISTS:
        return Command(("LPOS", _key(name, word), id, "MAXLEN", 10 * most))
    return Command(("ZSCORE", _key(name, word), id))
