"""What both our workers have: the kinds of jobs that Go's have too, and a run until somebody asks it to end.

Each worker has a storage, kinds of its own, and its own way to tell what a job is like.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from typing import Any

from ferryman import Ferryman, Job, Revoke
from ferryman.events import WorkerStarted

__all__ = ["add_kinds", "run", "say"]


def say(said: str, **words: Any) -> None:
    """Write one line, which a test may wait for."""
    os.write(1, (json.dumps({"said": said, **words}) + "\n").encode())


def add_kinds(jobs: Ferryman, said: dict[str, Any], tell: Callable[[Job], None], **options: Any) -> None:
    """Declare the kinds; `options` are those of every task that fails."""
    log = os.open(said.get("log") or os.devnull, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    again = {"backoff": said.get("retry_in", 0), **options}

    @jobs.task("count")
    async def count(payload: bytes) -> None:
        os.write(log, payload + b"\n")

    @jobs.task("twice", **again)
    async def twice(payload: bytes, job: Job) -> None:
        os.write(log, payload + b" attempt %d\n" % job.attempt)
        if job.attempt == 1:
            raise RuntimeError("once more")

    @jobs.task("note")
    async def note(payload: bytes, job: Job) -> None:
        tell(job)

    @jobs.task("fail", **again)
    async def fail(text: str, job: Job) -> None:
        tell(job)
        raise RuntimeError(text)

    @jobs.task("revoke", **options)
    async def revoke(text: str, job: Job) -> None:
        tell(job)
        raise Revoke(text)

    @jobs.task("hold", **again)
    async def hold(payload: bytes, job: Job) -> None:
        tell(job)
        try:
            await asyncio.Event().wait()
        finally:
            say("let go", id=job.id)

    @jobs.task("hold-once", **again)
    async def hold_once(payload: bytes, job: Job) -> None:
        tell(job)
        if job.attempt == 1:
            await asyncio.Event().wait()


async def run(jobs: Ferryman, name: str | None = None) -> None:
    """Work until SIGTERM, under this name."""
    jobs.events.subscribe(WorkerStarted, lambda event: say("ready"))
    worker = jobs.worker()
    worker.name = name or worker.name
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, worker.stop_now, each.name)
    await worker.serve()
    await jobs.close()
