"""River's format from inside the caller's own transaction."""

from __future__ import annotations

from typing import Any

from ferryman.storage.river._async.jobs import AsyncRiverJobs
from ferryman.storage.river._async.parts import AsyncRiverQueues, AsyncRiverRequests
from ferryman.storage.river._async.runner import AsyncInTransaction, AsyncRunner
from ferryman.storage.river.verbs.insert import NoticeLimiter
from ferryman.storage.values import Feature, Notice

__all__ = ["AsyncRiverWithin"]


class AsyncRiverWithin:
    """Jobs, queues and requests, all in one transaction."""

    def __init__(self, runner: AsyncRunner, tx: Any, limiter: NoticeLimiter, features: frozenset[Feature]) -> None:
        inside = AsyncInTransaction(runner, tx)
        self.jobs = AsyncRiverJobs(inside, inside, _silent, limiter, features)
        self.queues = AsyncRiverQueues(inside, inside, _silent)
        self.notices = AsyncRiverRequests(inside, _silent)


def _silent(*notices: Notice) -> None:
    """Tell nobody in this process at once: what was not committed is nobody's business yet."""
