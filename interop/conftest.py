"""Builds the Go program once, and gives tests an empty Redis with a client of each side."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ferryman import Ferryman, State
from programs import Asker, Enqueue, Program, Work, asking, python_worker, running, until
from servers import Servers, valkey

HERE = Path(__file__).parent

SIDES = {"go": "python", "python": "go"}


@pytest.fixture(scope="session")
def asynq(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Go program, as a path."""
    if shutil.which("go") is None:
        pytest.skip("there is no Go here")
    program = tmp_path_factory.mktemp("go") / "asynq"
    subprocess.run(["go", "build", "-o", str(program), "./asynq"], cwd=HERE / "go", check=True)
    return str(program)


@pytest.fixture
def redis() -> Servers:
    """A Redis with nothing in it."""
    server = valkey()
    server.flush()
    return server


@pytest.fixture
async def jobs(redis: Servers) -> AsyncIterator[Ferryman]:
    """Our side."""
    async with Ferryman(redis.url) as jobs:
        yield jobs


@pytest.fixture
async def go(asynq: str, redis: Servers) -> AsyncIterator[Asker]:
    """Go's side."""
    async with asking(asynq, redis.url) as asker:
        yield asker


@pytest.fixture
def work(asynq: str, redis: Servers) -> Work:
    """Runs a worker of either side: `async with work("go", concurrency=2) as worker`."""

    def start(side: str, **settings: Any) -> AbstractAsyncContextManager[Program]:
        command = (asynq,) if side == "go" else python_worker()
        return running(*command, "work", redis.url, msgspec.json.encode(settings).decode())

    return start


@pytest.fixture(params=SIDES)
def client(request: pytest.FixtureRequest) -> str:
    """The side that enqueues: a test that asks for it runs both ways."""
    return str(request.param)


@pytest.fixture
def worker(client: str) -> str:
    """The side that works: the other one."""
    return SIDES[client]


@pytest.fixture
def enqueue(client: str, go: Asker, jobs: Ferryman) -> Enqueue:
    """Enqueues from the client's side; the answer is the job's id."""

    async def with_go(kind: str, payload: bytes, **options: Any) -> str:
        answer = await go.ask("enqueue", job={"kind": kind, "payload": payload, **options})
        return str(answer["id"])

    async def with_python(kind: str, payload: bytes, **options: Any) -> str:
        return (await jobs.kind(kind).using(**options).enqueue(payload)).ref.id

    return with_go if client == "go" else with_python


@pytest.fixture
async def full(enqueue: Enqueue, work: Work, worker: str, jobs: Ferryman, go: Asker) -> dict[str, str]:
    """A queue with a job in every state but active, by state."""
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    ids = {
        "retry": await enqueue("fail", b'{"text": "not yet"}'),
        "archived": await enqueue("give-up", b'{"text": "never"}'),
        "completed": await enqueue("result", b'{"text": "done"}', retention="1h"),
    }
    async with work(worker, retry_in=600):
        await until(lambda: all_worked(jobs))
    ids["pending"] = await enqueue("note", b"\x00 waits")
    ids["scheduled"] = await enqueue("note", b"later", at=soon)
    ids["aggregating"] = await enqueue("note", b"with others", group="g")
    return ids


async def all_worked(jobs: Ferryman) -> bool:
    counts = (await jobs.admin.queues.get("default")).counts
    return counts == {State.RETRYABLE: 1, State.DISCARDED: 1, State.COMPLETED: 1}
