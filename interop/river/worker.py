"""Our worker on Postgres in a process of its own, with the kinds of jobs that Go's has (go/river/handlers.go).

    python worker.py work URL '{"queues": ["default"], "log": "runs.txt"}'

SIGTERM stops it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from base64 import b64encode
from typing import Any

from ferryman import Cancel, Ferryman, Job, Snooze, record_output
from ferryman.events import QueuePaused, WorkerStarted

_, _, url, text = sys.argv
said: dict[str, Any] = json.loads(text)
retry_in = said.get("retry_in", 0)
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
log = os.open(said.get("log") or os.devnull, os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def say(said: str, **words: Any) -> None:
    os.write(1, (json.dumps({"said": said, **words}) + "\n").encode())


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


@jobs.task("count")
async def count(payload: bytes) -> None:
    os.write(log, payload + b"\n")


@jobs.task("twice", backoff=retry_in)
async def twice(payload: bytes, job: Job) -> None:
    os.write(log, payload + b" attempt %d\n" % job.attempt)
    if job.attempt == 1:
        raise RuntimeError("once more")


@jobs.task("note")
async def note(payload: bytes, job: Job) -> None:
    tell(job)


@jobs.task("order")
async def order(payload: bytes, job: Job) -> None:
    tell(job)


@jobs.task("result")
async def result(text: str, job: Job) -> None:
    tell(job)
    record_output(text)


@jobs.task("fail", backoff=retry_in, errors="bare")
async def fail(text: str, job: Job) -> None:
    tell(job)
    raise RuntimeError(text)


@jobs.task("revoke", errors="bare")
async def revoke(text: str, job: Job) -> None:
    tell(job)
    raise Cancel(text)


@jobs.task("later")
async def later(payload: bytes, job: Job) -> None:
    tell(job)
    raise Snooze("1h")


@jobs.task("hold", backoff=retry_in, errors="bare")
async def hold(payload: bytes, job: Job) -> None:
    tell(job)
    try:
        await asyncio.Event().wait()
    finally:
        say("let go", id=job.id)


@jobs.task("hold-once", backoff=retry_in, errors="bare")
async def hold_once(payload: bytes, job: Job) -> None:
    tell(job)
    if job.attempt == 1:
        await asyncio.Event().wait()


@jobs.task("tick")
async def tick(job: Job) -> None:
    tell(job)


async def main() -> None:
    worker = jobs.worker()
    if name := said.get("name"):
        worker.name = name
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, worker.stop_now, each.name)
    await worker.serve()
    await jobs.close()


if __name__ == "__main__":
    if seconds := said.get("every"):
        jobs.every(seconds, id="tick", on_start=True)(tick)
    jobs.events.subscribe(WorkerStarted, lambda event: say("ready"))
    jobs.events.subscribe(QueuePaused, lambda event: say("paused", queue=event.queue))
    asyncio.run(main())
