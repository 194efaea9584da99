"""Finds out which node to ask: the one there is, the master of a Sentinel, or a key's on Cluster.

Written once for async and sync: it yields parcels, what to bring to which node, and
receives a list of replies for each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from redis.crc import key_slot

from ferryman.errors import StorageUnavailable
from ferryman.storage.asynq.calls import Call, Script
from ferryman.storage.asynq.urls import Address, Node

__all__ = ["Errand", "Map", "Parcel", "Words", "locate"]

T = TypeVar("T")
Words = tuple[Any, ...]


class Parcel(msgspec.Struct, frozen=True):
    """Commands for one node.  A reply may be an error; where the node does not answer, each is that error."""

    node: Node
    commands: list[Words]


Errand = Generator[list[Parcel], list[list[Any]], T]
"""What yields parcels, receives the replies to each, and returns what it was sent for."""


class Map(msgspec.Struct, frozen=True):
    """Which node keeps which slots: those from `starts[i]` on are kept by `nodes[i]`."""

    nodes: tuple[Node, ...]
    starts: tuple[int, ...] = (0,)

    def keeper(self, key: str) -> Node:
        """Return the node that keeps a key."""
        if len(self.nodes) == 1:
            return self.nodes[0]
        return self.nodes[bisect_right(self.starts, key_slot(key.encode())) - 1]

    def split(self, calls: Sequence[Call]) -> dict[Node, list[int]]:
        """Say which calls go to which node, by their places in the list."""
        if len(self.nodes) == 1:
            return {self.nodes[0]: list(range(len(calls)))}
        parts: dict[Node, list[int]] = {}
        for place, call in enumerate(calls):
            parts.setdefault(self.keeper(_key(call)), []).append(place)
        return parts


def _key(call: Call) -> str:
    if isinstance(call, Script):
        return next(iter(call.keys.values()))
    return str(call.words[1]) if len(call.words) > 1 else ""


def locate(address: Address, known: Iterable[Node] = ()) -> Errand[Map]:
    """Ask until the nodes are known.  Raises StorageUnavailable when nobody can say.

    `known` are nodes that were there before: on Cluster those of the URL may be gone.
    """
    if address.kind == "sentinel":
        return (yield from _ask_sentinels(address))
    if address.kind == "cluster":
        return (yield from _ask_cluster(address, dict.fromkeys((*address.nodes, *known))))
    return Map(address.nodes)


def _ask_sentinels(address: Address) -> Errand[Map]:
    said: Any = "none of them knows it"
    for sentinel in address.nodes:
        ((found,),) = yield [Parcel(sentinel, [("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.master)])]
        if isinstance(found, Exception):
            said = found
        elif found:
            host, port = found
            return Map((Node(host.decode(), int(port)),))
    raise StorageUnavailable(
        f'The Sentinels at {address} cannot say where the master "{address.master}" is: {said}. '
        "Do they run, and is that its name?"
    )


def _ask_cluster(address: Address, nodes: Iterable[Node]) -> Errand[Map]:
    said: Any = "no slots are assigned"
    for node in nodes:
        ((ranges,),) = yield [Parcel(node, [("CLUSTER", "SLOTS")])]
        if isinstance(ranges, Exception):
            said = ranges
        elif ranges:
            # A node that does not know its own host leaves it out: it is the one that we asked.
            kept = {start: Node((host or b"").decode() or node.host, port) for start, _, (host, port, *_), *_ in ranges}
            starts = sorted(kept)
            return Map(tuple(kept[start] for start in starts), tuple(starts))
    raise StorageUnavailable(f"No node of the Cluster at {address} can say which keeps what: {said}. Do they run?")
