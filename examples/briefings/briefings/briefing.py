"""What a briefing is."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


class Section(msgspec.Struct, frozen=True):
    heading: str
    text: str


class Content(msgspec.Struct, frozen=True):
    """What the briefing service makes of a topic."""

    title: str
    sections: list[Section]


class Briefing(msgspec.Struct, frozen=True, kw_only=True):
    """A row.  `attempt` is the latest that `job_ref` began; `error_message` is there once that job gave up."""

    id: UUID
    topic: str
    status: str
    tries: int
    attempt: int
    max_attempts: int
    next_attempt_at: datetime | None
    job_ref: str | None
    content: Content | None
    last_error: str | None
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def final(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.status in ("completed", "failed")

    @property
    def seconds(self) -> float:
        """How long it took from the first attempt to the end."""
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at and self.started_at else 0.0


def briefing_from(row: Any) -> Briefing | None:
    """Read a row; None stays None."""
    if row is None:
        return None
    content = row["content"] and msgspec.json.decode(row["content"], type=Content)
    return msgspec.convert({**row, "content": content}, Briefing)
