"""What is told of a storage at a moment, by whoever looked at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ferryman.facts import Fact
from ferryman.findings import Finding
from ferryman.storage.infos import PeriodicInfo, QueueInfo, WorkerInfo

__all__ = ["Moment"]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One storage at a moment; what is None is not known of it."""

    name: str
    answered_at: float
    """When it last answered, in seconds since 1970; 0 is never."""
    took: float
    """For how many seconds it was asked."""
    is_asynq: bool = False
    queues: Sequence[QueueInfo] | None = None
    workers: Sequence[WorkerInfo] | None = None
    periodic: Sequence[PeriodicInfo] | None = None
    leader: str | None = None
    findings: Sequence[Finding] | None = None
    facts: Sequence[Fact] | None = None
