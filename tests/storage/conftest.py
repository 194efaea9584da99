"""Runs the conformance suite in its places (places.py), and skips what a storage says it cannot do.

The fixtures `storage` and `elsewhere` stand in `_async/conftest.py`, and generated in
`_sync/`, since one opens a storage for an event loop and the other for code that blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ferryman.storage.values import Feature
from storage.places import PLACES, Place


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(feature): skipped where a storage has not this feature")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is made once."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(params=PLACES)
def where(request: pytest.FixtureRequest) -> str:
    """The name of a place."""
    return str(request.param)


@pytest.fixture
def place(where: str, tmp_path: Path, shared: Path) -> Iterator[Place]:
    """A new set of jobs."""
    with PLACES[where](tmp_path, shared) as place:
        yield place


@pytest.fixture
def skip_what_it_lacks(request: pytest.FixtureRequest) -> Callable[[frozenset[Feature]], None]:
    """Skip the test, visibly, if it needs a feature that is not among these."""

    def skip(features: frozenset[Feature]) -> None:
        for mark in request.node.iter_markers("needs"):
            if mark.args[0] not in features:
                pytest.skip(f"this storage has not: {mark.args[0]}")

    return skip
