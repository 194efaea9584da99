"""Whether the storage answers, and whether each service works: said once when not, and once when it is over."""

from __future__ import annotations

from ferryman.clock import Clock
from ferryman.errors import StorageError, StorageUnavailable
from ferryman.events import EventBus, ServiceBack, ServiceFailed, StorageBack, StorageLost

__all__ = ["Outage", "Report"]


class Outage:
    """What taking jobs and writing outcomes know of the storage together.

    Several questions are on their way at a time.  One that was sent before the last turn, and ends after it, knows
    only how the storage was: it would tell of the same outage, or of its end, a second time.
    """

    def __init__(self, clock: Clock, events: EventBus) -> None:
        self.clock = clock
        self.events = events
        self.lasts = False
        self.turn = 0
        """How often it began or ended: to be noted when something is asked of the storage."""

    def lost(self, error: StorageError, asked_in: int) -> None:
        """Say that the storage did not answer what was asked in this turn."""
        if not self.lasts and asked_in == self.turn:
            self._turn()
            self.events.publish(StorageLost(error))

    def over(self, asked_in: int) -> None:
        """Say that it did."""
        if self.lasts and asked_in == self.turn:
            self._turn()
            self.events.publish(StorageBack(self.clock.now()))

    def _turn(self) -> None:
        self.lasts = not self.lasts
        self.turn += 1


class Report:
    """What a service says of itself."""

    def __init__(self, service: str, outage: Outage) -> None:
        self.service = service
        self.outage = outage
        self._said: type[Exception] | None = None

    @property
    def is_bad(self) -> bool:
        """Whether it was said that the service fails."""
        return self._said is not None

    def failed(self, error: Exception) -> None:
        """Say that the service failed, unless it is the outage that everybody has heard of."""
        if self.outage.lasts and isinstance(error, StorageUnavailable):
            return
        if self._said is not type(error):
            self._said = type(error)
            self.outage.events.publish(ServiceFailed(self.service, error))

    def works(self) -> None:
        """Say that it works again."""
        if self._said is not None:
            self._said = None
            self.outage.events.publish(ServiceBack(self.service))
