"""Whether the storage answers: said once when it stops, and once when it is back, whoever notices first."""

from __future__ import annotations

from ferryman.clock import Clock
from ferryman.errors import StorageError
from ferryman.events import EventBus, StorageBack, StorageLost

__all__ = ["Outage"]


class Outage:
    """What taking jobs and writing outcomes know of the storage together."""

    def __init__(self, clock: Clock, events: EventBus) -> None:
        self.clock = clock
        self.events = events
        self.lasts = False

    def lost(self, error: StorageError) -> None:
        """Say that the storage did not answer."""
        if not self.lasts:
            self.lasts = True
            self.events.publish(StorageLost(error))

    def over(self) -> None:
        """Say that it did."""
        if self.lasts:
            self.lasts = False
            self.events.publish(StorageBack(self.clock.now()))
