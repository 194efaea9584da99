"""Where time comes from.

Production trusts the database's clock for what is compared inside the database,
so `stamp` is None there.  Tests own time: their clock stamps every statement and
wakes sleepers when it is moved.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """What the engine asks about time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...

    def stamp(self) -> datetime | None:
        """Return the time to send along with a statement; None lets the database decide."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait this many seconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def stamp(self) -> datetime | None:
        return None

    async def sleep(self, seconds: float) -> None:
        # Imported here: a program that only enqueues from sync code never loads asyncio.
        import asyncio

        await asyncio.sleep(seconds)
