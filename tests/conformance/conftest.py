"""Scenarios of River's harness, played against two adapter processes of ours (spec/river-conformance.md 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from conformance.adapter import Adapter
from conformance.database import Database, PostgresDatabase, SqliteDatabase
from servers import postgres

_numbers = count(1)


class Env:
    """A database, and the processes that share it."""

    def __init__(self, database: Any, folder: Path) -> None:
        self.db = database
        self.driver: str = database.driver
        self._folder = folder
        self._started: list[Adapter] = []

    def adapter(self) -> Adapter:
        """Start another process."""
        name = f"conformance-{next(_numbers)}"
        adapter = Adapter(self.db.environment, name, self._folder / "stderr")
        self._started.append(adapter)
        return adapter

    def close(self) -> None:
        """End the processes, which must end well."""
        statuses = [adapter.close() for adapter in self._started if adapter.is_alive]
        assert statuses == [0] * len(statuses), (self._folder / "stderr").read_text()


@pytest.fixture(params=["sqlite", "postgres"])
def unmigrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Env]:
    """An empty database."""
    wanted = request.node.get_closest_marker("only")
    if wanted and request.param not in wanted.args:
        pytest.skip(f"this scenario is for {wanted.args[0]} only")
    database: Database = SqliteDatabase(tmp_path) if request.param == "sqlite" else PostgresDatabase(postgres())
    env = Env(database, tmp_path)
    try:
        yield env
        env.close()
    finally:
        for adapter in env._started:
            adapter.kill()
        database.close()  # type: ignore[attr-defined]


@pytest.fixture
def env(unmigrated: Env) -> Env:
    """A database with River's tables."""
    one = unmigrated.adapter()
    one.migrate()
    unmigrated._first = one  # type: ignore[attr-defined]
    return unmigrated


@pytest.fixture
def one(env: Env) -> Adapter:
    """The process that has migrated."""
    first: Adapter = env._first  # type: ignore[attr-defined]
    return first


@pytest.fixture
def two(env: Env, one: Adapter) -> Adapter:
    """Another."""
    return env.adapter()


@pytest.fixture
def listening(env: Env) -> Callable[[Adapter], None]:
    """Wait until an adapter listens."""
    from conformance.adapter import wait_for

    def wait(adapter: Adapter) -> None:
        if env.driver == "postgres":
            wait_for(lambda: env.db.is_listening(adapter.name), f"{adapter.name} to listen", 10)

    return wait


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only(driver): a scenario of one database")
