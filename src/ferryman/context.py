"""What a running task can say about itself on the way."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from ferryman import gojson
from ferryman.errors import FerrymanError, InvalidJob

__all__ = ["Recorder", "encoded", "record_output", "recording"]

_LARGEST = 32 * 1024 * 1024


class Recorder:
    """Keeps what one attempt records until its outcome is written."""

    __slots__ = ("output",)

    def __init__(self) -> None:
        self.output: bytes | None = None


recording: ContextVar[Recorder] = ContextVar("ferryman_recording")


def record_output(value: Any) -> None:
    """Keep a value with the job, whatever becomes of the attempt; the last call wins.

    A returned value is kept in the same place.  At most 32 MiB encoded (spec/river.md 5.7).
    Raises InvalidJob when JSON cannot carry it, FerrymanError outside a running task.
    """
    recorder = recording.get(None)
    if recorder is None:
        raise FerrymanError("record_output() was called outside a running task. Call it from the task's own code.")
    recorder.output = encoded(value)


def encoded(value: Any) -> bytes:
    """Write an output as it is kept.  Raises InvalidJob when JSON cannot carry it, or when it is too large."""
    text = gojson.encode(value)
    if len(text) > _LARGEST:
        raise InvalidJob(f"The output takes {len(text):,} bytes; at most {_LARGEST:,} are kept. Store it elsewhere.")
    return text
