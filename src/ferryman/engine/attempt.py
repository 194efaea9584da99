"""One attempt at one job: what runs, since when, until when, and why it was stopped."""

from __future__ import annotations

import asyncio
import time
from enum import Enum

from ferryman.job import Job
from ferryman.task import Run

__all__ = ["Attempt", "Stopped"]


class Stopped(Enum):
    """Why an attempt was cut short."""

    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    SHUTDOWN = "shutdown"


class Attempt:
    """A running job.  `expires` is a reading of the monotonic clock, or infinity."""

    __slots__ = ("expires", "job", "over", "run", "started", "stopped", "task", "timeout")

    def __init__(self, job: Job, run: Run, timeout: float | None) -> None:
        self.job = job
        self.run = run
        self.timeout = timeout
        self.started = time.monotonic()
        self.expires = self.started + timeout if timeout else float("inf")
        self.task: asyncio.Task[None] | None = None
        self.stopped: Stopped | None = None
        self.over = False
        """Its outcome is decided: whatever the function still does no longer counts."""

    def stop(self, why: Stopped) -> None:
        """Cut the attempt short.  The first reason stands."""
        if self.stopped is None and not self.over:
            self.stopped = why
            if self.task is not None:
                self.task.cancel()

    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self.started
