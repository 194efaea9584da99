# Generated from src/ferryman/admin/_async/queues.py by tools/unasync.py: change that file and run `make sync`.
"""Queues: looking, pausing with a reason, deleting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from msgspec.structs import replace

from ferryman.admin._sync.bulk import BulkAdmin
from ferryman.errors import SchemaOutOfDate
from ferryman.events import Acted, EventBus
from ferryman.opening import Open
from ferryman.storage._sync.pauses import pauses
from ferryman.storage.filters import JobFilter
from ferryman.storage.infos import DayCounts, QueueDetails, QueueInfo
from ferryman.storage.pauses import QUEUES, Pause, pause_note
from ferryman.storage.values import Action

__all__ = ["QueueAdmin"]


class QueueAdmin:
    """Queues."""

    def __init__(self, open: Open, events: EventBus) -> None:
        self._open = open
        self._events = events

    def list(self) -> list[QueueInfo]:
        """Return every queue with its counts."""
        storage = self._open()
        return _with_pauses(storage.queues.list(), pauses(storage, QUEUES))

    def glance(self, *, cap: int = 10_000, now: datetime | None = None) -> Sequence[QueueInfo]:
        """Return every queue, with no more than `cap` ended jobs counted in each state: cheap, whatever they hold."""
        storage = self._open()
        return _with_pauses(storage.queues.glance(cap=cap, now=now), pauses(storage, QUEUES))

    def get(self, name: str) -> QueueInfo:
        """Return one queue.  Raises QueueNotFound."""
        storage = self._open()
        (queue,) = _with_pauses([storage.queues.get(name)], pauses(storage, QUEUES))
        return queue

    def details(self, name: str) -> QueueDetails:
        """Return what is known of a queue beside its counts: memory, totals, groups, its place in a Cluster.

        Nothing of it is known on Postgres and SQLite.  Raises QueueNotFound.
        """
        return (self._open()).queues.details(name)

    def history(self, name: str, *, days: int = 14) -> Sequence[DayCounts]:
        """Return what a queue did on each of the latest days, up to 90, the latest first.  Raises QueueNotFound."""
        return (self._open()).queues.history(name, days=days)

    def pause(self, name: str, *, actor: str = "", reason: str = "") -> None:
        """Let nobody take jobs from a queue, or from all ("*"), and keep who did it and why.  Raises QueueNotFound."""
        storage = self._open()
        storage.queues.pause(name)
        queues = storage.queues.list()
        notes = [
            pause_note(QUEUES, queue.name, Pause(queue.paused_at, actor, reason))
            for queue in queues
            if queue.paused_at is not None and name in ("*", queue.name)
        ]
        with suppress(SchemaOutOfDate):  # it is paused all the same
            storage.notebook.write(notes)
        self._events.publish(Acted("paused", f"queue {name}", actor, reason))

    def resume(self, name: str, *, actor: str = "", reason: str = "") -> None:
        """Undo `pause`.  Raises QueueNotFound."""
        storage = self._open()
        storage.queues.resume(name)
        with suppress(SchemaOutOfDate):
            storage.notebook.erase(QUEUES, list(pauses(storage, QUEUES)) if name == "*" else [name])
        self._events.publish(Acted("resumed", f"queue {name}", actor, reason))

    def delete(self, name: str, *, force: bool = False, actor: str = "", reason: str = "") -> None:
        """Forget a queue that holds no job; with `force` its jobs are deleted first, but for those that run.

        Raises QueueNotFound, WrongState.
        """
        storage = self._open()
        storage.queues.get(name)
        if force:
            for _ in BulkAdmin(self._open, self._events).run(
                Action.DELETE, JobFilter(queues=(name,)), actor=actor, reason=reason
            ):
                continue
        storage.queues.delete(name)
        self._events.publish(Acted("deleted", f"queue {name}", actor, reason))


def _with_pauses(queues: Sequence[QueueInfo], pauses: Mapping[str, Pause]) -> list[QueueInfo]:
    """Say who paused each queue, unless somebody resumed and paused it since by other means."""
    return [
        replace(queue, paused_by=pause.by, pause_reason=pause.reason)
        if (pause := pauses.get(queue.name)) is not None and pause.at == queue.paused_at
        else queue
        for queue in queues
    ]
