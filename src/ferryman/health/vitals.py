"""What is known at any moment of how a worker is, without asking anybody.

Live means that a restart would not help: the event loop turns, and so does the loop that
takes jobs.  Whether the storage answers is no part of it, or an outage would restart
every worker.  All of this is read from another thread than it is written in.
"""

from __future__ import annotations

import time

import msgspec

from ferryman.engine.fetcher import Fetcher
from ferryman.engine.outage import Outage

__all__ = ["Health", "Vitals"]

_DEAD_AFTER = 60.0
_SILENT_AFTER = 15.0


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker is; ages are in seconds."""

    live: bool
    """Whether a restart would not help."""
    started: bool
    """Whether it was ready to take jobs once."""
    ready: bool
    """Whether it takes jobs, and the storage answers."""
    status: str
    loop_age: float
    """Since when the event loop has not turned."""
    fetch_age: float | None
    """Since when the loop that takes jobs has not turned; None before it does."""
    storage: str
    running: int


class Vitals:
    """Looks at a worker's parts, once they are there."""

    def __init__(self) -> None:
        self.started = False
        self.loop_at = time.monotonic()
        self._fetcher: Fetcher | None = None
        self._outage: Outage | None = None

    def watch(self, fetcher: Fetcher, outage: Outage) -> None:
        """Look at these from now on."""
        self._fetcher, self._outage = fetcher, outage

    def turn(self) -> None:
        """Say that the event loop turns."""
        self.loop_at = time.monotonic()

    def look(self) -> Health:
        """Say how the worker is now."""
        now, fetcher = time.monotonic(), self._fetcher
        loop_age = now - self.loop_at
        fetch_age = None if fetcher is None else now - fetcher.turned_at
        storage = self._storage(now)
        status = self._status()
        live = loop_age < _DEAD_AFTER and self._fetches(fetch_age)
        return Health(
            live=live,
            started=self.started,
            ready=live and status == "active" and storage == "answers",
            status=status,
            loop_age=round(loop_age, 3),
            fetch_age=None if fetch_age is None else round(fetch_age, 3),
            storage=storage,
            running=0 if fetcher is None else len(fetcher.executor.running),
        )

    def _fetches(self, age: float | None) -> bool:
        """Whether the loop that takes jobs turns, or has a reason not to: it has ended, or the storage is slow."""
        fetcher = self._fetcher
        if fetcher is None or age is None or fetcher.stopping or fetcher.waits_since is not None:
            return True
        return age < _DEAD_AFTER + fetcher.poll

    def _status(self) -> str:
        if not self.started or self._fetcher is None:
            return "starting"
        if self._fetcher.stopping:
            return "draining"
        return "quiet" if self._fetcher.quiet else "active"

    def _storage(self, now: float) -> str:
        if self._fetcher is None or self._outage is None:
            return "not asked yet"
        since = self._fetcher.waits_since
        is_silent = since is not None and now - since > _SILENT_AFTER
        return "does not answer" if self._outage.lasts or is_silent else "answers"
