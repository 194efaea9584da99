"""Reads what is paused.  Where there is no place for notes, nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ferryman.errors import SchemaOutOfDate
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.pauses import Pause, read_pauses

__all__ = ["async_pauses"]


async def async_pauses(storage: AsyncStorage, page: str, *, now: datetime | None = None) -> Mapping[str, Pause]:
    """Return what is paused, by name, as a page of the notebook says it."""
    try:
        (notes,) = await storage.notebook.read([page], now=now)
    except SchemaOutOfDate:
        return {}
    return read_pauses(notes)
