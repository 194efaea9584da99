"""Signals, heard in the event loop (design.md 5.18)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

__all__ = ["QUIET", "STOP", "hearing", "shell_code"]

STOP = (signal.SIGTERM, signal.SIGINT)
"""Stop: the first drains, the second is now."""
QUIET = tuple(getattr(signal, name) for name in ("SIGUSR1", "SIGTSTP") if hasattr(signal, name))
"""Take no more jobs, but stay; not on Windows, which has neither."""


@contextmanager
def hearing(signals: Iterable[signal.Signals], hear: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call `hear` with each of these signals that comes while the block runs."""
    loop = asyncio.get_running_loop()
    heard = list(signals)
    for each in heard:
        try:
            loop.add_signal_handler(each, hear, each)
        except NotImplementedError:  # Windows: its loop wakes up for a plain handler
            signal.signal(each, lambda number, frame: loop.call_soon_threadsafe(hear, signal.Signals(number)))
    try:
        yield
    finally:
        for each in heard:
            try:
                loop.remove_signal_handler(each)
            except NotImplementedError:
                signal.signal(each, signal.SIG_DFL)


def shell_code(code: int) -> int:
    """Return an exit code as a shell shows it: 128 and the number of the signal that ended a process."""
    return 128 - code if code < 0 else code
