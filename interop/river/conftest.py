"""Builds the Go program once, and gives tests an empty Postgres database with a client of each side."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tables import Tables

from ferryman import Ferryman, gojson
from ferryman.storage.river.bundle import LINES
from programs import Asker, Enqueue, Program, Work, asking, running
from servers import postgres

HERE = Path(__file__).parent
SIDES = {"go": "python", "python": "go"}


@pytest.fixture(scope="session")
def river(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Go program, as a path."""
    if shutil.which("go") is None:
        pytest.skip("there is no Go here")
    program = tmp_path_factory.mktemp("go") / "river"
    subprocess.run(["go", "build", "-o", str(program), "./river"], cwd=HERE.parent / "go", check=True)
    return str(program)


@pytest.fixture
def empty() -> Iterator[str]:
    """The URL of a database without tables."""
    with postgres().database() as url:
        yield url


@pytest.fixture
async def go(river: str, empty: str) -> AsyncIterator[Asker]:
    """Go's side."""
    async with asking(river, empty) as asker:
        yield asker


@pytest.fixture
async def url(empty: str, go: Asker) -> str:
    """The URL of a database with River's tables, made by River, and ours beside them."""
    await go.ask("migrate", up=True)
    async with Ferryman(empty) as jobs:
        for line in LINES:
            await jobs.admin.storage.migrate(line, up=True)
    return empty


@pytest.fixture
def tables(url: str) -> Iterator[Tables]:
    """What is in River's tables, seen by neither side."""
    with Tables(url) as tables:
        yield tables


@pytest.fixture
async def jobs(url: str) -> AsyncIterator[Ferryman]:
    """Our side."""
    async with Ferryman(url) as jobs:
        yield jobs


@pytest.fixture
def work(river: str, url: str) -> Work:
    """Runs a worker of either side: `async with work("go", concurrency=2) as worker`."""

    def start(side: str, **settings: Any) -> AbstractAsyncContextManager[Program]:
        command = (river,) if side == "go" else (sys.executable, str(HERE.parent / "river_worker.py"))
        return running(*command, "work", url, msgspec.json.encode(settings).decode())

    return start


@pytest.fixture(params=SIDES)
def client(request: pytest.FixtureRequest) -> str:
    """The side that enqueues or asks: a test that asks for it runs both ways."""
    return str(request.param)


@pytest.fixture
def worker(client: str) -> str:
    """The side that works: the other one."""
    return SIDES[client]


@pytest.fixture
def sides(go: Asker, jobs: Ferryman) -> dict[str, Enqueue]:
    """Enqueues from either side, with ferryman's options; the answer says where the job is."""

    async def with_go(kind: str, args: Any, **options: Any) -> dict[str, Any]:
        if "retries" in options:
            options["max_attempts"] = options.pop("retries") + 1
        if unique := options.pop("unique", None):
            options["unique"] = {
                "by_args": bool(unique.by_args),
                "by_period": unique.by_period.total_seconds() if unique.by_period else 0,
                "by_queue": unique.by_queue,
                "by_states": sorted(unique.by_states or ()),
                "exclude_kind": unique.exclude_kind,
            }
        job = {"kind": kind, "payload": gojson.encode(args), **options}
        answer: dict[str, Any] = await go.ask("enqueue", job=job)
        return answer

    async def with_python(kind: str, args: Any, **options: Any) -> dict[str, Any]:
        inserted = await jobs.kind(kind).using(**options).enqueue(args)
        return {"id": inserted.ref.id, "state": inserted.state.value, "duplicate": inserted.duplicate}

    return {"go": with_go, "python": with_python}


@pytest.fixture
def enqueue(client: str, sides: dict[str, Enqueue]) -> Enqueue:
    """Enqueues from the client's side; the answer is the job's id."""

    async def id_of(kind: str, args: Any, **options: Any) -> str:
        return str((await sides[client](kind, args, **options))["id"])

    return id_of
