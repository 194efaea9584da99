"""What is known of a queue beside its counts: its memory, its groups, its place in a Cluster (spec/asynq.md 3.22).

A server may forbid to ask for memory, and only a Cluster has slots: what is refused is
not known, and keeps nothing else back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from redis.crc import key_slot

from ferryman.errors import StorageError
from ferryman.storage.asynq.calls import Command, Each, Verb
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.verbs.on_queue import on_queue
from ferryman.storage.asynq.verbs.queues import check_one
from ferryman.storage.infos import QueueDetails

__all__ = ["details", "place_of"]


def details(name: str) -> Verb[QueueDetails]:
    """Return what is known of one queue."""
    yield from check_one(name)
    keys = QueueKeys(name)
    totals, groups = yield [Command(("MGET", keys.processed, keys.failed)), Command(("SMEMBERS", keys.groups))]
    names = sorted(group.decode() for group in groups)
    sizes = yield [Command(("ZCARD", keys.group(group))) for group in names] if names else []
    memory, ranges = yield Each([on_queue("queue_memory", name, datetime.now(UTC)), Command(("CLUSTER", "SLOTS"))])
    processed, failed = (int(number or 0) for number in totals)
    slot, nodes = (None, ()) if isinstance(ranges, StorageError) else place_of(name, ranges)
    return QueueDetails(
        name=name,
        memory=None if isinstance(memory, StorageError) else memory,
        processed=processed,
        failed=failed,
        groups=dict(zip(names, sizes, strict=True)),
        slot=slot,
        nodes=nodes,
    )


def place_of(queue: str, ranges: Sequence[Any]) -> tuple[int, tuple[str, ...]]:
    """Return the slot of a queue, and the nodes that keep it, the master first; `ranges` is what CLUSTER SLOTS says."""
    slot = key_slot(QueueKeys(queue).pending.encode())
    found = (nodes for first, last, *nodes in ranges if first <= slot <= last)
    return slot, tuple(f"{(host or b'').decode()}:{port}" for host, port, *_ in next(found, ()))
