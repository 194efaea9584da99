"""Lets only so many jobs at a time do the same, in whatever process and queue they run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from ferryman.duration import parse_duration
from ferryman.errors import ConfigError, Unsupported
from ferryman.job import Job
from ferryman.opening import AsyncOpen
from ferryman.outcome import Snooze
from ferryman.storage._async.beside import AsyncSemaphores

__all__ = ["AsyncSemaphore"]

_LONGEST = timedelta(days=1)


class AsyncSemaphore:
    """So many tokens for all jobs of one scope, those of Go's `x/rate` semaphore of this name among them.

    On Redis only: anywhere else each use raises Unsupported.
    """

    def __init__(self, open: AsyncOpen, scope: str, most: int) -> None:
        if not scope.strip():
            raise ConfigError("A semaphore needs a scope, its name in the storage, such as crm.")
        if most < 1:
            raise ConfigError(f'The semaphore "{scope}" has {most} tokens. It takes 1 or more.')
        self.scope = scope
        self.most = most
        self._open = open

    @asynccontextmanager
    async def token(self, job: Job, *, wait: timedelta | float | str = "10s") -> AsyncIterator[None]:
        """Hold a token for as long as the block runs.  Where none is free the job is put off for `wait`, uncounted.

            async with crm.token(job, wait="30s"): ...

        Raises Snooze for that, which is for the worker: let it pass.  Raises StorageError.
        """
        if not await self.acquire(job):
            raise Snooze(parse_duration(wait))
        try:
            yield
        finally:
            await self.release(job)

    async def acquire(self, job: Job) -> bool:
        """Take a token for a running job, and say whether there was one.

        It is free again when the job's time is up, whatever becomes of its worker; without a timeout after a day.
        """
        length = timedelta(seconds=job.timeout) if job.timeout else _LONGEST
        until = datetime.now(UTC) + length
        return await (await self._semaphores()).acquire(self.scope, job.id, most=self.most, until=until)

    async def release(self, job: Job) -> None:
        """Give the job's token back."""
        await (await self._semaphores()).release(self.scope, job.id)

    async def _semaphores(self) -> AsyncSemaphores:
        found = (await self._open()).semaphores
        if found is None:
            raise Unsupported(
                f'The semaphore "{self.scope}" needs Redis. On Postgres and SQLite give such jobs a queue of their '
                "own, and one worker with as many slots."
            )
        return found
