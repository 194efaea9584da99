"""Measures real River: the program in `interop/go/bench/river`, on jobs that we enqueue."""

from __future__ import annotations

from pathlib import Path

from bench import goprograms
from bench.ours import answer, start
from bench.roles import JOBS, SAMPLES

WAYS = {
    "River (Go), its defaults": {"slots": 100, "cooldown": 100},
    "River (Go), 1,000 workers": {"slots": 1_000, "cooldown": 100},
    "River (Go), 1,000 workers, 2 ms": {"slots": 1_000, "cooldown": 2},
}
"""How River is set up: how many workers, and how many milliseconds there are between two fetches."""

_LARGEST_ROUND = 5_000
"""Jobs for its defaults, which would take a minute for as many as the others drain."""


def build() -> Path:
    """Build the program.  Raises Unavailable without Go or its modules."""
    return goprograms.build("./bench/river")


def drain(program: Path, way: str, url: str) -> dict[str, float]:
    """Let our client insert and River drain."""
    answer(start("insert", url))
    jobs = _LARGEST_ROUND if WAYS[way]["slots"] < 1_000 else JOBS
    return {"drain, jobs/s": answer(goprograms.start(program, "drain", url, jobs=jobs, **WAYS[way]))["per_second"]}


def pickup(program: Path, way: str, url: str) -> dict[str, float]:
    """Let our client send and River say how long each job waited."""
    worker = goprograms.start(program, "pickup", url, jobs=SAMPLES, **WAYS[way])
    assert worker.stdout is not None
    worker.stdout.readline()
    answer(start("send", url))
    waits = answer(worker)
    return {"pick-up, p50 ms": waits["p50"] * 1000, "pick-up, p99 ms": waits["p99"] * 1000}
