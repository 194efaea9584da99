# Generated from tests/storage/_async/conftest.py by tools/unasync.py: change that file and run `make sync`.
"""The storage under test."""

from __future__ import annotations

from collections.abc import Iterator, Callable

import pytest

from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature
from storage.places import RUN_IN, Place


@pytest.fixture(params=RUN_IN["_sync"])
def where(request: pytest.FixtureRequest) -> str:
    """The name of a place."""
    return str(request.param)


@pytest.fixture
def storage(place: Place, skip_what_it_lacks: Callable[[frozenset[Feature]], None]) -> Iterator[Storage]:
    """A storage with nothing in it."""
    with place.open() as storage:
        skip_what_it_lacks(storage.features)
        yield storage


@pytest.fixture
def elsewhere(storage: Storage, place: Place) -> Iterator[Storage]:
    """A second storage over the same jobs, as another program has it."""
    with place.open() as other:
        yield other
