"""`ferryman health`: asks a health port, or looks at a heartbeat file, and costs next to nothing.

A probe runs every few seconds beside every worker, so this imports nothing that the
interpreter has not loaded already but the C half of `socket`.  What it does not
understand it leaves to the command line proper.
"""

from __future__ import annotations

import os
import sys
import time

__all__ = ["DEFAULT", "MAX_AGE", "PATIENCE", "Found", "default_url", "look_at_file", "look_at_url", "run"]

DEFAULT = "127.0.0.1:8082"
MAX_AGE = 60.0
PATIENCE = 3.0
_FAILED, _WRONG = 1, 2
_LARGEST = 65_536


class Found:
    """What a probe found: whether all is well, and what was said; `code` is how the command ends."""

    def __init__(self, text: str, code: int = 0) -> None:
        self.text = text
        self.code = code


def run(words: list[str]) -> int | None:
    """Do what the words ask for and return the exit code; None when it takes the command line to understand them."""
    url = file = None
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--file" and left and not file:
            file = left.pop(0)
        elif not word.startswith("-") and not url:
            url = word
        else:
            return None
    if os.environ.get("FERRYMAN_OUTPUT") or (url and file):
        return None
    return _say(look_at_file(file) if file else look_at_url(url or default_url()))


def _say(found: Found) -> int:
    try:
        if found.code:
            print(f"error: {found.text}", file=sys.stderr)
        else:
            print(found.text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads: the code still tells
    return found.code


def default_url() -> str:
    """Return where the worker of this environment tells how it is."""
    host, _, port = (os.environ.get("FERRYMAN_HEALTH_ADDR") or DEFAULT).rpartition(":")
    here = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
    return f"http://{here.get(host, host)}:{port}/livez"


def look_at_file(path: str, max_age: float = MAX_AGE) -> Found:
    """Look how old a worker's heartbeat file is."""
    if os.path.isdir(path):
        return Found(f"The heartbeat file {path} is a folder. Name the file that a worker writes.", _WRONG)
    try:
        age = time.time() - os.stat(path).st_mtime
    except OSError as error:
        return Found(f"The heartbeat file {path} cannot be looked at: {error.strerror}.", _FAILED)
    if age > max_age:
        return Found(f"The heartbeat file {path} is {age:.0f} s old: the worker is not live.", _FAILED)
    return Found(f"ok: {path} is {max(age, 0):.0f} s old")


def look_at_url(url: str, patience: float = PATIENCE) -> Found:
    """Ask a health port; 2xx is well."""
    scheme, slashes, rest = url.partition("://")
    where, slash, path = rest.partition("/")
    host, colon, port = _split(where)
    if scheme != "http" or not slashes or not host or (colon and not _is_port(port)):
        return Found(f'"{url}" is no address of a health port. Write it like http://{DEFAULT}/livez.', _WRONG)
    try:
        answer = _ask(host.strip("[]"), int(port or 80), f"{slash}{path}" or "/", where, patience)
    except (OSError, OverflowError, UnicodeError) as error:
        return Found(f"{url} does not answer: {getattr(error, 'strerror', None) or error}.", _FAILED)
    return _judged(url, answer)


def _is_port(text: str) -> bool:
    return text.isdecimal() and len(text) <= 5 and 0 < int(text) < 65_536


def _split(where: str) -> tuple[str, str, str]:
    names_port = ":" in where and not where.endswith("]")
    return where.rpartition(":") if names_port else (where, "", "")


def _judged(url: str, answer: bytes) -> Found:
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    text = body.decode("utf-8", "replace").strip()
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):
        return Found(f"{url} does not speak HTTP.", _FAILED)
    if not words[1].startswith(b"2"):
        return Found(f"{url} answered {words[1].decode('ascii', 'replace')}: {text}", _FAILED)
    return Found(f"ok: {text}" if text else "ok")


def _ask(host: str, port: int, path: str, name: str, patience: float) -> bytes:
    import _socket  # the half of socket that Python is not needed for: a third of the time

    known = host.encode() if host.isascii() else host  # as text it would load the tables of all alphabets
    family, kind, number, _, place = _socket.getaddrinfo(known, port, 0, _socket.SOCK_STREAM)[0]
    there = _socket.socket(family, kind, number)
    try:
        there.settimeout(patience)
        there.connect(place)
        there.sendall(f"GET {path} HTTP/1.0\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        answer, ends = b"", time.monotonic() + patience
        while len(answer) < _LARGEST and time.monotonic() < ends and (part := there.recv(4096)):
            answer += part
        return answer
    finally:
        there.close()
