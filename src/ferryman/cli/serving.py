"""Runs a worker in this process until a signal, or until it has nothing more to do."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from collections.abc import Callable
from signal import Signals
from typing import TYPE_CHECKING

from ferryman.cli.children import SUPERVISED
from ferryman.cli.failures import OUTGROWN, TIMED_OUT
from ferryman.cli.signals import QUIET, STOP, hearing, shell_code

if TYPE_CHECKING:
    from ferryman.worker import Worker

__all__ = ["fastest_loop", "serve"]


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes uvloop's event loop where it is installed; None is Python's own."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def serve(worker: Worker, *, within: float | None) -> int:
    """Work until told to stop, and return the exit code.  After `within` seconds it stops at once."""
    told = _Told(worker)
    loop = asyncio.get_running_loop()
    clock = loop.call_later(within, told.out_of_time) if within else None
    if os.environ.pop(SUPERVISED, None) and os.name == "posix":
        loop.add_reader(sys.stdin, told.left_alone)
    with hearing(STOP + QUIET, told.hear):
        await worker.serve()
    if clock is not None:
        clock.cancel()
    return told.exit_code or (OUTGROWN if worker.outgrown and not told.draining else 0)


class _Told:
    """What the worker was told from outside: drain, then stop now; or take no more."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.exit_code = 0
        self.draining = False

    def hear(self, heard: Signals) -> None:
        if heard in QUIET:
            self.worker.quiet(heard.name)
        elif not self.draining:
            self.draining = True
            self.worker.stop(heard.name)
        else:
            self.exit_code = shell_code(-heard)
            self.worker.stop_now(heard.name)

    def left_alone(self) -> None:
        """Stop, because the process that started us is no more."""
        asyncio.get_running_loop().remove_reader(sys.stdin)
        self.worker.stop("the supervisor has ended")

    def out_of_time(self) -> None:
        self.exit_code = TIMED_OUT
        self.worker.stop_now("--within")
