"""Barriers that jobs and claims wait at, until the harness releases them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ferryman.job import Job
from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["Barriers", "Claims"]

_APART = 0.001


class Barriers:
    """Barriers by name.  One exists from its first use, and stays open once it is released."""

    def __init__(self) -> None:
        self._barriers: dict[str, asyncio.Event] = {}

    async def wait(self, name: str) -> None:
        """Wait until this barrier is released."""
        await self._barrier(name).wait()

    def release(self, name: str) -> None:
        """Let everybody pass, now and later."""
        self._barrier(name).set()

    def _barrier(self, name: str) -> asyncio.Event:
        return self._barriers.setdefault(name, asyncio.Event())


class Claims:
    """A storage whose fetches keep a distance, and of which one may be held.

    The first fetch that takes jobs hands them over when the barrier is released, if one is
    named: the claim is written, and for everybody else these jobs run.  Two claims are a
    millisecond apart, as those of River's adapter are: SQLite's times are no finer, and the
    harness reads their order there.
    """

    def __init__(self, storage: AsyncStorage, barriers: Barriers, held_by: str) -> None:
        self._storage = storage
        self.jobs = _Jobs(storage.jobs, barriers, held_by)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


class _Jobs:
    def __init__(self, jobs: Any, barriers: Barriers, held_by: str) -> None:
        self._jobs = jobs
        self._barriers = barriers
        self._held_by = held_by
        self._last = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)

    async def fetch(self, *args: Any, **kwargs: Any) -> list[Job]:
        await asyncio.sleep(max(self._last + _APART - time.monotonic(), 0))
        taken: list[Job] = await self._jobs.fetch(*args, **kwargs)
        self._last = time.monotonic()
        if taken and self._held_by:
            barrier, self._held_by = self._held_by, ""
            await self._barriers.wait(barrier)
        return taken
