"""Barriers that jobs and claims wait at, until the harness releases them."""

from __future__ import annotations

import asyncio
from typing import Any

from ferryman.job import Job
from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["Barriers", "HeldClaim"]


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


class HeldClaim:
    """A storage whose first fetch that takes jobs hands them over when a barrier is released.

    The claim is written: for everybody else these jobs run.
    """

    def __init__(self, storage: AsyncStorage, barriers: Barriers, name: str) -> None:
        self._storage = storage
        self.jobs = _HeldJobs(storage.jobs, barriers, name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


class _HeldJobs:
    def __init__(self, jobs: Any, barriers: Barriers, name: str) -> None:
        self._jobs = jobs
        self._barriers = barriers
        self._name = name
        self._held = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)

    async def fetch(self, *args: Any, **kwargs: Any) -> list[Job]:
        taken: list[Job] = await self._jobs.fetch(*args, **kwargs)
        if taken and not self._held:
            self._held = True
            await self._barriers.wait(self._name)
        return taken
