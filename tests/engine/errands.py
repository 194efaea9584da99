"""Functions that run in a process of their own; the child imports this module."""

from __future__ import annotations

import os
import signal
import socket
from typing import Any

from ferryman.context import record_output
from ferryman.outcome import Snooze

count = 0


def add(a: int, b: int) -> int:
    return a + b


def own_pid() -> int:
    return os.getpid()


def call_home(path: str) -> None:
    """Say who we are, and wait for an answer that may never come."""
    with socket.socket(socket.AF_UNIX) as home:
        home.connect(path)
        home.sendall(f"{os.getpid()}\n".encode())
        home.recv(1)


def fail(why: str) -> None:
    raise ValueError(why)


class Awkward(Exception):
    """An error that cannot be pickled and put together again."""

    def __init__(self, code: int, place: str) -> None:
        super().__init__(f"{code} at {place}")


def fail_awkwardly() -> None:
    raise Awkward(7, "the quay")


def leave() -> None:
    raise SystemExit(3)


def vanish() -> None:
    os._exit(9)


def snooze() -> None:
    raise Snooze("10m")


def record() -> None:
    record_output({"rows": 2})
    raise ValueError("row 3 is broken")


def answer_with(what: str) -> Any:
    return {"nothing that travels": lambda: None, "nothing that JSON knows": object()}[what]


def deaf_to_signals() -> None:
    """Send ourselves what a service manager sends to everybody in the group."""
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
