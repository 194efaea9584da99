"""Measures real asynq: the program in `interop/go/bench`, on jobs that we enqueue."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bench.ours import answer, start
from bench.peers import Unavailable
from bench.roles import JOBS, SAMPLES, SLOTS

_HOME = Path(__file__).parent.parent
_PROGRAM = _HOME / ".run" / "asynq-bench"


def build() -> None:
    """Build the program.  Raises Unavailable without Go or its modules."""
    if shutil.which("go") is None:
        raise Unavailable("there is no go here")
    built = subprocess.run(
        ["go", "build", "-o", _PROGRAM, "./bench"], cwd=_HOME / "interop" / "go", capture_output=True, text=True
    )
    if built.returncode:
        raise Unavailable((built.stderr.splitlines() or ["go build failed"])[-1])


def drain(url: str) -> dict[str, float]:
    """Let our client insert and asynq drain."""
    answer(start("insert", url))
    return {"drain, jobs/s": answer(_start("drain", url, JOBS))["per_second"]}


def pickup(url: str) -> dict[str, float]:
    """Let our client send and asynq say how long each job waited."""
    worker = _start("pickup", url, SAMPLES)
    assert worker.stdout is not None
    worker.stdout.readline()
    answer(start("send", url))
    waits = answer(worker)
    return {"pick-up, p50 ms": waits["p50"] * 1000, "pick-up, p99 ms": waits["p99"] * 1000}


def _start(measure: str, url: str, jobs: int) -> subprocess.Popen[str]:
    env = {**os.environ, "BENCH_URL": url, "BENCH_JOBS": str(jobs), "BENCH_SLOTS": str(SLOTS)}
    return subprocess.Popen([_PROGRAM, measure], env=env, stdout=subprocess.PIPE, text=True)
