"""A storage in memory, a clock in hand, and a recorder of what happens."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine.stage import Flaky, Stage
from ferryman.engine.outage import Outage, Report
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.river.sqlite._async.storage import AsyncSqliteStorage
from ferryman.storage.river.sqlite.location import Location
from ferryman.task import Tasks
from ferryman.testing import FakeClock, Recorder


@pytest.fixture
def clock() -> FakeClock:
    """Noon of a winter's day, until a test moves it."""
    return FakeClock()


@pytest.fixture
def seen() -> Recorder:
    """What has happened."""
    return Recorder()


@pytest.fixture
def outage(clock: FakeClock, seen: Recorder) -> Outage:
    """No outage yet."""
    return Outage(clock, seen.bus)


@pytest.fixture
def report(outage: Outage) -> Report:
    """What a service says of itself."""
    return Report("cleaner", outage)


@pytest.fixture
def tasks() -> Tasks:
    """No task yet."""
    return Tasks()


@pytest.fixture
async def storage() -> AsyncIterator[AsyncStorage]:
    """A storage with nothing in it."""
    async with AsyncSqliteStorage(Location("")) as storage:
        yield storage


@pytest.fixture
def flaky(storage: AsyncStorage) -> Flaky:
    """The same storage, which can be made to fail."""
    return Flaky(storage)


@pytest.fixture
def stage(flaky: Flaky, tasks: Tasks, clock: FakeClock, seen: Recorder) -> Stage:
    """An engine without its services: a test starts those it is about."""
    return Stage(flaky, tasks, clock, seen)
