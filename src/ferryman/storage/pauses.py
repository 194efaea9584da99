"""Who paused what, and why, as the notebook says it (dashboard.md 0.2)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from ferryman.redaction import USUAL
from ferryman.storage.values import Note

__all__ = ["PERIODIC", "QUEUES", "Pause", "pause_note", "read_pauses"]

PERIODIC = "paused:periodic"
"""The page about schedules; what stands there is not enqueued by the clock."""
QUEUES = "paused:queues"
"""The page about queues, which says who and why: that a queue is paused is known by the format itself."""

_KEPT = timedelta(days=3_650)  # nothing that is paused may begin to run because nobody looked at it for long


class Pause(msgspec.Struct, frozen=True):
    """Since when something is paused, by whom, and why."""

    at: datetime
    by: str = ""
    reason: str = ""


_decode = msgspec.json.Decoder(Pause).decode


def pause_note(page: str, name: str, pause: Pause) -> Note:
    """Write a pause down; whoever asks why reads it, so a secret in the reason is not kept."""
    safe = replace(pause, reason=USUAL.text(pause.reason))
    return Note(page, name, msgspec.json.encode(safe).decode(), _KEPT)


def read_pauses(page: Mapping[str, str]) -> dict[str, Pause]:
    """Read what a page says; what another version of ferryman wrote and this one cannot read is not paused."""
    found = {}
    for name, text in page.items():
        with suppress(msgspec.DecodeError):
            found[name] = _decode(text)
    return found
