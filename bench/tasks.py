"""The tasks that are measured."""

from __future__ import annotations

import asyncio
import os
import time

from ferryman import Ferryman

jobs = Ferryman(os.environ.get("BENCH_URL"))

waits: list[float] = []
"""Seconds from enqueue to the first line of the function."""


@jobs.task("bench:noop")
async def noop(n: int) -> None:
    """Do nothing."""


@jobs.task("bench:linger")
async def linger() -> None:
    """Run until the worker stops."""
    await asyncio.Event().wait()


@jobs.task("bench:pickup")
async def pickup(sent: int) -> None:
    """Note how long it took to get here from `sent`, in nanoseconds since the epoch."""
    waits.append((time.time_ns() - sent) / 1e9)
