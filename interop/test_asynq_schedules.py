"""What one side enqueues by the clock the other works and lists."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from programs import Asker, Program, Work, running, until
from servers import Servers


@pytest.fixture
def go_schedule(asynq: str, redis: Servers) -> AbstractAsyncContextManager[Program]:
    """Go's scheduler, with a job every second."""
    options = {"timeout": "40s", "retries": 3, "queue": "low"}
    plan = [{"spec": "@every 1s", "job": {"kind": "note", "payload": "dGljaw==", **options}}]
    return running(asynq, "schedule", redis.url, msgspec.json.encode(plan).decode())


async def test_we_work_what_go_schedules(go_schedule: AbstractAsyncContextManager[Program], work: Work) -> None:
    async with go_schedule, work("python", queues={"low": 1}) as program:
        seen = [await program.hears("seen") for _ in range(2)]

    assert [(each["kind"], each["payload"], each["attempts"]) for each in seen] == [("note", b"tick", 4)] * 2


async def test_go_works_what_we_schedule(work: Work) -> None:
    async with work("python", queues={"other": 1}, every="1s"), work("go") as program:
        seen = [await program.hears("seen") for _ in range(2)]

    assert [(each["kind"], each["payload"], each["attempts"]) for each in seen] == [("tick", b"{}", 4)] * 2


async def test_go_lists_what_we_schedule(work: Work, go: Asker) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    async with work("python", queues={"other": 1}, every="1s"):
        await until(lambda: has_run(go))
        (entry,) = await go.ask("schedules")
        (first, *_) = await go.ask("events", id=entry["id"])
    now = datetime.now(UTC)

    assert (entry["id"], entry["spec"], entry["kind"], entry["payload"]) == ("tick", "@every 1s", "tick", b"{}")
    assert entry["options"] == ['Queue("default")', "MaxRetry(3)", "Timeout(40s)"]
    assert began <= entry["last_at"] < entry["next_at"] < now + timedelta(seconds=2)
    assert (await go.ask("job", queue="default", id=first["TaskID"]))["kind"] == "tick"
    assert began <= datetime.fromisoformat(first["EnqueuedAt"]) <= now


async def has_run(go: Asker) -> bool:
    return any(entry["last_at"] for entry in await go.ask("schedules"))
