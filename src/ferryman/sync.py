"""Ferryman's face for code that is not async."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from ferryman.admin._sync.admin import Admin
from ferryman.client._sync.client import Client
from ferryman.client._sync.semaphore import Semaphore
from ferryman.connections import Connections
from ferryman.events import EventBus
from ferryman.job import Inserted, NewJob
from ferryman.middleware import EnqueueMiddleware
from ferryman.opening import Apart

__all__ = ["Sync"]


class Sync:
    """Client and admin API of one Ferryman, for code that blocks."""

    def __init__(
        self,
        connections: Connections,
        events: EventBus,
        on_enqueue: Sequence[EnqueueMiddleware],
        apart: Apart | None = None,
    ) -> None:
        self._connections = connections
        self._events = events
        self._on_enqueue = on_enqueue
        self._apart = apart

    @cached_property
    def client(self) -> Client:
        """The client, which connects when it is first used."""
        open = self._connections.storage_sync
        return Client(open, events=self._events, middleware=self._on_enqueue, apart=self._apart)

    @cached_property
    def admin(self) -> Admin:
        """The admin API: look at everything, act on anything."""
        connections = self._connections
        return Admin(connections.storage_sync, self._events, unchecked=connections.unchecked_sync)

    def semaphore(self, scope: str, most: int) -> Semaphore:
        """Name a semaphore for plain functions; as `Ferryman.semaphore`."""
        return Semaphore(self._connections.storage_sync, scope, most)

    def enqueue(self, job: NewJob) -> Inserted:
        """Store one job."""
        return self.client.enqueue(job)

    def enqueue_many(self, jobs: Iterable[NewJob]) -> list[Inserted]:
        """Store all of these jobs or none."""
        return self.client.enqueue_many(jobs)

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        self._connections.close_sync()
