# Generated from src/ferryman/storage/_async/pauses.py by tools/unasync.py: change that file and run `make sync`.
"""Reads what is paused.  Where there is no place for notes, nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ferryman.errors import SchemaOutOfDate
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.pauses import Pause, read_pauses

__all__ = ["pauses"]


def pauses(storage: Storage, page: str, *, now: datetime | None = None) -> Mapping[str, Pause]:
    """Return what is paused, by name, as a page of the notebook says it."""
    try:
        (notes,) = storage.notebook.read([page], now=now)
    except SchemaOutOfDate:
        return {}
    return read_pauses(notes)
