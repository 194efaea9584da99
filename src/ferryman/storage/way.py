"""The way to a server, step by step: where it ends tells what is wrong (spec/cli.md 4.6, U-CONN).

A driver says only that it did not get there.  Here the first steps are taken by hand, over a
plain socket: finding the host, connecting, TLS.  What follows, logging in and a first command,
each storage takes with its own driver.  All of it blocks, a few seconds a step at most.
"""

from __future__ import annotations

import asyncio
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

__all__ = ["Blocked", "Line", "Move", "Step", "Way", "async_taken", "first_through", "taken", "walk"]

_PATIENCE = 3.0
"""Seconds that a step takes at most."""


class Step(msgspec.Struct, frozen=True):
    """What came of one step.  One that `failed` is the last; `fix` is a line to copy that looks further, or helps."""

    name: str
    text: str
    seconds: float
    failed: bool = False
    fix: str = ""


class Blocked(Exception):
    """The way ends here; says why, and what to type."""

    def __init__(self, text: str, fix: str = "") -> None:
        super().__init__(text)
        self.fix = fix


Move = tuple[str, Callable[[], str]]
"""What a step is called, and what takes it: it returns what it found, or raises Blocked."""

Way = Callable[[], Sequence[Step]]


def walk(moves: Iterable[Move]) -> list[Step]:
    """Take one step after the other, as far as the way goes."""
    steps = []
    for name, move in moves:
        began = time.monotonic()
        try:
            steps.append(Step(name, move(), time.monotonic() - began))
        except Blocked as end:
            steps.append(Step(name, str(end), time.monotonic() - began, failed=True, fix=end.fix))
            break
    return steps


def first_through(ways: Iterable[Iterable[Move]]) -> list[Step]:
    """Take one way after the other until one gets through: there are several servers, and one is enough."""
    steps: list[Step] = []
    for way in ways:
        tried = walk(way)
        steps = steps or tried
        if not tried[-1].failed:
            return tried
    return steps


def taken(way: Way) -> Sequence[Step]:
    """Take the way, in code that may block."""
    return way()


async def async_taken(way: Way) -> Sequence[Step]:
    """Take the way without keeping the event loop from other work."""
    return await asyncio.to_thread(way)


class Line:
    """A plain connection to a host and port, or with port 0 to a Unix socket, made step by step."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._addresses: list[str] = []
        self.socket = socket.socket()

    def moves(self) -> list[Move]:
        """Return the steps to a connection."""
        if not self._port:
            return [("socket", self.open)]
        return [("name lookup", self.look_up), ("connect", self.connect)]

    def look_up(self) -> str:
        """Find the addresses of the host."""
        self._addresses = _addresses(self._host)
        if self._addresses == [self._host]:
            return f"{self._host} is an address already"
        return f"{self._host} is {', '.join(self._addresses)}"

    def connect(self) -> str:
        """Connect to the first address that answers."""
        failure = OSError("it has no address")
        for address in self._addresses:
            self.close()
            try:
                self.socket = socket.create_connection((address, self._port), _PATIENCE)
            except OSError as error:
                failure = error
            else:
                return f"{_shown(address, self._port)} answers"
        where = _shown(self._host, self._port)
        raise Blocked(_why_not(failure, where), f"nc -vz {self._host} {self._port}") from failure

    def open(self) -> str:
        """Connect to the Unix socket."""
        self.close()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(_PATIENCE)
        try:
            self.socket.connect(self._host)
        except OSError as error:
            raise Blocked(_why_not(error, self._host), f"ls -l {self._host}") from error
        return f"{self._host} answers"

    def secure(self, context: ssl.SSLContext, otherwise: str) -> str:
        """Agree on TLS; `otherwise` is what to do where the server speaks none."""
        try:
            secured = context.wrap_socket(self.socket, server_hostname=self._host)
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message.rstrip(".")
            look = f"openssl s_client -connect {_shown(self._host, self._port)} -servername {self._host}"
            raise Blocked(f"its certificate is not trusted: {reason}", look) from error
        except (OSError, ValueError) as error:
            raise Blocked(f"the server does not agree on TLS ({_reason(error)}). {otherwise}") from error
        self.socket = secured
        checked = "trusted" if context.verify_mode is ssl.CERT_REQUIRED else "not looked at"
        return f"{secured.version()}, the certificate is {checked}"

    def close(self) -> None:
        """Close what is open."""
        self.socket.close()


def _addresses(host: str) -> list[str]:
    """Ask for the addresses of a host.  In a thread that is left behind: nothing else ends the asking."""
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(address[0]) for *_, address in found)))
        except (OSError, UnicodeError) as error:
            answers.put(OSError(str(error)))

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=_PATIENCE)
    except queue.Empty:
        raise Blocked(f"no name server said within {_PATIENCE:g} s where {host} is", f"getent hosts {host}") from None
    if isinstance(answer, OSError):
        raise Blocked(f"nobody knows a host {host} ({answer})", f"getent hosts {host}") from answer
    return answer


def _why_not(error: OSError, where: str) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"{where} refuses: nothing listens there. Is the server running, and is this its port?"
    if isinstance(error, TimeoutError):
        return f"{where} did not answer within {_PATIENCE:g} s. Does a firewall swallow it?"
    return f"{where} cannot be reached: {_reason(error)}"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_PATIENCE:g} s"
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(reason).lower().replace("_", " ") if str(reason).isupper() else str(reason)


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
