"""A worker in a process of its own.  What happens there it says on standard output, one JSON list a line.

    python ferry.py URL '{"settings": {…}, "burst": false, "log": "runs.txt"}'

SIGTERM stops it, SIGUSR1 lets the jobs of `hold` end.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ferryman import Ferryman, Job
from ferryman.engine.completer import Completer
from ferryman.events import (
    Event,
    JobFinished,
    JobStarted,
    LeaderChanged,
    Listening,
    LoopBlocked,
    ServiceBack,
    ServiceFailed,
    StorageBack,
    StorageLost,
    WorkerStarted,
    WorkerStopped,
    WorkerStopping,
)
from ferryman.storage.river.sqlite import location
from ferryman.storage.river.verbs import leaders

url, said = sys.argv[1], json.loads(sys.argv[2])
jobs = Ferryman(url, **said.get("settings", {}))
released = asyncio.Event()


def say(*words: Any) -> None:
    os.write(1, (json.dumps(words) + "\n").encode())


@jobs.task("note")
async def note(number: int, job: Job) -> None:
    """Write down that it ran."""
    os.write(runs, f"{number} {job.attempt}\n".encode())


@jobs.task("hold", backoff=0.05)
async def hold() -> str:
    """Wait until somebody lets it end."""
    await released.wait()
    return "held"


@jobs.task("block_once", timeout=0.2, backoff=0.05)
async def block_once(job: Job) -> str:
    """Block the whole process at the first attempt, so that nobody but a killer ends it."""
    if job.attempt == 1:
        time.sleep(60)
    return f"attempt {job.attempt}"


@jobs.task("effect", timeout=0.2, backoff=0.05)
async def effect(job: Job) -> str:
    """Do something outside."""
    say("effect", job.attempt)
    return f"attempt {job.attempt}"


WORDS: dict[type[Event], Callable[[Any], tuple[Any, ...]]] = {
    JobStarted: lambda e: ("started", e.job.id),
    JobFinished: lambda e: ("finished", e.job.id, e.state),
    WorkerStarted: lambda e: ("ready",),
    WorkerStopping: lambda e: ("stopping", e.running, e.why),
    WorkerStopped: lambda e: ("stopped", e.released),
    LeaderChanged: lambda e: ("leads" if e.leading else "leads no more",),
    Listening: lambda e: ("hears by", e.by, e.lacking),
    LoopBlocked: lambda e: ("blocked",),
    StorageLost: lambda e: ("lost", str(e.error)),
    StorageBack: lambda e: ("back",),
    ServiceFailed: lambda e: ("failed", e.service, str(e.error)),
    ServiceBack: lambda e: ("works", e.service),
}


def tell(event: Event) -> None:
    say(*WORDS[type(event)](event))


async def die(completer: Completer, most: int = 0) -> None:
    """Go the way of a machine whose plug is pulled: the work is done, and nobody was told."""
    os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    worker = jobs.worker(burst=said.get("burst", False))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, worker.stop, "SIGTERM")
    loop.add_signal_handler(signal.SIGUSR1, released.set)
    await worker.serve()
    await jobs.close()


if __name__ == "__main__":
    for event in said.get("tells", ("JobStarted", "JobFinished", "WorkerStarted", "WorkerStopping", "WorkerStopped")):
        jobs.events.subscribe(globals()[event], tell)
    if said.get("dies_before_writing"):
        Completer.flush = die  # type: ignore[method-assign]
    if "lease" in said:
        leaders.LEASE = timedelta(seconds=said["lease"])
    if "busy_seconds" in said:
        location.BUSY_SECONDS = said["busy_seconds"]
    runs = os.open(said.get("log", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    asyncio.run(main())
