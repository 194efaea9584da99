"""The cheap facts of a storage at one moment (spec/dashboard.md 2.0.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from ferryman.job import State
from ferryman.storage.infos import PeriodicInfo, QueueInfo, WorkerInfo

__all__ = ["Snapshot"]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What there is.  A part that could not be read is None, and `missing` says why, by its name."""

    at: datetime
    location: str
    queues: Sequence[QueueInfo] | None = None
    workers: Sequence[WorkerInfo] | None = None
    lost: Sequence[WorkerInfo] | None = None
    """Workers that fell silent within the last hour without a word."""
    periodic: Sequence[PeriodicInfo] | None = None
    leader: str | None = None
    """The id of the worker that leads; None where nobody does, or has to."""
    missing: Mapping[str, str] = {}

    @property
    def ready(self) -> int | None:
        """How many jobs could start now."""
        return self.count(State.AVAILABLE)

    @property
    def failed(self) -> int | None:
        """How many jobs gave up and are kept; there are more if `is_capped` says so."""
        return self.count(State.DISCARDED)

    @property
    def oldest(self) -> datetime | None:
        """Since when the job waits that has waited longest, among those that are next in their queues."""
        times = [queue.oldest for queue in self.queues or () if queue.oldest is not None and queue.paused_at is None]
        return min(times, default=None)

    @property
    def slots(self) -> int | None:
        """How many jobs the workers could run at once."""
        return None if self.workers is None else sum(worker.concurrency for worker in self.workers)

    @property
    def busy(self) -> int | None:
        """How many of those slots are taken."""
        return None if self.workers is None else sum(len(worker.running) for worker in self.workers)

    def count(self, state: State) -> int | None:
        """Return how many jobs are in this state, in all queues that could be read."""
        return None if self.queues is None else sum(queue.counts.get(state, 0) for queue in self.queues)

    def is_capped(self, state: State) -> bool:
        """Whether there are more jobs in this state than were counted."""
        return any(state in queue.capped for queue in self.queues or ())
