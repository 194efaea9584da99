"""A clock that goes on as usual until a test stops it or moves it on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ferryman.clock import SystemClock
from ferryman.duration import parse_duration

__all__ = ["TravelClock"]


class TravelClock(SystemClock):
    """The machine's clock, or a frozen one, or one that is ahead.  Waiting takes as long as ever."""

    def __init__(self) -> None:
        self._frozen: datetime | None = None
        self._ahead = timedelta()

    @property
    def moved(self) -> bool:
        """Whether it shows another time than the machine's."""
        return self._frozen is not None or bool(self._ahead)

    def now(self) -> datetime:
        return self._frozen or datetime.now(UTC) + self._ahead

    def stamp(self) -> datetime | None:
        return self.now() if self.moved else None

    def freeze(self, at: datetime) -> None:
        """Stop at a time."""
        self._frozen = at.astimezone(UTC)

    def move(self, by: timedelta | float | str) -> None:
        """Go on by a duration, frozen or not."""
        if self._frozen is None:
            self._ahead += parse_duration(by)
        else:
            self._frozen += parse_duration(by)
