"""One attempt at one job: what runs, since when, until when, and why it was stopped."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from enum import Enum

from ferryman.context import Recorder
from ferryman.job import Job
from ferryman.storage.infos import Running
from ferryman.task import Run

__all__ = ["Attempt", "Stopped"]


class Stopped(Enum):
    """Why an attempt was cut short."""

    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    SHUTDOWN = "shutdown"


class Attempt:
    """A running job.  `expires` is a reading of the monotonic clock, or infinity."""

    __slots__ = (
        "began",
        "ended_early",
        "expires",
        "job",
        "over",
        "recorder",
        "run",
        "started",
        "started_at",
        "stopped",
        "task",
        "timeout",
    )

    def __init__(self, job: Job, run: Run, timeout: float | None, started_at: datetime, recorder: Recorder) -> None:
        self.job = job
        self.run = run
        self.timeout = timeout
        self.recorder = recorder
        self.started_at = started_at
        self.started = time.monotonic()
        self.expires = self.started + timeout if timeout else float("inf")
        self.task: asyncio.Task[None] | None = None
        self.stopped: Stopped | None = None
        self.began = False
        """Its coroutine runs.  One that is cancelled before that would never run, nor say how it ended."""
        self.ended_early = False
        """Its job was completed in a transaction of the task's own, which may not have been committed."""
        self.over = False
        """Its outcome is decided: whatever the function still does no longer counts."""

    def stop(self, why: Stopped) -> None:
        """Cut the attempt short.  The first reason stands."""
        if self.stopped is None and not self.over:
            self.stopped = why
            if self.task is not None and self.began:
                self.task.cancel()

    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self.started

    def described(self) -> Running:
        """Say what runs here, as others may see it."""
        until = self.started_at + timedelta(seconds=self.timeout) if self.timeout else None
        return Running(ref=self.job.ref, kind=self.job.kind, args=self.job.args, since=self.started_at, until=until)
