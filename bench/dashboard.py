"""What the dashboard costs over 200,000 failed jobs: CPU time of a page, and the memory of its process.

    python -m bench.dashboard sqlite:////tmp/dash.db redis://127.0.0.1:6379/9 postgres://localhost/bench

Each storage is filled first, so name empty ones.  Pages are asked for in process, and CPU time is
counted rather than time on the wall: the storage's own share is in the column `waited`.
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
    async with Ferryman(url, config=None) as jobs:
        await fill(jobs)
        dashboard = Dashboard(jobs, auth=lambda request: Access(Level.ADMIN, "bench", "bench"))
        transport = httpx.ASGITransport(dashboard)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
            for name, path in PAGES.items():
                await client.get(path)
                spent, waited = [], []
                for _ in range(ROUNDS):
                    cpu, wall = time.process_time(), time.perf_counter()
                    answer = await client.get(path)
                    assert answer.status_code == 200, answer.text
                    spent.append(time.process_time() - cpu)
                    waited.append(time.perf_counter() - wall)
                cpu, wall = statistics.median(spent) * 1000, statistics.median(waited) * 1000
                print(f"{url.partition(':')[0]:10} {name:20} {cpu:7.1f} ms CPU {wall:8.1f} ms on the wall")
        await dashboard.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{url.partition(':')[0]:10} {'memory, at most':20} {memory:7.1f} MiB")


if __name__ == "__main__":
    for each in sys.argv[1:]:
        asyncio.run(measure(each))
