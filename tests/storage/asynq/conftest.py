"""A storage on a Redis that has nothing in it, and a plain client to look behind its back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.urls import Address
from servers import Servers, valkey


@pytest.fixture
def servers() -> Servers:
    """One Valkey, empty."""
    found = valkey()
    found.flush()
    return found


@pytest.fixture
def redis(servers: Servers) -> Iterator[Any]:
    """What any other program may do."""
    client = servers.client()
    yield client
    client.close()


@pytest.fixture
async def storage(servers: Servers) -> AsyncIterator[AsyncRedisStorage]:
    async with AsyncRedisStorage(Address.parse(servers.url)) as storage:
        yield storage


@pytest.fixture
async def elsewhere(servers: Servers) -> AsyncIterator[AsyncRedisStorage]:
    """A second storage over the same jobs, as another program has it."""
    async with AsyncRedisStorage(Address.parse(servers.url)) as storage:
        yield storage
