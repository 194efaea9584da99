"""One program among those that `ferryman dev` runs: started, listened to, stopped, started anew."""

from __future__ import annotations

import asyncio
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence

from ferryman.cli.children import Children
from ferryman.cli.console import Console, lines

__all__ = ["Part"]

_LAST_WORDS = 1.0


class Part:
    """Runs one command at a time, and passes on what it says under its name.

    A program that ends by itself stays ended until it is started again.
    """

    def __init__(
        self, name: str, command: Sequence[str], console: Console, *, environment: Mapping[str, str], patience: float
    ) -> None:
        self.name = name
        self.patience = patience
        self._console = console
        self._children = Children(command, environment=environment, output=PIPE)
        self._life: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Run the command; what comes of it is told on the console."""
        self._stopping = False
        self._life = asyncio.create_task(self._live())

    async def stop(self) -> float:
        """Ask the program to end, kill it when it does not in time, and return how many seconds that took."""
        began = time.monotonic()
        self._stopping = True
        if self._life is not None:
            self._children.tell(signal.SIGTERM)
            done, _ = await asyncio.wait({self._life}, timeout=self.patience)
            if not done:
                self._console.say(self.name, f"did not end within {self.patience:g} s and is killed")
                self._children.kill()
            await self._life
        return time.monotonic() - began

    def tell(self, heard: signal.Signals) -> None:
        """Pass a signal on."""
        self._children.tell(heard)

    async def _live(self) -> None:
        try:
            child = await self._children.start()
        except OSError as error:
            self._console.say(self.name, f"{self._children.command[0]} cannot be started: {error.strerror}")
            return
        telling = asyncio.create_task(self._tell_of(child))
        code = await self._children.ended(child)
        # What the program started in turn may hold on to its output for longer than it lives.
        await asyncio.wait({telling}, timeout=_LAST_WORDS)
        telling.cancel()
        if not self._stopping:
            ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            self._console.say(self.name, f"{ended}; it is started again at the next change")

    async def _tell_of(self, child: Process) -> None:
        if child.stdout is not None:
            async for line in lines(child.stdout):
                self._console.say(self.name, line)
