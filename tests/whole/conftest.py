"""Places to run Briefings in: one development program for a whole module, or a folder of one's own.

Where nothing is said about the storage, jobs are in the SQLite file beside everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from servers import postgres, valkey
from whole.program import Place, Program


@pytest.fixture(scope="module", params=["sqlite", "redis", "postgres"])
def dev(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The place of `make dev`, of the same with REDIS_URL, and with a DATABASE_URL of Postgres."""
    with ExitStack() as stack:
        env = {}
        if request.param == "redis":
            valkey().flush()
            env["REDIS_URL"] = valkey().url
        if request.param == "postgres":
            env["DATABASE_URL"] = stack.enter_context(postgres().database())
        place = Place(tmp_path_factory.mktemp("dev"), **env)
        yield place
        place.http.close()


@pytest.fixture(scope="module")
def briefings(dev: Place) -> Iterator[Program]:
    """`make dev`: web, worker and mock service in one process."""
    with dev.running() as program:
        yield program


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A folder of one's own, and nothing running in it."""
    place = Place(tmp_path)
    yield place
    place.http.close()
