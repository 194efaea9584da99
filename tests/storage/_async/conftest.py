"""The storage under test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature
from storage.places import RUN_IN, Place


@pytest.fixture(params=RUN_IN["_async"])
def where(request: pytest.FixtureRequest) -> str:
    """The name of a place."""
    return str(request.param)


@pytest.fixture
async def storage(
    place: Place, skip_what_it_lacks: Callable[[frozenset[Feature]], None]
) -> AsyncIterator[AsyncStorage]:
    """A storage with nothing in it."""
    async with place.async_open() as storage:
        skip_what_it_lacks(storage.features)
        yield storage


@pytest.fixture
async def elsewhere(storage: AsyncStorage, place: Place) -> AsyncIterator[AsyncStorage]:
    """A second storage over the same jobs, as another program has it."""
    async with place.async_open() as other:
        yield other
