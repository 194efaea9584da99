"""Ends the process when a command takes too long, whatever it is waiting for."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ferryman.cli.failures import TIMED_OUT, say

__all__ = ["time_limit"]


@contextmanager
def time_limit(seconds: float, *, as_json: bool, color: bool | None) -> Iterator[None]:
    """End the process with exit code 124 unless the block ends in time.

    A driver that waits inside a system call hears neither signals nor cancellation, so
    nothing softer would keep the promise.  What was not committed is rolled back.
    """
    timer = threading.Timer(seconds, _end, (seconds, as_json, color))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(seconds: float, as_json: bool, color: bool | None) -> None:
    text = f"This took longer than {seconds:g} s (--within) and was given up."
    say("timed_out", text, None, as_json=as_json, color=color)
    os._exit(TIMED_OUT)
