"""Starts a worker anew whenever the program's files change: `ferryman worker --reload`, for development."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from ferryman.cli.children import Children
from ferryman.cli.signals import QUIET, STOP, hearing, shell_code
from ferryman.cli.watching import changes
from ferryman.events import CodeChanged, EventBus, ProcessEnded, ProcessStarted, ServiceFailed

__all__ = ["DRAIN", "Reloader"]

DRAIN = 5.0
"""How long running jobs have when the code has changed."""
_PATIENCE = 2 * DRAIN + 5.0


class Reloader:
    """Runs one process of a command, and another after each change below `folder`.

    A program that cannot even be imported says so and ends; the next change may mend it.
    """

    def __init__(self, command: Sequence[str], folder: Path, events: EventBus) -> None:
        self.folder = folder
        self.events = events
        self._children = Children(command)
        self._stops: list[signal.Signals] = []
        self._files: tuple[str, ...] = ()
        self._news = asyncio.Event()
        """The files changed, or we were told to stop."""

    async def run(self) -> int:
        """Run until told to stop, and return the exit code."""
        watching = asyncio.create_task(self._watch())
        with hearing(STOP + QUIET, self._hear):
            while not self._stops:
                await self._run_once()
        watching.cancel()
        return shell_code(-self._stops[1]) if len(self._stops) > 1 else 0

    def _hear(self, heard: signal.Signals) -> None:
        self._children.tell(heard)
        if heard in STOP:
            self._stops.append(heard)
            self._news.set()

    async def _run_once(self) -> None:
        """Run one process until the code changes, or until it has stopped as it was told."""
        self._news.clear()
        child = await self._children.start()
        self.events.publish(ProcessStarted(1, child.pid))
        ended = asyncio.create_task(self._children.ended(child))
        news = asyncio.create_task(self._news.wait())
        await asyncio.wait({ended, news}, return_when=asyncio.FIRST_COMPLETED)
        if not news.done():
            self.events.publish(ProcessEnded(1, child.pid, ended.result(), None))
        await news
        if not self._stops:
            self.events.publish(CodeChanged(self._files))
            await self._drain(ended)
        await ended

    async def _drain(self, ended: asyncio.Task[int]) -> None:
        """Ask the process to stop, and kill it when it does not: its jobs are taken back later."""
        self._children.tell(signal.SIGTERM)
        done, _ = await asyncio.wait({ended}, timeout=_PATIENCE)
        if not done:
            self._children.kill()

    async def _watch(self) -> None:
        async for files in changes([self.folder], self._cannot_watch):
            self._files = files
            self._news.set()

    def _cannot_watch(self, error: Exception) -> None:
        self.events.publish(ServiceFailed("watching files", error))
