"""Measures real asynq: the program in `interop/go/bench/asynq`, on jobs that we enqueue."""

from __future__ import annotations

from pathlib import Path

from bench import goprograms
from bench.ours import answer, start
from bench.roles import JOBS, SAMPLES, SLOTS

WAYS = {"asynq (Go), its defaults": 0, f"asynq (Go), {SLOTS} workers": SLOTS}
"""How asynq is set up: how many workers; without a number it takes one for each core."""


def build() -> Path:
    """Build the program.  Raises Unavailable without Go or its modules."""
    return goprograms.build("./bench/asynq")


def drain(program: Path, way: str, url: str) -> dict[str, float]:
    """Let our client insert and asynq drain."""
    answer(start("insert", url))
    return {"drain, jobs/s": answer(goprograms.start(program, "drain", url, jobs=JOBS, slots=WAYS[way]))["per_second"]}


def pickup(program: Path, url: str) -> dict[str, float]:
    """Let our client send and asynq say how long each job waited."""
    worker = goprograms.start(program, "pickup", url, jobs=SAMPLES, slots=SLOTS)
    assert worker.stdout is not None
    worker.stdout.readline()
    answer(start("send", url))
    waits = answer(worker)
    return {"pick-up, p50 ms": waits["p50"] * 1000, "pick-up, p99 ms": waits["p99"] * 1000}
