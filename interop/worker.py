"""Our worker in a process of its own, with the kinds of jobs that Go's has (go/asynq/handlers.go).

    python worker.py work URL '{"queues": {"default": 1}, "log": "runs.txt"}'

SIGTERM stops it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ferryman import Cancel, Discard, Ferryman, Job, NewJob
from kinds import add_kinds, run, say

_, _, url, text = sys.argv
said: dict[str, Any] = json.loads(text)
jobs = Ferryman(
    url,
    queues=said.get("queues"),
    strict=said.get("strict"),
    concurrency=said.get("concurrency"),
    schedule_interval=0.1,
    rescue_interval=1,
    clean_interval=1,
    heartbeat_interval=1,
    take_unknown_kinds=True,
)


def tell(job: Job) -> None:
    """Tell what a job is like, before anything is done."""
    left = [] if job.timeout in (None, 0) else [job.timeout]
    left += [] if job.deadline is None else [(job.deadline - datetime.now(UTC)).total_seconds()]
    say(
        "seen",
        id=job.id,
        kind=job.kind,
        queue=job.queue,
        payload=b64encode(job.args).decode(),
        headers=job.headers or None,
        attempt=job.attempt,
        attempts=job.max_attempts,
        seconds_left=min(left),
    )


@jobs.task("pull-the-plug")
async def pull_the_plug(job: Job) -> None:
    if job.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)


@jobs.task("typed")
async def typed(to: str, times: int, job: Job, urgent: bool = False) -> None:
    tell(job)
    say("typed", to=to, times=times, urgent=urgent)


@jobs.task("result")
async def result(text: str, job: Job) -> str:
    tell(job)
    return text


@jobs.task("fail-once", backoff=said.get("retry_in", 0))
async def fail_once(text: str, job: Job) -> None:
    tell(job)
    if job.attempt == 1:
        raise RuntimeError(text)


@jobs.task("cancel")
async def cancel(text: str, job: Job) -> None:
    tell(job)
    raise Cancel(text)


@jobs.task("give-up")
async def give_up(text: str, job: Job) -> None:
    tell(job)
    raise Discard(text)


async def tick(job: Job) -> None:
    tell(job)


async def combine(group: str, gathered: Sequence[Job]) -> NewJob:
    return jobs.kind("note").job(b"\n".join(job.args for job in gathered))


if __name__ == "__main__":
    add_kinds(jobs, said, tell)
    if size := said.get("group_size"):
        jobs.aggregate(grace="1s", max_size=size)(combine)
    if spec := said.get("every"):
        jobs.every(spec)(jobs.task("tick", retries=3, timeout="40s")(tick))
    asyncio.run(run(jobs))
