"""The programs that meet in Redis and in Postgres: Go's and ours, each in a process of its own.

What a program has to say it says on standard output, one JSON object a line.  Waiting is
always for something that is said, with a limit that is only reached when a test fails.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

__all__ = ["Asker", "Enqueue", "Program", "Work", "asking", "python_worker", "running", "until"]

T = TypeVar("T")

_PATIENCE = 90.0
_BYTES = ("payload", "result")
WORKER = Path(__file__).parent / "worker.py"


async def until(true: Callable[[], Awaitable[T]]) -> T:
    """Wait for what nobody says, and return what was found."""
    async with asyncio.timeout(_PATIENCE):
        while not (found := await true()):
            await asyncio.sleep(0.02)
        return found


def python_worker() -> tuple[str, ...]:
    """Return the command that starts our own worker."""
    return sys.executable, str(WORKER)


class Program:
    """A running process; `hears` waits for what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []

    @classmethod
    async def start(cls, *command: str) -> Self:
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=1 << 24))

    async def hears(self, said: str, **words: Any) -> dict[str, Any]:
        """Wait until it says this, now or before, and return all of the line."""
        wanted = {"said": said, **words}.items()
        for line in self.said:
            if line.items() >= wanted:
                self.said.remove(line)
                return line
        async with asyncio.timeout(_PATIENCE):
            while not (line := await self.line()).items() >= wanted:
                self.said.append(line)
        return line

    async def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, f"it ended with {await self.process.wait()}; it said {self.said}"
        return _read(json.loads(line))

    async def ends(self) -> int:
        """Wait until it has ended by itself, and return its exit code."""
        async with asyncio.timeout(_PATIENCE):
            await self.process.communicate()
        return await self.process.wait()

    async def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it as a machine does whose plug is pulled."""
        await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> int:
        if self.process.returncode is None:
            self.process.send_signal(how)
        return await self.ends()


class Asker(Program):
    """The Go program that answers requests, one at a time."""

    async def ask(self, call: str, **said: Any) -> Any:
        """Return the answer.  Raises RuntimeError with the library's own words."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"call": call, **said}, default=_written).encode() + b"\n")
        async with asyncio.timeout(_PATIENCE):
            reply = await self.line()
        if reply["error"]:
            raise RuntimeError(reply["error"])
        return reply["answer"]


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[Program]:
    """Run a program until the end of the block, from when it says that it is ready."""
    program = await Program.start(*command)
    try:
        await program.hears("ready")
        yield program
    finally:
        await program.stop()


@asynccontextmanager
async def asking(program: str, url: str) -> AsyncIterator[Asker]:
    """Run the Go program that is asked."""
    asker = await Asker.start(program, "ask", url)
    try:
        yield asker
    finally:
        await asker.stop()


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return b64encode(value).decode()


def _read(value: Any) -> Any:
    """Read what Go writes as text of another kind: bytes and times."""
    if isinstance(value, list):
        return [_read(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: b64decode(each or "")
        if name in _BYTES
        else datetime.fromisoformat(each)
        if (name.endswith("_at") or name == "deadline") and each
        else _read(each)
        for name, each in value.items()
    }


Enqueue = Callable[..., Awaitable[str]]
Work = Callable[..., AbstractAsyncContextManager[Program]]
