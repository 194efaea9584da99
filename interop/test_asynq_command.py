"""Our command line beside Go: what it enqueues Go works, and what Go has it shows."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from programs import Asker, Work
from servers import Servers


async def ferryman(redis: Servers, *said: str) -> Any:
    """Run the command, and read the data that it prints."""
    command = (sys.executable, "-m", "ferryman", *said, "--url", redis.url, "--json")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0, out
    return json.loads(out)["data"]


async def test_go_works_what_the_command_enqueues_with_every_option(redis: Servers, work: Work, go: Asker) -> None:
    deadline = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    said = ["--id", "ada/1", "-Q", "low", "--retries", "7", "--deadline", deadline.isoformat(), "--header", "trace=abc"]
    lengths = ["--timeout", "90s", "--retention", "1h", "--unique", "2h"]

    await ferryman(redis, "enqueue", "typed", '{"to": "Ada", "times": 2}', *said, *lengths)

    job = await go.ask("job", queue="low", id="ada/1")
    assert (job["retries"], job["timeout"], job["retention"], job["deadline"]) == (7, 90, 3600, deadline)
    async with work("go", queues={"low": 1}) as program:
        seen = await program.hears("seen", id="ada/1")
        typed = await program.hears("typed")
    assert (seen["attempts"], seen["headers"]) == (8, {"trace": "abc"})
    assert typed == {"said": "typed", "to": "Ada", "times": 2, "urgent": False}


@pytest.mark.parametrize(
    ("options", "state"), [("--in 10m", "scheduled"), ("--group g", "aggregating"), ("", "pending")]
)
async def test_go_finds_what_the_command_enqueues(redis: Servers, go: Asker, options: str, state: str) -> None:
    await ferryman(redis, "enqueue", "note", "--bytes", "no JSON", *options.split())

    (job,) = await go.ask("list", queue="default", state=state, group="g", size=10)

    assert (job["kind"], job["payload"]) == ("note", b"no JSON")


async def test_the_command_shows_gos_jobs_queues_and_workers(redis: Servers, work: Work, go: Asker) -> None:
    await go.ask("enqueue", job={"kind": "note", "payload": b"{}", "id": "g1", "queue": "low"})

    async with work("go", queues={"default": 2}, concurrency=3):
        (queue,) = await ferryman(redis, "queue", "list")
        (job,) = await ferryman(redis, "job", "show", "low/g1")
        (worker,) = await ferryman(redis, "workers")

    assert (queue["name"], queue["counts"]) == ("low", {"available": 1})
    assert (job["kind"], job["queue"], job["state"], job["max_attempts"]) == ("note", "low", "available", 26)
    assert (worker["queues"], worker["concurrency"], worker["version"]) == ({"default": 2}, 3, "asynq")
