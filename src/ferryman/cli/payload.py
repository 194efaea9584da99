"""What a job carries, as people type it: JSON or raw bytes, in the line, in a file or from stdin."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from ferryman.errors import InvalidJob

__all__ = ["read_headers", "read_payload"]


def read_payload(positional: str | None, args: str | None, raw: str | None) -> bytes:
    """Return the payload, `{}` when nothing was said.  Raises InvalidJob when it is said twice or cannot be read."""
    given = [
        (name, text) for name, text in (("ARGS", positional), ("--args", args), ("--bytes", raw)) if text is not None
    ]
    if len(given) > 1:
        raise InvalidJob(
            f"The arguments are given twice, as {' and '.join(name for name, _ in given)}. Give them once."
        )
    if raw is not None:
        return _read(raw, "--bytes")
    return _compact(_read(given[0][1], "--args")) if given else b"{}"


def read_headers(given: Iterable[str]) -> dict[str, str]:
    """Return headers written as key=value.  Raises InvalidJob for one that is not, or that is given twice."""
    headers: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InvalidJob(f'--header is "{text}". It takes a name and a value, such as trace-id=4711.')
        if name in headers:
            raise InvalidJob(f'--header {name} is given twice, as "{headers[name]}" and "{value}". Give it once.')
        headers[name] = value
    return headers


def _compact(text: bytes) -> bytes:
    """Return JSON without the white space, its numbers and names untouched."""
    try:
        return msgspec.json.format(text, indent=-1)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidJob(f'--args is not JSON: {error}. It takes an object, such as {{"to": "ada"}}.') from error
    except RecursionError:
        raise InvalidJob("--args is nested too deeply: nobody could read it again. Make it flatter.") from None


def _read(text: str, option: str) -> bytes:
    if text == "-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return os.fsencode(text)  # the very bytes that the shell gave us
    try:
        return Path(text[1:]).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidJob(f"{option} names the file {text[1:]}, which cannot be read: {reason}.") from error
