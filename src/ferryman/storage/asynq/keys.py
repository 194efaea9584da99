"""The names of asynq's keys (spec/asynq.md 1).

All keys of one queue carry its name in braces, which puts them on one node of a
Cluster; so do the two that a process writes together.  What ferryman keeps beside
asynq's data is named `ferryman:` and never counted on (design.md 3).
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import md5

import msgspec

__all__ = [
    "CANCEL",
    "OURS",
    "QUEUES",
    "SCHEDULERS",
    "SERVERS",
    "WORKERS",
    "QueueKeys",
    "identity",
    "notes",
    "scheduler",
    "scheduler_history",
    "semaphore",
    "server",
    "workers",
]

QUEUES = "asynq:queues"
"""Set of queue names."""
SERVERS = "asynq:servers"
"""Sorted set of the keys that `server` names, by the second they expire."""
WORKERS = "asynq:workers"
"""Sorted set of the keys that `workers` names, by the second they expire."""
SCHEDULERS = "asynq:schedulers"
"""Sorted set of the keys that `scheduler` names, by the second they expire."""
OURS = "ferryman:workers"
"""Sorted set of what ferryman's own workers are called, by the second of their latest heartbeat."""
CANCEL = "asynq:cancel"
"""Channel on which ids of tasks are published that are to stop."""


def identity(host: str, pid: int, id: str) -> str:
    """Return what a server or a scheduler is called; `id` is a random UUID of its own."""
    return f"{host or 'unknown-host'}:{pid}:{id}"


def server(identity: str) -> str:
    """String: the ServerInfo of one process."""
    return f"asynq:servers:{{{identity}}}"


def workers(identity: str) -> str:
    """Hash: id of a running task → WorkerInfo, of one process."""
    return f"asynq:workers:{{{identity}}}"


def scheduler(identity: str) -> str:
    """List: the SchedulerEntry messages of one scheduler, the last one first."""
    return f"asynq:schedulers:{{{identity}}}"


def scheduler_history(entry_id: str) -> str:
    """Sorted set: the SchedulerEnqueueEvent messages of one entry, by second."""
    return f"asynq:scheduler_history:{entry_id}"


def semaphore(scope: str) -> str:
    """Sorted set: ids of the tasks that hold a token, by the second of their deadline."""
    return f"asynq:sema:{scope}"


def notes(page: str) -> str:
    """Hash: name → text, the notes of one page of our own; all pages are on one node."""
    return f"ferryman:{{notes}}:{page}"


class QueueKeys(msgspec.Struct, frozen=True):
    """The keys of one queue."""

    queue: str

    @property
    def prefix(self) -> str:
        """What all of them begin with; a state's word behind it names its collection."""
        return f"asynq:{{{self.queue}}}:"

    @property
    def pending(self) -> str:
        """List of ids: enqueued at the left, taken from the right."""
        return f"{self.prefix}pending"

    @property
    def active(self) -> str:
        """List of ids being worked on, the newest at the left."""
        return f"{self.prefix}active"

    @property
    def lease(self) -> str:
        """Sorted set of ids being worked on, by the second their lease ends."""
        return f"{self.prefix}lease"

    @property
    def scheduled(self) -> str:
        """Sorted set of ids, by the second they are due."""
        return f"{self.prefix}scheduled"

    @property
    def retry(self) -> str:
        """Sorted set of ids, by the second of their next attempt."""
        return f"{self.prefix}retry"

    @property
    def archived(self) -> str:
        """Sorted set of ids, by the second they were given up."""
        return f"{self.prefix}archived"

    @property
    def completed(self) -> str:
        """Sorted set of ids, by the second they may be deleted."""
        return f"{self.prefix}completed"

    @property
    def task_prefix(self) -> str:
        """What the key of every task begins with."""
        return f"{self.prefix}t:"

    def task(self, id: str) -> str:
        """Hash: one task."""
        return f"{self.prefix}t:{id}"

    def unique(self, kind: str, payload: bytes | None) -> str:
        """String: the id of the task that holds the lock of this kind and payload.

        None is a payload that Go calls nil, whose hash is left out; an empty one is hashed.
        """
        digest = "" if payload is None else md5(payload, usedforsecurity=False).hexdigest()
        return f"{self.prefix}unique:{kind}:{digest}"

    @property
    def groups(self) -> str:
        """Set of the names of groups in which tasks wait."""
        return f"{self.prefix}groups"

    @property
    def group_prefix(self) -> str:
        """What the key of every group begins with."""
        return f"{self.prefix}g:"

    def group(self, name: str) -> str:
        """Sorted set of ids that wait in a group, by the second they came."""
        return f"{self.prefix}g:{name}"

    def aggregation_set(self, group: str, id: str) -> str:
        """Sorted set of ids that were taken out of a group together; `id` is a random UUID."""
        return f"{self.prefix}g:{group}:{id}"

    @property
    def aggregation_sets(self) -> str:
        """Sorted set of the keys that `aggregation_set` names, by the second they are given back."""
        return f"{self.prefix}aggregation_sets"

    @property
    def paused(self) -> str:
        """String: since which second the queue is paused; it exists only then."""
        return f"{self.prefix}paused"

    @property
    def processed(self) -> str:
        """Counter: attempts that ended, well or badly, since ever."""
        return f"{self.prefix}processed"

    @property
    def failed(self) -> str:
        """Counter: attempts that failed, since ever."""
        return f"{self.prefix}failed"

    def processed_on(self, at: datetime) -> str:
        """Counter: the same as `processed`, of one day in UTC."""
        return f"{self.prefix}processed:{_day(at)}"

    def failed_on(self, at: datetime) -> str:
        """Counter: the same as `failed`, of one day in UTC."""
        return f"{self.prefix}failed:{_day(at)}"

    @property
    def attempts_prefix(self) -> str:
        """What the key of every list of failed attempts begins with, which is ours."""
        return self.side("attempts:")

    def attempts(self, id: str) -> str:
        """List: failed attempts of a task, the latest at the left; ours."""
        return f"{self.attempts_prefix}{id}"

    def side(self, name: str) -> str:
        """Return a key of our own, on the queue's node: `ferryman:{queue}:name`."""
        return f"ferryman:{{{self.queue}}}:{name}"


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
