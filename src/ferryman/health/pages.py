"""The pages that probes ask for, and what a page answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ferryman.health.vitals import Health

__all__ = ["NOT_NOW", "OK", "Answer", "Look", "Page", "health_pages"]

OK, NOT_NOW = 200, 503


class Answer(NamedTuple):
    """What a page answers."""

    status: int
    body: bytes
    kind: str = "application/json"


Page = Callable[[], Answer]
Look = Callable[[], Health]


def health_pages(look: Look) -> dict[str, Page]:
    """Return a page for each question; it answers 200 or 503, with the reason as JSON."""
    return {
        "/livez": lambda: _answer(look(), "live"),
        "/readyz": lambda: _answer(look(), "ready"),
        "/startupz": lambda: _answer(look(), "started"),
    }


def _answer(health: Health, what: str) -> Answer:
    return Answer(OK if getattr(health, what) else NOT_NOW, msgspec.json.encode(health) + b"\n")
