"""Measures ferryman: each figure from processes of its own, which `roles.py` describes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

import ferryman.storage.asynq
from bench.roles import BESIDE, SLOTS
from ferryman.storage.asynq.scripts import load

__all__ = ["answer", "beside", "commands", "drain", "idle", "pickup", "start", "throughput", "transactions"]

_IDLE_SECONDS = 10
_SETTLED = 2.0
_SCRIPTS = {
    load(path.stem).sha: path.stem for path in (Path(ferryman.storage.asynq.__file__).parent / "lua").glob("*.lua")
}


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
    drained = answer(start("drain", url))
    joined = answer(start("enqueue", url))["per_second"]
    return {
        "bulk insert, rows/s": inserted,
        "drain, jobs/s": drained["per_second"],
        "drain, µs of the worker's CPU a job": drained["cpu_each"] * 1e6,
        "enqueue from 50 coroutines, jobs/s": joined,
    }


def drain(url: str) -> dict[str, float]:
    """Insert in one process, drain in another, for comparing."""
    answer(start("insert", url))
    return {"drain, jobs/s": answer(start("drain", url))["per_second"]}


def beside(url: str) -> dict[str, float]:
    """Finish jobs in 200 slots, alone and while others run for long."""
    alone = answer(start("finish_alone", url))["per_second"]
    busy = answer(start("finish_beside", url))["per_second"]
    return {
        f"finish in {SLOTS} slots, jobs/s": alone,
        f"... beside {BESIDE:,} jobs that run for long": busy,
        "... which is this much of it, %": 100 * busy / alone,
    }


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


def transactions(url: str) -> dict[str, float]:
    """How many transactions it takes to work 100 jobs, as Postgres counts them."""
    answer(start("insert", url))
    before = _committed(url)
    done = answer(start("drain", url))["done"]
    return {"transactions per 100 jobs": 100 * (_committed(url) - before) / done}


def _committed(url: str) -> int:
    with psycopg.connect(url) as connection:
        rows = connection.execute("select xact_commit from pg_stat_database where datname = current_database()")
        return int(rows.fetchall()[0][0])


def idle(url: str) -> dict[str, float]:
    """What a worker costs that has nothing to do."""
    worker = _idle_worker(url)
    process = psutil.Process(worker.pid)
    before = process.cpu_times()
    time.sleep(_IDLE_SECONDS)
    after, memory = process.cpu_times(), process.memory_info().rss
    worker.communicate("\n", timeout=60)
    used = after.user + after.system - before.user - before.system
    return {"idle worker, % of a core": 100 * used / _IDLE_SECONDS, "idle worker, MiB": memory / 2**20}


def commands(url: str) -> dict[str, float]:
    """How many commands a second an idle worker sends, by name; a script is called as its file is."""
    worker, seen = _idle_worker(url), Counter[str]()
    with redis.Redis.from_url(url) as server, server.monitor() as monitor:
        ends = time.monotonic() + _IDLE_SECONDS
        while time.monotonic() < ends:
            said = monitor.next_command()
            if said["client_type"] != "lua":  # what a script does costs no round trip
                seen[_name(said["command"])] += 1
    worker.communicate("\n", timeout=60)
    return {name: count / _IDLE_SECONDS for name, count in seen.most_common()}


def _name(command: str) -> str:
    name, *words = command.split()
    return _SCRIPTS.get(words[0], name) if name == "EVALSHA" else name


def _idle_worker(url: str) -> subprocess.Popen[str]:
    worker = start("idle", url)
    assert worker.stdout is not None
    worker.stdout.readline()
    time.sleep(_SETTLED)  # let the start-up's own work end
    return worker
