"""What the recordings are played on: a database with the tables of River's version 7, an empty Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asynq_calls import Player

from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.urls import Address
from ferryman.storage.river._async.storage import AsyncSqliteStorage
from ferryman.storage.river.sqlite import Location
from servers import valkey


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """A file with the tables of version 7, whose ids have no gaps where a duplicate was skipped, as later ones have."""
    path = tmp_path / "river.db"
    storage = AsyncSqliteStorage(Location(str(path)))
    await storage.schema.migrate("main", up=True, target=7)
    await storage.schema.migrate("ferryman", up=True)
    await storage.__aexit__()
    return path


@pytest.fixture
async def player(request: pytest.FixtureRequest) -> AsyncIterator[Player]:
    """The player of one of asynq's scenarios, which the test names."""
    servers = valkey()
    servers.flush()
    with servers.client() as redis:
        async with AsyncRedisStorage(Address.parse(servers.url)) as storage:
            yield Player(request.param, storage, redis)
