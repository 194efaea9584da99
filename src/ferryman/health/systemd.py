"""Tells systemd how a worker is, where a unit of `Type=notify` asks for it (spec/ops.md 5.7).

What systemd reads are datagrams of lines like READY=1.  WATCHDOG=1 is said for as long
as the worker is live, by the same rule as the page /livez: one that is silent is ended
and started anew.  As on that page, an outage of the storage is no reason for it.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ferryman.health.pages import Look
from ferryman.health.vitals import Health

__all__ = ["asked_by_systemd", "telling_systemd"]

_ASKED = "NOTIFY_SOCKET"
_EVERY = 1.0
_PATIENCE = 5.0


def asked_by_systemd() -> str:
    """Return where systemd wants to hear of this process, or nothing; whom we start are not asked."""
    return os.environ.pop(_ASKED, "")


@contextmanager
def telling_systemd(name: str, look: Look) -> Iterator[None]:
    """Tell again and again while the block runs; `name` is a path, or @ and an abstract name."""
    done = threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        teller = _Teller(ear, f"\0{name[1:]}" if name.startswith("@") else name)
        thread = threading.Thread(target=_tell, args=(teller, look, done), name="ferryman-systemd", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(_PATIENCE)
            teller.once("STOPPING=1")


def _tell(teller: _Teller, look: Look, done: threading.Event) -> None:
    while not done.wait(_EVERY):
        teller.say(look())


@dataclass
class _Teller:
    """Says each state once, and that the worker lives every time."""

    socket: socket.socket
    address: str
    said: set[str] = field(default_factory=set)

    def say(self, health: Health) -> None:
        if health.started:
            self.once("READY=1")
        if health.status == "draining":
            self.once("STOPPING=1")
        self._send(f"STATUS={health.status}, {health.running} running, the storage {health.storage}")
        if health.live:
            self._send("WATCHDOG=1")

    def once(self, line: str) -> None:
        if line not in self.said:
            self.said.add(line)
            self._send(line)

    def _send(self, line: str) -> None:
        with suppress(OSError):  # systemd starts anew, or reads nothing just now
            self.socket.sendto(line.encode(), self.address)
