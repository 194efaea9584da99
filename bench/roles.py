"""What each measured process does; `python -m bench.roles ROLE` prints one JSON line."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from bench.tasks import jobs, linger, noop, pickup, waits
from ferryman.events import JobFinished, WorkerStarted, WorkerStopping

SLOTS = 200
JOBS = 40_000
BULK = 10_000
SAMPLES = 200
BESIDE = 1_000
"""How many jobs run for long while others are finished."""


async def insert() -> dict[str, float]:
    """Store JOBS no-op jobs, BULK in a call."""
    made = [noop.job(n) for n in range(JOBS)]
    await jobs.client.enqueue_many(made[:1])
    began = time.perf_counter()
    for first in range(0, JOBS, BULK):
        await jobs.enqueue_many(made[first : first + BULK])
    return {"per_second": JOBS / (time.perf_counter() - began)}


async def enqueue() -> dict[str, float]:
    """Store jobs one by one from fifty coroutines at a time."""
    count, callers = 5_000, 50
    await noop.enqueue(0)

    async def caller() -> None:
        for n in range(count // callers):
            await noop.enqueue(n)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return {"per_second": count / (time.perf_counter() - began)}


async def drain() -> dict[str, float]:
    """Work until nothing is left."""
    marks: dict[type, tuple[float, float]] = {}
    for event in (WorkerStarted, WorkerStopping):
        jobs.events.subscribe(
            event, lambda happened: marks.setdefault(type(happened), (time.perf_counter(), time.process_time()))
        )
    waiting = (await jobs.admin.jobs.count()).get("available", 0)
    await jobs.worker(burst=True, concurrency=SLOTS, periodic=False).serve()
    done = waiting - (await jobs.admin.jobs.count()).get("available", 0)
    wall, cpu = (end - start for start, end in zip(marks[WorkerStarted], marks[WorkerStopping], strict=True))
    return {"per_second": done / wall, "cpu_each": cpu / done, "done": done}


async def finish_alone() -> dict[str, float]:
    """Work JOBS no-op jobs, from the first that is written until the last."""
    return await _finish(SLOTS)


async def finish_beside() -> dict[str, float]:
    """The same with as many free slots, while BESIDE jobs run."""
    await jobs.enqueue_many([linger.job() for _ in range(BESIDE)])
    return await _finish(SLOTS + BESIDE)


async def _finish(slots: int) -> dict[str, float]:
    for first in range(0, JOBS, 1_000):
        await jobs.enqueue_many([noop.job(n) for n in range(first, first + 1_000)])
    marks: list[float] = []
    jobs.events.subscribe(JobFinished, lambda happened: marks.append(time.perf_counter()))
    worker = jobs.worker(concurrency=slots)
    async with worker:
        while len(marks) < JOBS:
            await asyncio.sleep(0.005)
        worker.stop_now()
    return {"per_second": (JOBS - 1) / (marks[JOBS - 1] - marks[0])}


async def pickup_here() -> dict[str, float]:
    """Enqueue and work in one process, one job at a time."""
    async with jobs.worker(concurrency=10):
        for wanted in range(1, SAMPLES + 1):
            await pickup.enqueue(time.time_ns())
            while len(waits) < wanted:
                await asyncio.sleep(0.0005)
    return _spread(waits)


async def pickup_there() -> dict[str, float]:
    """Work what another process enqueues, and say how long each waited."""
    async with jobs.worker(concurrency=10):
        print("ready", flush=True)
        while len(waits) < SAMPLES:
            await asyncio.sleep(0.005)
    return _spread(waits)


async def send() -> dict[str, float]:
    """Enqueue a job every 20 to 70 ms, out of step with any polling."""
    for n in range(SAMPLES):
        await pickup.enqueue(time.time_ns())
        await asyncio.sleep(0.02 + n * 7 % 50 / 1000)
    return {}


async def idle() -> dict[str, float]:
    """Work nothing, until the parent has seen enough."""
    async with jobs.worker(concurrency=10):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    return {}


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"p50": ordered[len(ordered) // 2], "p99": ordered[int(len(ordered) * 0.99)]}


def main() -> None:
    role = globals()[sys.argv[1]]
    try:
        import uvloop

        answer = uvloop.run(_closing(role))
    except ImportError:
        answer = asyncio.run(_closing(role))
    print(json.dumps(answer), flush=True)


async def _closing(role: object) -> dict[str, float]:
    async with jobs:
        return await role()  # type: ignore[operator, no-any-return]


if __name__ == "__main__":
    main()
