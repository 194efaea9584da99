"""Runs the adapter: requests from standard input, answers to standard output, everything else to standard error."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import BinaryIO

from ferryman import logs
from ferryman.cli.serving import fastest_loop
from ferryman.testing.river_adapter.database import database
from ferryman.testing.river_adapter.server import Server

_LAST_WAIT = 20.0
"""Seconds to close everything after the last request: the harness waits for 30."""


async def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer every request in its turn, until there are no more."""
    server = Server(database(os.environ))
    lines = _lines(requests)
    try:
        while line := await lines.get():
            answers.write(await server.answer(line) + b"\n")
            answers.flush()
    finally:
        async with asyncio.timeout(_LAST_WAIT):
            await server.close()


def _lines(requests: BinaryIO) -> asyncio.Queue[bytes]:
    """Read in a thread: a worker runs in this loop meanwhile.  The last line is empty."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        while line := requests.readline():
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, b"")

    threading.Thread(target=read, name="requests", daemon=True).start()
    return lines


def main() -> int:
    """Keep standard output to ourselves, so that a stray print is no answer, and serve."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logs.configure("warn", "text")
    try:
        with asyncio.Runner(loop_factory=fastest_loop()) as runner:
            runner.run(serve(sys.stdin.buffer, answers))
    except TimeoutError:
        # Something does not end, but every answer is out, and the harness takes no excuse.
        os._exit(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
