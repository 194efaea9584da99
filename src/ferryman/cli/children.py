"""Worker processes: starting them, and passing signals on.

A child is in a process group of its own.  Ctrl-C in a terminal reaches everybody in the
foreground group; the children would hear it from the terminal and from us, and take it
for the second signal, which means now.  So that none outlives us when we are killed, each
holds the end of a pipe from us as its stdin, and stops when that closes.
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ferryman.cli.signals import QUIET

__all__ = ["SUPERVISED", "Children"]

SUPERVISED = "FERRYMAN_SUPERVISED"
"""Tells a child that its stdin is a pipe from us."""


class Children:
    """The children that run, and the signals that they were all sent.

    What they say goes where our own words go, or to `output`.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str] = os.environ, output: int | None = None
    ) -> None:
        self.command = command
        self.environment = environment
        self.output = output
        self.told: list[signal.Signals] = []
        self._running: set[Process] = set()

    async def start(self, *more: str) -> Process:
        """Start another, with `more` words; it hears at once what the others were told meanwhile."""
        group: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}
        told = len(self.told)
        environment = {**self.environment, SUPERVISED: "1"}
        errors = STDOUT if self.output is not None else None
        child = await asyncio.create_subprocess_exec(
            *self.command, *more, stdin=PIPE, stdout=self.output, stderr=errors, env=environment, **group
        )
        self._running.add(child)
        for heard in self.told[told:]:
            _send(child, heard)
        return child

    async def ended(self, child: Process) -> int:
        """Wait until a child has ended, and return its exit code; negative is the signal that ended it."""
        code = await child.wait()
        self._running.discard(child)
        return code

    def tell(self, heard: signal.Signals) -> None:
        """Send a signal to every child."""
        self.told.append(heard)
        for child in self._running:
            _send(child, heard)

    def kill(self) -> None:
        """Kill every child, and what it started in turn."""
        for child in self._running:
            with suppress(ProcessLookupError):
                if os.name == "posix":
                    os.killpg(child.pid, signal.SIGKILL)
                else:
                    child.kill()


def _send(child: Process, heard: signal.Signals) -> None:
    # A child that is still starting would be suspended by SIGTSTP, and never hear anything again.
    passed_on = QUIET[0] if heard in QUIET else heard
    with suppress(ProcessLookupError):
        # Not child.send_signal, which first looks whether the child has ended and takes its exit code from asyncio.
        os.kill(child.pid, passed_on)
