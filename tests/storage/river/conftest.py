"""A SQLite file in River's format, and a connection of its own to look at what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tables import connected

from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from storage.places import sqlite_file


@pytest.fixture
def storage(tmp_path: Path, shared: Path) -> Iterator[SqliteStorage]:
    """A storage with nothing in it."""
    with sqlite_file(tmp_path, shared) as place, place.open() as storage:
        yield storage


@pytest.fixture
def db(storage: SqliteStorage) -> Iterator[Any]:
    """What another program sees, and what it may write; rows are mappings."""
    with closing(connected(storage.where.path)) as connection:
        yield connection
