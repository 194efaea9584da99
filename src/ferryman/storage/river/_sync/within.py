# Generated from src/ferryman/storage/river/_async/within.py by tools/unasync.py: change that file and run `make sync`.
"""River's format from inside the caller's own transaction."""

from __future__ import annotations

from typing import Any

from ferryman.storage.river._sync.jobs import RiverJobs
from ferryman.storage.river._sync.parts import RiverQueues, RiverRequests
from ferryman.storage.river._sync.runner import InTransaction, Runner
from ferryman.storage.river.verbs.insert import NoticeLimiter
from ferryman.storage.values import Feature, Notice

__all__ = ["RiverWithin"]


class RiverWithin:
    """Jobs, queues and requests, all in one transaction."""

    def __init__(self, runner: Runner, tx: Any, limiter: NoticeLimiter, features: frozenset[Feature]) -> None:
        inside = InTransaction(runner, tx)
        self.jobs = RiverJobs(inside, inside, _silent, limiter, features)
        self.queues = RiverQueues(inside, inside, _silent)
        self.notices = RiverRequests(inside, _silent)


def _silent(*notices: Notice) -> None:
    """Tell nobody in this process at once: what was not committed is nobody's business yet."""
