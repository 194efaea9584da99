"""The recorded program's worker in Python: it does as its arguments say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

from ferryman import Cancel, Snooze, cursor_step, record_output, set_cursor, set_metadata, step

__all__ = ["TEXT", "work"]

TEXT = "smtp: connection refused"


class Panic(BaseException):
    """What no task should raise: Go's panic."""


async def work(do: str, text: str = TEXT, ms: int = 90_000) -> None:
    """Do as the recorded worker did."""
    leave(do, text)
    match do:
        case "error" | "output_then_error":
            raise RuntimeError(text)
        case "panic":
            raise Panic(text)
        case "panic_value":
            raise Panic(f"map[code:7 text:{text}]")  # Go's way to print a map
        case "cancel":
            raise Cancel(text)
        case "snooze":
            raise Snooze(timedelta(milliseconds=ms))
        case "resumable":
            await step("one", nothing)
            await cursor_step("two", partial(fail_once, text), type=int)
        case "sleep" | "timeout" | "block":
            await asyncio.Event().wait()


def leave(do: str, text: str) -> None:
    """Record what is kept beside the arguments."""
    match do:
        case "output_then_error":
            record_output({"partial": True})
        case "output":
            record_output({"n": [1, 2, 3], "text": text})
        case "output_string":
            record_output(text)
        case "metadata":
            set_metadata("progress", 42)
            set_metadata("text", text)


async def nothing() -> None:
    """Be a step that is done at once."""


async def fail_once(text: str, cursor: int | None) -> None:
    """Be a step that breaks off, and goes on from there."""
    if cursor is None:
        set_cursor(17)
        raise RuntimeError(text)
