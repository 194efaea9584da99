"""Keeps several worker processes running: `ferryman worker --processes N`.

One that dies is replaced, after a pause that grows while it keeps dying.  One that ends
well has done what it was asked to, and one that was started wrongly would be so again:
neither is replaced.  Signals are passed on to all.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from signal import SIGTERM, Signals

from ferryman.cli.children import Children
from ferryman.cli.crew import Crew
from ferryman.cli.failures import OUTGROWN, TIMED_OUT
from ferryman.cli.signals import QUIET, STOP, hearing, shell_code
from ferryman.events import EventBus, ProcessEnded, ProcessStarted

__all__ = ["Supervisor"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_SETTLED = 60.0
_WRONG_USAGE = 2


class Supervisor:
    """Runs `count` processes of one command."""

    def __init__(self, command: Sequence[str], count: int, events: EventBus, crew: Crew | None = None) -> None:
        self.count = count
        self.events = events
        self._crew = crew
        self._children = Children(command, environment={**os.environ, **(crew.environment if crew else {})})
        self._codes: list[int] = []
        self._enough = asyncio.Event()
        """No process is to be started any more."""
        self._stops: list[Signals] = []

    async def run(self) -> int:
        """Keep the processes running until they have ended for good, and return the exit code for all."""
        with hearing(STOP + QUIET, self._hear):
            async with asyncio.TaskGroup() as group:
                for number in range(1, self.count + 1):
                    group.create_task(self._keep(number))
        return self._exit_code()

    def _hear(self, heard: Signals) -> None:
        if heard in STOP:
            self._stops.append(heard)
        self._enough.set()
        self._children.tell(heard)

    async def _keep(self, number: int) -> None:
        pause = _FIRST_PAUSE
        while not self._enough.is_set():
            began = time.monotonic()
            child = await self._children.start(*(self._crew.words(number) if self._crew else ()))
            self.events.publish(ProcessStarted(number, child.pid))
            code = await self._children.ended(child)
            if code in (0, TIMED_OUT) or self._enough.is_set():
                self._codes.append(code)
                return
            if code == _WRONG_USAGE:
                self._codes.append(code)
                self._end_all()
                return
            pause = _FIRST_PAUSE if time.monotonic() - began > _SETTLED else pause
            self.events.publish(ProcessEnded(number, child.pid, code, pause))
            await self._wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _end_all(self) -> None:
        self._enough.set()
        self._children.tell(SIGTERM)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._enough.wait()
        except TimeoutError:
            return

    def _exit_code(self) -> int:
        """Return 0 when all ended well, the second signal's code, or that of the first which did not."""
        if len(self._stops) > 1:
            return shell_code(-self._stops[1])
        return next((shell_code(code) for code in self._codes if not self._ended_well(code)), 0)

    def _ended_well(self, code: int) -> bool:
        # A child that was told to stop before it could hear signals dies of the first, and had nothing to drain.
        return code in (0, OUTGROWN) or any(code in (-stop, shell_code(-stop)) for stop in self._stops)
