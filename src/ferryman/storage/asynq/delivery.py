"""Brings calls to the nodes that keep their keys, and the replies back into order.

Nothing is sent twice because it failed: what may be is known to whoever asks for it
(design.md 5.3).  Only what a node says that it has not done is sent again: a script
that it has forgotten, a key that has moved.  Written once for async and sync: it yields
parcels and receives their replies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import exceptions as redis

from ferryman.storage.asynq.calls import Call, Each, Script
from ferryman.storage.asynq.failures import translate
from ferryman.storage.asynq.scripts import spell
from ferryman.storage.asynq.topology import Errand, Map, Parcel, Words, locate
from ferryman.storage.asynq.urls import Address, Node

__all__ = ["Delivery"]

_ROUNDS = 4

_Sent = dict[Node, list[tuple[int | None, Words]]]
"""What goes to each node: the place of the call, None for what only comes before one, and its words."""


class Delivery:
    """Knows the nodes of one address, and learns when they change."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._map: Map | None = None
        self._known: tuple[Node, ...] = ()

    def map(self) -> Errand[Map]:
        """Return which node keeps what, asking if need be."""
        if self._map is None:
            self._map = yield from locate(self.address, self._known)
            self._known = self._map.nodes
        return self._map

    def keepers(self, keys: Sequence[str]) -> Errand[dict[Node, list[str]]]:
        """Return these keys by the nodes that keep them."""
        found = yield from self.map()
        parts: dict[Node, list[str]] = {}
        for key in keys:
            parts.setdefault(found.keeper(key), []).append(key)
        return parts

    def deliver(self, calls: Sequence[Call]) -> Errand[list[Any]]:
        """Return the replies in the order of the calls.  Raises StorageError, but for `Each`."""
        if not calls:
            return []
        parts = (yield from self.map()).split(calls)
        sent: _Sent = {node: [(place, _words(calls[place])) for place in places] for node, places in parts.items()}
        replies: list[Any] = [None] * len(calls)
        for _ in range(_ROUNDS):
            answers = yield [Parcel(node, [words for _, words in part]) for node, part in sent.items()]
            undone: _Sent = {}
            for (node, part), answered in zip(sent.items(), answers, strict=True):
                for (place, _), reply in zip(part, answered, strict=True):
                    if place is not None:
                        replies[place] = reply
                        if isinstance(reply, Exception):
                            self._send_again(undone, place, calls[place], node, reply)
            if not undone:
                break
            sent = undone
        return self._checked(calls, replies)

    def _send_again(self, undone: _Sent, place: int, call: Call, node: Node, error: Exception) -> None:
        match error:
            case redis.NoScriptError():
                undone.setdefault(node, []).append((place, _words(call, in_full=True)))
            case redis.MovedError(host=host, port=port):
                self._map = None
                undone.setdefault(Node(host or node.host, port), []).append((place, _words(call)))
            case redis.AskError(host=host, port=port):
                there = undone.setdefault(Node(host or node.host, port), [])
                there += [(None, ("ASKING",)), (place, _words(call))]
            case redis.ReadOnlyError() | redis.ConnectionError() | redis.TimeoutError() | OSError():
                self._map = None  # the master may be another one by now

    def _checked(self, calls: Sequence[Call], replies: list[Any]) -> list[Any]:
        for place, reply in enumerate(replies):
            if isinstance(reply, Exception):
                error = translate(reply, str(self.address), calls[place])
                if not isinstance(calls, Each):
                    raise error from reply
                replies[place] = error
        return replies


def _words(call: Call, *, in_full: bool = False) -> Words:
    return tuple(spell(call, in_full=in_full) if isinstance(call, Script) else call.words)
