"""Runs a program's parts side by side and starts them anew when its code changes: `ferryman dev`.

They are processes of their own, so that a crash in a job does not take the page down.
Before anything is stopped for a change, a process of its own imports the changed code:
when that fails its error is shown, and what runs goes on as it was.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Mapping, Sequence
from pathlib import Path

from ferryman.cli.console import Console
from ferryman.cli.part import Part
from ferryman.cli.signals import STOP, hearing, shell_code
from ferryman.cli.watching import changes

__all__ = ["RELOAD", "Development"]

RELOAD = "reload"
"""The name under which the supervisor itself speaks."""
_GONE = tuple(getattr(signal, name) for name in ("SIGHUP",) if hasattr(signal, name))
_IMPORT_WITHIN = 20.0


class Development:
    """Runs the parts until told to stop; they are stopped in their order."""

    def __init__(
        self,
        parts: Sequence[Part],
        console: Console,
        *,
        folders: Sequence[Path],
        modules: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self.parts = parts
        self.console = console
        self.folders = folders
        self.modules = modules
        self.environment = environment
        self._stops: list[signal.Signals] = []
        self._files: set[str] = set()
        self._news = asyncio.Event()
        """Files changed, or we were told to stop."""

    async def run(self) -> int:
        """Run until told to stop, and return the exit code."""
        watching = asyncio.create_task(self._watch())
        with hearing(STOP + _GONE, self._hear):
            for part in self.parts:
                part.start()
            while not self._stops:
                await self._news.wait()
                self._news.clear()
                if self._files and not self._stops:
                    await self._renew()
            for part in self.parts:
                await part.stop()
        watching.cancel()
        return shell_code(-self._stops[1]) if len(self._stops) > 1 else 0

    def _hear(self, heard: signal.Signals) -> None:
        self._stops.append(heard)
        self._news.set()
        if len(self._stops) > 1:
            for part in self.parts:
                part.tell(heard)

    async def _watch(self) -> None:
        async for files in changes(self.folders, self._cannot_watch):
            self._files.update(files)
            self._news.set()

    def _cannot_watch(self, error: Exception) -> None:
        self.console.say(RELOAD, f"files cannot be watched just now: {error}")

    async def _renew(self) -> None:
        """Start every part anew, unless the code cannot be imported."""
        changed = _named(sorted(self._files))
        self._files.clear()
        if (trouble := await self._import()) is not None:
            self.console.say(RELOAD, trouble)
            self.console.say(RELOAD, f"{changed} changed, but cannot be imported; what runs goes on as it was")
            return
        took = await asyncio.gather(*map(self._anew, self.parts))
        if not self._stops:
            drained = ", ".join(f"{part.name} in {each:.1f} s" for part, each in zip(self.parts, took, strict=True))
            self.console.say(RELOAD, f"{changed} changed: stopped {drained}; starting anew")

    async def _anew(self, part: Part) -> float:
        took = await part.stop()
        if not self._stops:
            part.start()
        return took

    async def _import(self) -> str | None:
        """Import the program in a process of its own; return what that said if it failed."""
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", f"import {', '.join(self.modules)}"),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env=self.environment,
        )
        try:
            async with asyncio.timeout(_IMPORT_WITHIN):
                said, _ = await child.communicate()
        except TimeoutError:
            child.kill()
            await child.wait()
            return f"importing it took more than {_IMPORT_WITHIN:g} s and was given up"
        return said.decode("utf-8", "replace") if child.returncode else None


def _named(files: Sequence[str]) -> str:
    first, *others = files
    return f"{first} and {len(others)} more" if others else first
