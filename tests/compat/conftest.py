"""A database as the recordings were made on: River's version 7."""

from __future__ import annotations

from pathlib import Path

import pytest

from ferryman.storage.river._async.storage import AsyncSqliteStorage
from ferryman.storage.river.sqlite import Location


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """A file with the tables of version 7, whose ids have no gaps where a duplicate was skipped, as later ones have."""
    path = tmp_path / "river.db"
    storage = AsyncSqliteStorage(Location(str(path)))
    await storage.schema.migrate("main", up=True, target=7)
    await storage.schema.migrate("ferryman", up=True)
    await storage.__aexit__()
    return path
