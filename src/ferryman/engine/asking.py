"""How long the storage takes to answer, for whoever watches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ferryman.events import EventBus, StorageAnswered

__all__ = ["timed"]


@contextmanager
def timed(events: EventBus, op: str) -> Iterator[None]:
    """Tell how long the storage took to do what the block asks of it; nothing when it failed."""
    began = time.monotonic()
    yield
    if events.wants(StorageAnswered):
        events.publish(StorageAnswered(op, time.monotonic() - began))
