"""The values that cross the seam between the engine and a storage; filters and infos have modules of their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from ferryman.job import Job, JobRef

__all__ = [
    "Action",
    "CancelRequested",
    "Feature",
    "Gathered",
    "HowWoken",
    "JobsAvailable",
    "LeaderResigned",
    "LineStatus",
    "Note",
    "Notice",
    "Plan",
    "QueueChanged",
    "ResignRequested",
    "Retention",
    "Wording",
]


class Feature(StrEnum):
    """What one storage can do and another cannot."""

    TRANSACTIONS = "jobs enqueued in the caller's own transaction"
    LEADERS = "one leader at a time"
    PRIORITIES = "priorities 1 to 4"
    PENDING = "jobs parked as pending"
    PLANS = "schedules that outlive the leader who keeps them"
    KINDS = "taking jobs of chosen kinds only"
    SCHEMA = "a schema that is migrated"
    NOTES = "what a running task notes in its job's metadata, such as the steps that it has done"
    ORDERS = "jobs listed by id and priority, and in a chosen order"
    METADATA = "jobs found by what their metadata contain"
    QUEUE_METADATA = "metadata of queues"
    ARGUMENTS = "other arguments for a job that waits for its time"
    COUNTS = "jobs counted by kind and time without looking at each"


class Action(StrEnum):
    """What can be done with many jobs at once."""

    RETRY = "retry"
    CANCEL = "cancel"
    DISCARD = "discard"
    DELETE = "delete"

    @property
    def done(self) -> str:
        """The word for it when it is done."""
        return {"retry": "retried", "cancel": "cancelled", "discard": "discarded", "delete": "deleted"}[self]


class Notice(msgspec.Struct, frozen=True):
    """A hint from outside.  Everything it says, polling finds out as well, only later."""


class JobsAvailable(Notice, frozen=True):
    """There may be jobs to take in this queue, or in any when `queue` is empty."""

    queue: str = ""


class CancelRequested(Notice, frozen=True):
    """Somebody wants this running job to stop."""

    ref: JobRef


class QueueChanged(Notice, frozen=True):
    """A queue was paused, resumed or changed; "*" means all.  `paused` is None when that is as it was."""

    queue: str
    paused: bool | None = None


class LeaderResigned(Notice, frozen=True):
    """The leader stepped down: an election is worth trying at once."""

    leader: str


class ResignRequested(Notice, frozen=True):
    """Somebody asks the leader to step down."""


class HowWoken(Notice, frozen=True):
    """How new jobs are heard of from now on; `lacking` says why it is no better, if it could be."""

    by: str
    lacking: str = ""


class Plan(msgspec.Struct, frozen=True):
    """When a schedule is due next.  One whose `spec` has been changed since begins anew."""

    id: str
    spec: str
    next_at: datetime


class Note(msgspec.Struct, frozen=True):
    """Something of ferryman's own, kept beside the jobs under a name, for a while at most."""

    page: str
    name: str
    text: str
    keep: timedelta


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long finished jobs are kept; None is forever.  `kinds` are tasks that say so themselves, in seconds."""

    completed: timedelta | None = timedelta(hours=24)
    cancelled: timedelta | None = timedelta(hours=24)
    discarded: timedelta | None = timedelta(days=7)
    kinds: Mapping[str, float] = {}


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs of one group that are to be made into one, set aside for whoever gathered them.

    `until` then they go back to their group, and another may gather them; `key` is the storage's own name of the set.
    """

    queue: str
    group: str
    jobs: tuple[Job, ...]
    until: datetime
    key: str


class Wording(msgspec.Struct, frozen=True):
    """Texts that a format fixes, because other programs look for them."""

    rescued: str
    unknown_kind: str
    """With `{kind}` in it."""


class LineStatus(msgspec.Struct, frozen=True):
    """Where one line of migrations stands: the version that is applied, and the newest known here."""

    line: str
    version: int
    latest: int
    pending: tuple[int, ...] = ()
