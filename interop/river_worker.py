"""Our worker on Postgres in a process of its own, with the kinds of jobs that Go's has (go/river/handlers.go).

    python river_worker.py work URL '{"queues": ["default"], "log": "runs.txt"}'

SIGTERM stops it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64encode
from typing import Any

from ferryman import Ferryman, Job, Snooze, record_output
from ferryman.events import QueuePaused
from kinds import add_kinds, run, say

_, _, url, text = sys.argv
said: dict[str, Any] = json.loads(text)
jobs = Ferryman(
    url,
    queues=said.get("queues"),
    concurrency=said.get("concurrency"),
    timeout=said.get("timeout", 60),
    rescue_after=said.get("rescue_after"),
    schedule_interval=0.2,
    rescue_interval=0.2,
    elect_interval=0.2,
)


def tell(job: Job) -> None:
    """Tell what a job is like, before anything is done."""
    say(
        "seen",
        id=job.id,
        kind=job.kind,
        queue=job.queue,
        payload=b64encode(job.args).decode(),
        attempt=job.attempt,
        attempts=job.max_attempts,
        priority=job.priority,
        tags=job.tags,
    )


@jobs.task("order")
async def order(payload: bytes, job: Job) -> None:
    tell(job)


@jobs.task("result")
async def result(text: str, job: Job) -> None:
    tell(job)
    record_output(text)


@jobs.task("later")
async def later(payload: bytes, job: Job) -> None:
    tell(job)
    raise Snooze("1h")


@jobs.task("tick")
async def tick(job: Job) -> None:
    tell(job)


if __name__ == "__main__":
    add_kinds(jobs, said, tell, errors="bare")
    if seconds := said.get("every"):
        jobs.every(seconds, id="tick", on_start=True)(tick)
    jobs.events.subscribe(QueuePaused, lambda event: say("paused", queue=event.queue))
    asyncio.run(run(jobs, said.get("name")))
