"""An app whose jobs end when the test says so, or never."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

__all__ = ["SLOW", "Gate"]

SLOW = """
import asyncio
from ferryman import Ferryman

jobs = Ferryman()

@jobs.task("quick")
async def quick() -> None: ...

@jobs.task("patient")
async def patient() -> None:
    await asyncio.to_thread(lambda: open("go").read())

@jobs.task("endless")
async def endless() -> None:
    await asyncio.Event().wait()
"""


class Gate:
    """Where a patient job waits: it opens a pipe to read, and goes on when we close our end."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "go"
        os.mkfifo(self.path)
        self._end: IO[str] | None = None

    def wait_until_it_is_there(self) -> None:
        """Wait for the job: a pipe opens only when both ends are held."""
        self._end = open(self.path, "w")  # noqa: SIM115 - closed by open()

    def open(self) -> None:
        """Let the job go on."""
        if self._end is not None:
            self._end.close()
            self._end = None
