"""Bulk operations as they are written down, to outlive the process that works them (spec/dashboard.md 2.10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from ferryman.admin.bulk import Progress, bounded
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action, Note

__all__ = [
    "BULKS",
    "GOING",
    "KEPT",
    "STOPS",
    "BulkInfo",
    "BulkState",
    "Skipped",
    "new_bulk",
    "read_bulks",
    "runner_page",
]

BULKS = "bulk"
"""The page with every operation, by id."""
STOPS = "bulk:stop"
"""The page that says which are to stop."""
GOING = "bulk:going"
"""The page that says which id an operation that is under way has, by what it does."""
KEPT = timedelta(days=7)

_SILENT = timedelta(seconds=30)


class BulkState(StrEnum):
    """Where a bulk operation is."""

    RUNNING = "running"
    STOPPING = "stopping"
    """It is to stop, and will after its step."""
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    """Whoever worked it has not been heard of: it can be continued."""
    DONE = "done"


class Skipped(msgspec.Struct, frozen=True):
    """A job that nothing was done with, and why."""

    ref: str
    code: str
    detail: str


class BulkInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A bulk operation: what it does to which jobs, who began it, and how far it is."""

    id: str
    action: Action
    which: JobFilter
    operation: str
    """What it does, as a digest: two that do the same have the same."""
    started_at: datetime
    alive_until: datetime
    """When its next step is to be heard of at the latest."""
    state: BulkState = BulkState.RUNNING
    actor: str = ""
    reason: str = ""
    expected: int | None = None
    """How many jobs its preview counted."""
    rate: float | None = None
    done: int = 0
    skipped: int = 0
    reasons: Mapping[str, int] = {}
    """How many were skipped for which reason: names of errors, such as WrongState."""
    latest: tuple[Skipped, ...] = ()
    """What was skipped in the latest step."""
    cursor: str | None = None
    ended_at: datetime | None = None
    error: str = ""
    """Why it stopped by itself, if it did."""

    @property
    def is_live(self) -> bool:
        """Whether somebody works it."""
        return self.state in (BulkState.RUNNING, BulkState.STOPPING)

    def after(self, progress: Progress) -> BulkInfo:
        """Return how far it is when this is what was done since."""
        reasons = Counter(self.reasons)
        reasons.update(type(error).__name__ for _, error in progress.latest)
        return replace(
            self,
            done=self.done + progress.done,
            skipped=self.skipped + progress.skipped,
            reasons=dict(reasons),
            latest=tuple(Skipped(str(ref), type(error).__name__, str(error)) for ref, error in progress.latest),
            cursor=progress.cursor,
        )

    def seen(self, now: datetime, *, to_stop: bool) -> BulkInfo:
        """Return it as others see it at this time."""
        if self.state is not BulkState.RUNNING:
            return self
        if now > self.alive_until:
            return replace(self, state=BulkState.INTERRUPTED)
        return replace(self, state=BulkState.STOPPING) if to_stop else self

    def beating(self, now: datetime, step: timedelta) -> BulkInfo:
        """Return it with when it is to be heard of next, where a step takes so long."""
        return replace(self, alive_until=now + 3 * step + _SILENT)

    def note(self) -> Note:
        """Write it down."""
        return Note(BULKS, self.id, msgspec.json.encode(self).decode(), KEPT)


def new_bulk(
    action: Action,
    which: JobFilter,
    *,
    expected: int | None,
    rate: float | None,
    actor: str,
    reason: str,
    now: datetime,
) -> BulkInfo:
    """Return an operation that nobody has begun to work."""
    digest = sha256(msgspec.json.encode([action, which], order="deterministic")).hexdigest()
    return BulkInfo(
        id=uuid4().hex[:12],
        action=action,
        which=bounded(which, now),
        operation=digest[:16],
        started_at=now,
        alive_until=now + _SILENT,
        actor=actor,
        reason=reason,
        expected=expected,
        rate=rate,
    )


def read_bulks(page: Mapping[str, str], stops: Mapping[str, str], now: datetime) -> dict[str, BulkInfo]:
    """Read what a page says, by id; what another version wrote and this one cannot read is left out."""
    found = {}
    for id, text in page.items():
        try:
            info = msgspec.json.decode(text, type=BulkInfo)
        except msgspec.DecodeError:
            continue
        if now - info.started_at < KEPT:
            found[id] = info.seen(now, to_stop=id in stops)
    return found


def runner_page(id: str) -> str:
    """Return the page that says who works an operation."""
    return f"bulk:runner:{id}"
