"""What it takes to look at a million jobs, and to act on 100,000 of them beside a worker.

    python -m bench.looking redis://127.0.0.1:6379/9 postgres://localhost/bench

Without a URL it starts servers of its own.  A storage that holds nothing is filled first: 700,000 jobs that wait for
another attempt in one queue of Redis, a million that gave up in a database.  spec/cli.md asks for less than 3 s to
gather failures, 300 ms for a page, and a worker that is slowed by less than a third.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.servers import postgres_server, redis_server
from ferryman import Ferryman
from ferryman.admin.operations import BulkInfo
from ferryman.job import AttemptError, NewJob, State
from ferryman.outcome import Discarded, Finished, Outcome, Retry
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action

BATCH = 2_000
ACTED_ON = 100_000
WORKED = 300_000
MEASURED = 5.0
PAGE = 50
BUSY = "busy"


async def fill(jobs: Ferryman, number: int, outcome: Callable[[AttemptError], Outcome]) -> None:
    """Store jobs that have all failed, and jobs for the worker."""
    storage = await jobs.connections.storage()
    now = datetime.now(UTC)
    for batch in range(number // BATCH):
        kind = "report" if batch * BATCH < ACTED_ON else "mail:send"
        await storage.jobs.insert_fast([NewJob(kind=kind, args=b'{"to":%d}' % n) for n in range(BATCH)])
        taken = await storage.jobs.fetch([("default", BATCH)], limit=BATCH, kinds=None, worker="bench")
        error = AttemptError(now, 1, f"no route to host {batch % 7}", "Traceback\n" * 10)
        await storage.jobs.finish([Finished(job, outcome(error)) for job in taken])
    for _ in range(WORKED // BATCH):
        await storage.jobs.insert_fast([NewJob(kind="bench:noop", queue=BUSY, args=b'{"n":1}') for _ in range(BATCH)])


async def measure(url: str) -> None:
    """Print every figure over one storage."""
    name = url.partition(":")[0]
    state = State.RETRYABLE if name.startswith("redis") else State.DISCARDED
    async with Ferryman(url, config=None) as jobs:
        if not await jobs.admin.jobs.count():
            if state is State.RETRYABLE:
                await fill(jobs, 700_000, lambda error: Retry(datetime.now(UTC) + timedelta(days=1), error))
            else:
                await fill(jobs, 1_000_000, Discarded)
        await look(name, jobs, state)
        await act(name, url, jobs, state)


async def look(name: str, jobs: Ferryman, state: State) -> None:
    """Print how long looking takes."""
    began = time.perf_counter()
    found = await jobs.admin.failed.groups(JobFilter(states=(state,)))
    took = time.perf_counter() - began
    print(f"{name:10} failed, gathered: {took:.2f} s, {found.scanned:,} of {found.of:,} looked at")
    filters = {
        "by kind": JobFilter(states=(state,), kinds=("report",)),
        "by error": JobFilter(states=(state,), error="host 3"),
        "by argument": JobFilter(states=(state,), args={"to": "77"}),
        "by what is not there": JobFilter(states=(state,), error="nothing of the kind"),
    }
    for words, which in filters.items():
        times = [await timed(jobs.admin.jobs.list(which, limit=PAGE)) * 1000 for _ in range(5)]
        print(f"{name:10} a page {words}: {statistics.median(times):.0f} ms, the slowest {max(times):.0f}")


async def timed(answer: Awaitable[object]) -> float:
    """Return how long it takes, in seconds."""
    began = time.perf_counter()
    await answer
    return time.perf_counter() - began


async def act(name: str, url: str, jobs: Ferryman, state: State) -> None:
    """Retry jobs beside a worker, stop half-way, go on, and print what became of them and of the worker's pace."""
    which = JobFilter(states=(state,), kinds=("report",))
    bulk = jobs.admin.bulk
    words = [sys.executable, "-m", "ferryman", "worker", "bench.tasks:jobs", "--url", url, "-Q", BUSY, "--quiet"]
    worker = await asyncio.create_subprocess_exec(*words)
    try:
        await pace(jobs)  # it starts
        alone = await pace(jobs)
        info = await bulk.start(Action.RETRY, which, expected=ACTED_ON)
        began = time.perf_counter()
        (beside, half) = await asyncio.gather(pace(jobs), work(jobs, info, until=ACTED_ON // 2))
        whole = await work(jobs, await bulk.resume(info.id), until=ACTED_ON)
        took = time.perf_counter() - began
    finally:
        worker.terminate()
        await worker.wait()
    now_waiting = JobFilter(states=(State.AVAILABLE,), queues=("default",), kinds=("report",))
    there = (await jobs.admin.jobs.count(now_waiting, cap=2 * ACTED_ON, seconds=60)).total
    print(f"{name:10} retried {half:,}, stopped, then {whole:,} in all, {ACTED_ON / took:,.0f}/s; {there:,} wait now")
    print(f"{name:10} the worker beside: {beside:,.0f}/s instead of {alone:,.0f}/s, {1 - beside / alone:.0%} slower")


async def work(jobs: Ferryman, info: BulkInfo, until: int) -> int:
    """Do a bulk operation up to here, leave it, and return how many are done."""
    done = info.done
    async for now in jobs.admin.bulk.work(info.id):
        done = now.done
        if done >= until:
            break
    await jobs.admin.bulk.leave(info.id)
    return done


async def pace(jobs: Ferryman) -> float:
    """Return how many jobs a second the worker ends."""
    before, began = await waiting(jobs), time.perf_counter()
    await asyncio.sleep(MEASURED)
    after = await waiting(jobs)
    return (before - after) / (time.perf_counter() - began)


async def waiting(jobs: Ferryman) -> int:
    """Return how many jobs the worker still has before it."""
    return (await jobs.admin.queues.get(BUSY)).counts.get(State.AVAILABLE, 0)


def with_servers_of_our_own() -> None:
    """Measure on servers that are started for it."""
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as url:
        asyncio.run(measure(f"{url}/0"))
    with postgres_server() as database:
        asyncio.run(measure(database()))


if __name__ == "__main__":
    for each in sys.argv[1:]:
        asyncio.run(measure(each))
    if not sys.argv[1:]:
        with_servers_of_our_own()
