"""Run every measurement and print the medians: `make bench`, or `python -m bench --runs 5`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from bench.servers import redis_server

IDLE_SECONDS = 10


def start(role: str, url: str) -> subprocess.Popen[str]:
    """Start one measured process."""
    command = [sys.executable, "-m", "bench.roles", role]
    env = {**os.environ, "BENCH_URL": url}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what a process printed last."""
    out, _ = process.communicate(timeout=300)
    if process.returncode:
        sys.exit(f"a measured process ended with {process.returncode}")
    return json.loads(out.splitlines()[-1])  # type: ignore[no-any-return]


def throughput(url: str) -> dict[str, float]:
    """Insert in one process, drain in another."""
    inserted = answer(start("insert", url))["per_second"]
    drained = answer(start("drain", url))["per_second"]
    joined = answer(start("enqueue", url))["per_second"]
    return {"bulk insert, rows/s": inserted, "drain, jobs/s": drained, "enqueue from 50 coroutines, jobs/s": joined}


def pickup(url: str) -> dict[str, float]:
    """Time from enqueue to the function's first line."""
    here = answer(start("pickup_here", url))
    worker = start("pickup_there", url)
    assert worker.stdout is not None
    worker.stdout.readline()
    answer(start("send", url))
    there = answer(worker)
    return {
        "pick-up in one process, p50 ms": here["p50"] * 1000,
        "pick-up in one process, p99 ms": here["p99"] * 1000,
        "pick-up across processes, p50 ms": there["p50"] * 1000,
        "pick-up across processes, p99 ms": there["p99"] * 1000,
    }


def idle(url: str) -> dict[str, float]:
    """What a worker costs that has nothing to do."""
    worker = start("idle", url)
    assert worker.stdout is not None
    worker.stdout.readline()
    process = psutil.Process(worker.pid)
    time.sleep(1)  # let the start-up's own work end
    before = process.cpu_times()
    time.sleep(IDLE_SECONDS)
    after, memory = process.cpu_times(), process.memory_info().rss
    worker.communicate("\n", timeout=60)
    used = after.user + after.system - before.user - before.system
    return {"idle worker, % of a core": 100 * used / IDLE_SECONDS, "idle worker, MiB": memory / 2**20}


def medians(measure: Callable[[str], dict[str, float]], urls: list[str]) -> dict[str, float]:
    """Measure once for each database, and return the median of each figure."""
    runs = [measure(url) for url in urls]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def sqlite(folder: Path, runs: int) -> None:
    """Measure on SQLite files, as durable as can be and less so."""
    for synchronous in ("full", "normal"):

        def urls(name: str, synchronous: str = synchronous) -> list[str]:
            files = [folder / f"{name}-{synchronous}-{n}.db" for n in range(runs)]
            return [f"sqlite:///{file}?synchronous={synchronous}" for file in files]

        found = medians(throughput, urls("throughput"))
        if synchronous == "full":
            found |= medians(pickup, urls("pickup")) | medians(idle, urls("idle")[:1])
        show(f"SQLite, WAL, synchronous={synchronous}", found)


def redis(folder: Path, runs: int) -> None:
    """Measure on a Redis server of our own, a database for each run."""
    with redis_server(folder) as server:
        urls = [f"{server}/{n}" for n in range(3 * runs)]
        found = medians(throughput, urls[:runs])
        found |= medians(pickup, urls[runs : 2 * runs]) | medians(idle, urls[-1:])
        show("Redis, appendfsync everysec", found)


def show(title: str, found: dict[str, float]) -> None:
    print(f"\n{title}")
    for name, value in found.items():
        print(f"  {name:36} {value:12,.1f}" if value < 1000 else f"  {name:36} {value:12,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sqlite", action="store_true", help="measure on SQLite only")
    parser.add_argument("--redis", action="store_true", help="measure on Redis only")
    said = parser.parse_args()
    everything = said.sqlite == said.redis
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of {said.runs} runs, 200 slots")
    with tempfile.TemporaryDirectory() as folder:
        if said.sqlite or everything:
            sqlite(Path(folder), said.runs)
        if said.redis or everything:
            redis(Path(folder), said.runs)


if __name__ == "__main__":
    main()
