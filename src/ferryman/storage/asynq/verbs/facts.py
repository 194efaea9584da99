"""Asking a server about itself: INFO, what it may be asked beside it, and where a Cluster keeps each queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ferryman.errors import StorageError
from ferryman.facts import Fact, unknown
from ferryman.storage.asynq.calls import Command, Each, Verb
from ferryman.storage.asynq.info import facts_of
from ferryman.storage.asynq.verbs.details import place_of
from ferryman.storage.asynq.verbs.queues import known_queues

__all__ = ["facts"]

_QUESTIONS = (("INFO",), ("CONFIG", "GET", "appendfsync"), ("SLOWLOG", "LEN"))
_TOPOLOGIES: Mapping[str, str] = {
    "sentinel": "behind a Sentinel",
    "cluster": "Cluster, of which one node tells this",
}


def facts(kind: str) -> Verb[list[Fact]]:
    """Return what the server says of itself; `kind` is how it is run.  On Cluster one node answers for all."""
    # This raises where there is no server; a question that fails after it is one that may not be asked.
    names = yield from known_queues()
    info, fsync, slow = yield Each(map(Command, _QUESTIONS))
    return [
        *facts_of(info, _TOPOLOGIES.get(kind, "standalone")),
        _told("persistence", "fsync", fsync, lambda reply: reply[b"appendfsync"].decode()),
        _told("server", "slow log entries", slow, int),
        *((yield from _places(names)) if kind == "cluster" else ()),
    ]


def _told(topic: str, name: str, reply: Any, read: Callable[[Any], str | int]) -> Fact:
    return unknown(topic, name) if isinstance(reply, StorageError) else Fact(topic, name, read(reply))


def _places(queues: Sequence[str]) -> Verb[list[Fact]]:
    """Return which slot and which node keep each queue."""
    (ranges,) = yield [Command(("CLUSTER", "SLOTS"))]
    found = []
    for queue in queues:
        slot, (master, *_) = place_of(queue, ranges)
        found += [Fact("queues", "slot", slot, of=queue), Fact("queues", "node", master, of=queue)]
    return found
