"""Worker processes of a test: starts them, tells them things, and waits for what they say."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Ferry", "Sail", "sailing", "until"]

FERRY = Path(__file__).parent / "ferry.py"


async def until(true: Callable[[], Awaitable[object]]) -> None:
    """Wait for what nobody says, and leave the machine to those who bring it about."""
    async with asyncio.timeout(60):
        while not await true():
            await asyncio.sleep(0.02)


class Ferry:
    """One worker process; `hears` waits for what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[list[Any]] = []

    async def hears(self, *words: Any) -> list[Any]:
        """Wait until it says a line that begins with these words, and return the line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while line := await self.process.stdout.readline():
                self.said.append(json.loads(line))
                if self.said[-1][: len(words)] == list(words):
                    return self.said[-1]
        pytest.fail(f"it ended without saying {words}; it said {self.said}")

    def tell(self, signal_number: int) -> None:
        self.process.send_signal(signal_number)

    async def ends(self) -> int:
        """Wait until it has ended, and return its exit code."""
        async with asyncio.timeout(60):
            await self.hears_out()
            return await self.process.wait()

    async def hears_out(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.said.append(json.loads(line))


Sail = Callable[..., AbstractAsyncContextManager[Ferry]]


def sailing(url: str) -> Sail:
    """Return how to start a worker process; it is killed at the end of the block if it still runs."""

    @asynccontextmanager
    async def sail(*, burst: bool = False, **said: Any) -> AsyncIterator[Ferry]:
        settings = {
            "poll_interval": 0.05,
            "schedule_interval": 0.05,
            "rescue_interval": 0.05,
            **said.pop("settings", {}),
        }
        options = json.dumps({"settings": settings, "burst": burst, **said})
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(FERRY), url, options, stdout=asyncio.subprocess.PIPE
        )
        try:
            yield Ferry(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return sail
