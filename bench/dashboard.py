"""What the dashboard costs over 200,000 failed jobs: CPU time of a page, and the memory of its process.

    python -m bench.dashboard sqlite:////tmp/dash.db redis://127.0.0.1:6379/9 postgres://localhost/bench

A storage that holds nothing is filled first.  Pages are asked for in process; what counts is CPU time, and time on the
wall where somebody waits: for the first page, and beside a gathering of failures by their cause.
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import sys
import time
from datetime import UTC, datetime

import httpx

from ferryman import Ferryman
from ferryman.job import AttemptError, NewJob
from ferryman.outcome import Discarded, Finished
from ferryman.web import Access, Dashboard, Level

JOBS = 200_000
BATCH = 2_000
ROUNDS = 30
PAGES = {
    "overview": "/s/main/",
    "queues": "/s/main/queues",
    "failed, one by one": "/s/main/jobs?state=discarded",
    "failed, by cause": "/s/main/failed",
}


async def fill(jobs: Ferryman) -> None:
    """Store jobs that have all failed for good."""
    storage = await jobs.connections.storage()
    for batch in range(JOBS // BATCH):
        await storage.jobs.insert_fast([NewJob(kind="mail:send", args=b'{"to":%d}' % n) for n in range(BATCH)])
        taken = await storage.jobs.fetch([("default", BATCH)], limit=BATCH, kinds=None, worker="bench")
        error = AttemptError(datetime.now(UTC), 1, f"no route to host {batch % 7}", "Traceback\n" * 10)
        await storage.jobs.finish([Finished(job, Discarded(error)) for job in taken])


async def measure(url: str) -> None:
    """Print what each page costs over one storage."""
    name = url.partition(":")[0]
    async with Ferryman(url, config=None) as jobs:
        if not await jobs.admin.jobs.count():
            await fill(jobs)
        dashboard = Dashboard(jobs, auth=lambda request: Access(Level.ADMIN, "bench", "bench"))
        transport = httpx.ASGITransport(dashboard)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
            for page, path in PAGES.items():
                first = await once(client, path)
                rounds = [await once(client, path) for _ in range(ROUNDS)]
                cpu, wall = (statistics.median(each) * 1000 for each in zip(*rounds, strict=True))
                print(
                    f"{name:10} {page:20} {cpu:7.1f} ms CPU {wall:8.1f} ms on the wall, the first {first[1] * 1000:.0f}"
                )
            print(f"{name:10} {'beside a gathering':20} {await beside(client, dashboard) * 1000:7.1f} ms, the slowest")
        await dashboard.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:10} {'memory, at most':20} {memory:7.1f} MiB")


async def once(client: httpx.AsyncClient, path: str) -> tuple[float, float]:
    """Ask for a page; return its CPU time and its time on the wall."""
    cpu, wall = time.process_time(), time.perf_counter()
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return time.process_time() - cpu, time.perf_counter() - wall


async def beside(client: httpx.AsyncClient, dashboard: Dashboard) -> float:
    """Return how long the slowest of the other pages takes while failures are gathered anew."""
    dashboard.board.first.reads.anew()
    gathering = asyncio.create_task(client.get(PAGES["failed, by cause"]))
    slowest = 0.0
    while not gathering.done():
        for path in (PAGES["overview"], PAGES["failed, one by one"]):
            slowest = max(slowest, (await once(client, path))[1])
    return slowest


if __name__ == "__main__":
    for each in sys.argv[1:]:
        asyncio.run(measure(each))
