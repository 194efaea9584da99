"""What the recordings are played on: databases with River's tables, an empty Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from asynq_calls import Player
from databases import Database, OnPostgres, OnSqlite

from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.urls import Address
from servers import postgres, valkey
from storage.places import PLACES


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Each database on which River was recorded, and empty."""
    if request.param == "sqlite":
        database = OnSqlite(tmp_path / "river.db")
        storage = database.storage()
        await storage.schema.migrate("main", up=True, target=7)
        await storage.schema.migrate("ferryman", up=True)
        await storage.__aexit__(None, None, None)
        yield database
    else:
        with PLACES["river-postgres18"](tmp_path, tmp_path), psycopg.connect(postgres().url, autocommit=True) as ear:
            yield OnPostgres(postgres().url, ear)


@pytest.fixture
async def player(request: pytest.FixtureRequest) -> AsyncIterator[Player]:
    """The player of one of asynq's scenarios, which the test names."""
    servers = valkey()
    servers.flush()
    with servers.client() as redis:
        async with AsyncRedisStorage(Address.parse(servers.url)) as storage:
            yield Player(request.param, storage, redis)
