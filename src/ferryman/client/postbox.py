"""Collects jobs that are enqueued at the same time, so that they share one write.

A web server that handles fifty requests at once would otherwise pay fifty commits.  A
job that comes alone is sent at once.
"""

from __future__ import annotations

import asyncio

from ferryman.errors import FerrymanError, StorageUnavailable
from ferryman.job import Inserted, NewJob
from ferryman.opening import AsyncOpen, Open

__all__ = ["AsyncPostbox", "Postbox"]

_MOST = 500


class Postbox:
    """Sends each job by itself: code that blocks has nothing to share."""

    def __init__(self, open: Open) -> None:
        self._open = open

    def post(self, job: NewJob) -> Inserted:
        """Store one job."""
        return self._open().jobs.insert([job])[0]


class AsyncPostbox:
    """While one write is on its way, the jobs of the next gather."""

    def __init__(self, open: AsyncOpen) -> None:
        self._open = open
        self._waiting: list[tuple[NewJob, asyncio.Future[Inserted]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def post(self, job: NewJob) -> Inserted:
        """Store one job, together with others that are posted meanwhile."""
        if job.tx is not None:
            return (await self._insert([job]))[0]
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[Inserted] = loop.create_future()
        self._waiting.append((job, stored))
        if self._sending is None or self._sending.done() or self._sending.get_loop() is not loop:
            self._sending = loop.create_task(self._send())
        return await stored

    async def _insert(self, jobs: list[NewJob]) -> list[Inserted]:
        return await (await self._open()).jobs.insert(jobs)

    async def _send(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                answers = await self._insert([job for job, _ in batch])
            except StorageUnavailable as error:
                _fail(batch, error)  # some of them may be stored, so nothing is sent a second time
            except FerrymanError as error:
                await self._one_by_one(batch, error)
            except BaseException as error:
                _fail(batch, error)
                raise
            else:
                for (_, stored), answer in zip(batch, answers, strict=True):
                    if not stored.done():
                        stored.set_result(answer)

    async def _one_by_one(self, batch: list[tuple[NewJob, asyncio.Future[Inserted]]], error: FerrymanError) -> None:
        # All or nothing was refused: find out whose fault it was, so that the others get through.
        if len(batch) == 1:
            _fail(batch, error)
            return
        for each in batch:
            try:
                (answer,) = await self._insert([each[0]])
            except FerrymanError as own:
                _fail([each], own)
            else:
                if not each[1].done():
                    each[1].set_result(answer)


def _fail(batch: list[tuple[NewJob, asyncio.Future[Inserted]]], error: BaseException) -> None:
    for _, stored in batch:
        if not stored.done():
            stored.set_exception(error)
