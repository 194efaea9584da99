# Generated from src/ferryman/admin/_async/overview.py by tools/unasync.py: change that file and run `make sync`.
"""Takes a snapshot, part by part: what cannot be read takes nothing else down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ferryman.admin._sync.periodic import PeriodicAdmin
from ferryman.admin._sync.queues import QueueAdmin
from ferryman.admin.snapshot import Snapshot
from ferryman.errors import FerrymanError
from ferryman.storage._sync.protocol import Storage

__all__ = ["snapshot"]


def snapshot(
    storage: Storage, queues: QueueAdmin, periodic: PeriodicAdmin, *, cap: int, now: datetime | None
) -> Snapshot:
    """Return what there is at this moment."""
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    with _told("queues", missing):
        found["queues"] = queues.glance(cap=cap, now=now)
    with _told("workers", missing):
        found["workers"] = storage.workers.list(now=now)
        found["lost"] = storage.workers.lost(now=now)
    with _told("periodic", missing):
        found["periodic"] = periodic.list(now=now)
    with _told("leader", missing):
        found["leader"] = storage.leaders.current(now=now)
    return Snapshot(at=now or datetime.now(UTC), location=storage.location, missing=missing, **found)


@contextmanager
def _told(part: str, missing: dict[str, str]) -> Iterator[None]:
    """Note why a part could not be read, and go on with the next."""
    try:
        yield
    except FerrymanError as error:
        missing[part] = str(error)
