"""Takes a snapshot, part by part: what cannot be read takes nothing else down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ferryman.admin._async.periodic import AsyncPeriodicAdmin
from ferryman.admin._async.queues import AsyncQueueAdmin
from ferryman.admin.snapshot import Snapshot
from ferryman.errors import FerrymanError
from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["async_snapshot"]


async def async_snapshot(
    storage: AsyncStorage, queues: AsyncQueueAdmin, periodic: AsyncPeriodicAdmin, *, cap: int, now: datetime | None
) -> Snapshot:
    """Return what there is at this moment."""
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    with _told("queues", missing):
        found["queues"] = await queues.glance(cap=cap, now=now)
    with _told("workers", missing):
        found["workers"] = await storage.workers.list(now=now)
        found["lost"] = await storage.workers.lost(now=now)
    with _told("periodic", missing):
        found["periodic"] = await periodic.list(now=now)
    with _told("leader", missing):
        found["leader"] = await storage.leaders.current(now=now)
    return Snapshot(at=now or datetime.now(UTC), location=storage.location, missing=missing, **found)


@contextmanager
def _told(part: str, missing: dict[str, str]) -> Iterator[None]:
    """Note why a part could not be read, and go on with the next."""
    try:
        yield
    except FerrymanError as error:
        missing[part] = str(error)
