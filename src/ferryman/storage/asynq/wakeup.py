"""Hears of new jobs and cancellations without polling (spec/wakeup.md).

Go's clients tell nobody that they enqueue.  But Redis tells a connection that has read a
key, once, when anybody changes it (CLIENT TRACKING).  So after a fetch that left this
program hungry, a connection of its own reads how long the queues are and whether they
are paused.  Cancellations are published, and heard on the same connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from redis.exceptions import ResponseError

from ferryman.job import JobRef
from ferryman.storage.asynq.keys import CANCEL, QueueKeys
from ferryman.storage.values import CancelRequested, HowWoken, JobsAvailable, Notice

__all__ = ["Appetite", "Line", "how_woken", "keys_of"]

Words = tuple[str, ...]

_TRACK = ("CLIENT", "TRACKING", "ON")
_SUBSCRIBE = ("SUBSCRIBE", CANCEL)
_LACKS = {
    _TRACK: "CLIENT TRACKING is refused ({}), so new jobs are found by looking once in a while. "
    "Give this user the right: ACL SETUSER … +client|tracking",
    _SUBSCRIBE: "SUBSCRIBE is refused ({}), so a running job cannot be cancelled from outside. "
    f"Give this user the right: ACL SETUSER … +subscribe &{CANCEL}",
}


class Appetite:
    """What this program would take if there were more: which queues it asks, and that they gave too little."""

    def __init__(self) -> None:
        self._queues: dict[str, None] = {}
        self._tell: list[Callable[[], None]] = []

    @property
    def queues(self) -> tuple[str, ...]:
        """Every queue that was asked for jobs."""
        return tuple(self._queues)

    def hungry(self, queues: Iterable[str]) -> None:
        """Say that these queues gave fewer jobs than there was room for."""
        self._queues.update(dict.fromkeys(queues))
        for tell in self._tell:
            tell()

    def watch(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Call `tell` whenever we are hungry; returns how to stop."""
        self._tell.append(tell)
        return lambda: self._tell.remove(tell)


class Line:
    """One connection: what to say on it, and what it means that comes back.  Knows nothing of sockets."""

    def __init__(self, keys: Sequence[str], names: dict[str, str]) -> None:
        self._queues = [names[key] for key in keys if key in names]
        self._hears_cancels = CANCEL in keys
        self._tracked = False
        self._paused: set[str] = set()
        self._asked: deque[Words] = deque()
        self._armed = False
        self.lacks: list[str] = []

    @property
    def greeting(self) -> list[Words]:
        """What to say first, one after the other."""
        return [_TRACK, _SUBSCRIBE] if self._hears_cancels else [_TRACK]

    def greeted(self, words: Words, refusal: ResponseError | None) -> None:
        """Take note of an answer to the greeting."""
        if refusal is not None:
            self.lacks.append(_LACKS[words].format(refusal))
        elif words == _TRACK:
            self._tracked = True

    def arm(self) -> list[Words]:
        """Return what to read so that Redis tells of a change; nothing while it is going to."""
        if self._armed or not self._tracked:
            return []
        self._armed = True
        asked = [("EXISTS", QueueKeys(queue).paused, queue) for queue in self._queues]
        # What comes into a paused queue is no reason to wake up.
        asked += [("LLEN", QueueKeys(queue).pending, queue) for queue in self._queues if queue not in self._paused]
        self._asked.extend(asked)
        return [(command, key) for command, key, _ in asked]

    def hear(self, said: Any) -> Notice | None:
        """Say what it means: None is an invalidation, a list is what was published, the rest are replies."""
        if said is None:
            self._armed = False
            return JobsAvailable()
        if isinstance(said, list):
            return CancelRequested(JobRef(said[2].decode())) if said[0] == b"message" else None
        command, _, queue = self._asked.popleft()
        if not self._is_reason(command, queue, said):
            return None
        self._armed = False
        return JobsAvailable(queue)

    def _is_reason(self, command: str, queue: str, number: int) -> bool:
        if command == "LLEN":
            return number > 0 and queue not in self._paused
        was_paused = queue in self._paused
        (self._paused.add if number else self._paused.discard)(queue)
        return was_paused and not number


def keys_of(queues: Iterable[str]) -> dict[str, str]:
    """Return a key of each queue, which says where the queue is, and the queue's name."""
    return {QueueKeys(queue).pending: queue for queue in queues}


def how_woken(lines: Iterable[Line]) -> Iterator[Notice]:
    """Say that listening has begun, and how well it can."""
    lacks = [lack for line in lines for lack in line.lacks]
    is_told = not any(lack.startswith(_TRACK[0]) for lack in lacks)
    yield JobsAvailable()
    yield HowWoken("tracked reads" if is_told else "polling", "; ".join(dict.fromkeys(lacks)))
