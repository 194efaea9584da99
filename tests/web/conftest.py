"""A dashboard over jobs in memory, and somebody who asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from ferryman import Ferryman
from ferryman.job import JobRef, State
from ferryman.web import Access, Dashboard, Level, reading
from servers import postgres, valkey
from storage.places import OnPostgres, migrate
from web.asking import Asking
from web.stocked import stock


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every page wait until all of it is read: how long that takes here says nothing."""
    monkeypatch.setattr(reading, "_MOMENT", 30.0)


@dataclass
class Shop:
    """Jobs of every state, and somebody who looks at them."""

    jobs: Ferryman
    there: Asking
    refs: dict[State, JobRef]


@pytest.fixture
async def jobs() -> AsyncIterator[Ferryman]:
    """Jobs of an application, in memory; four are there already, each in a state of its own."""
    jobs = Ferryman("sqlite://", config=None)
    mail = jobs.kind("mail:send")
    async with jobs:
        await mail.using(queue="mail").enqueue({"to": "ada@example.com", "api_key": "sk-abcdefghijklmnop1234"})
        await mail.using(delay="1h", tags=["late"]).enqueue({"to": "bob@example.com"})
        gone = await mail.enqueue({"to": "<script>alert(1)</script>"})
        await jobs.admin.jobs.cancel(gone.ref)
        yield jobs


@pytest.fixture
async def board(jobs: Ferryman) -> AsyncIterator[Asking]:
    """A dashboard that lets everybody do everything."""
    async with asking(everything(jobs)) as there:
        yield there


@pytest.fixture
async def empty() -> AsyncIterator[Asking]:
    """A dashboard over a storage in memory that holds nothing."""
    async with Ferryman("sqlite://", config=None) as jobs, asking(everything(jobs)) as there:
        yield there


@pytest.fixture(params=["sqlite", "redis", "postgres"])
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    """A dashboard over a job of every state, on each storage."""
    with url_of(request.param) as url:
        async with Ferryman(url, config=None) as jobs, asking(everything(jobs)) as there:
            yield Shop(jobs, there, await stock(jobs))


@pytest.fixture
async def corner() -> AsyncIterator[Shop]:
    """The same on the cheapest storage alone, for what no storage does differently."""
    async with Ferryman("sqlite://", config=None) as jobs, asking(everything(jobs)) as there:
        yield Shop(jobs, there, await stock(jobs))


@contextmanager
def url_of(storage: str) -> Iterator[str]:
    """Give the URL of an empty storage."""
    if storage == "redis":
        valkey().flush()
        yield valkey().url
    elif storage == "postgres":
        with postgres().database() as url:
            migrate(OnPostgres(url))
            yield url
    else:
        yield "sqlite://"


def everything(jobs: Ferryman) -> Dashboard:
    """Return a dashboard that lets everybody do everything, but see no secrets."""
    return Dashboard(jobs, auth=lambda request: Access(Level.ADMIN, "ann", "test"))


asking = Asking
