"""Seeks and holds the leadership; in a format without leaders the storage always says yes.

What is held is trusted for a second less than the storage's lease, by the local
monotonic clock, so that chores stop here before another process can begin them
(spec/river.md 6.1).
"""

from __future__ import annotations

import asyncio
import random
import time

from ferryman.clock import Clock
from ferryman.engine.outage import Report
from ferryman.engine.service import Nudge, Service, Tick, reported
from ferryman.errors import StorageError
from ferryman.events import EventBus, LeaderChanged
from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["Leader"]

_TRUST = 14.0
_RECOVERY = 0.5


class Leader:
    """Whether this worker leads, and what runs only while it does."""

    def __init__(
        self, storage: AsyncStorage, name: str, *, interval: float, enabled: bool, clock: Clock, events: EventBus
    ) -> None:
        self.storage = storage
        self.name = name
        self.interval = interval
        self.enabled = enabled
        self.clock = clock
        self.events = events
        self._nudge = Nudge()
        self._leads = asyncio.Event()
        self._term: str | None = None
        self._trusted_until = 0.0
        self._stands = False  # for election, this moment
        self._resigning = False

    @property
    def leading(self) -> bool:
        """Whether this worker is the leader, as far as it can know."""
        return self._term is not None and time.monotonic() < self._trusted_until

    async def led(self) -> None:
        """Wait until this worker is the leader."""
        await self._leads.wait()
        if not self.leading:
            await asyncio.sleep(_RECOVERY)  # trust ran out; the next election decides

    async def run(self) -> None:
        """Seek leadership and keep it, until cancelled; then give it up."""
        if not self.enabled:
            await asyncio.Event().wait()
        try:
            while True:
                if self._resigning:
                    await self._give_up()
                else:
                    await self._try()
                await self._nudge.wait(self.interval + (0 if self.leading else random.random()))
        finally:
            await self._give_up()

    def seek(self, resigned: str) -> None:
        """Try at once, since somebody else stepped down."""
        if resigned != self.name:
            self._nudge()

    def resign(self) -> None:
        """Step down, because somebody asked the leader to, which others may know us for before we do."""
        if self._term is not None or self._stands:
            self._resigning = True
            self._nudge()

    def only(self, seconds: float, tick: Tick, *, report: Report) -> Service:
        """Make a service of a tick that runs only while leading: at once when elected, then again and again."""

        async def loop() -> None:
            while True:
                await self.led()
                if self.leading:
                    await reported(tick, report)
                await self.clock.sleep(seconds)

        return loop

    async def _try(self) -> None:
        asked, self._stands = time.monotonic(), True
        try:
            term = await self.storage.leaders.elect(self.name, term=self._term, now=self.clock.stamp())
        except StorageError:
            # The fetcher reports the outage; here it only costs the leadership, once trust has run out.
            if not self.leading:
                self._set(None)
            return
        finally:
            self._stands = False
        self._trusted_until = asked + _TRUST
        self._set(term)
        if term is None:
            self._resigning = False  # it was not us who was asked

    async def _give_up(self) -> None:
        self._resigning = False
        term = self._term
        if term is None:
            return
        self._set(None)
        try:
            await self.storage.leaders.resign(self.name, term=term)
        except StorageError:
            return  # the lease runs out by itself

    def _set(self, term: str | None) -> None:
        was, self._term = self._term is not None, term
        if term is None:
            self._leads.clear()
        else:
            self._leads.set()
        if was != (term is not None):
            self.events.publish(LeaderChanged(term is not None))
