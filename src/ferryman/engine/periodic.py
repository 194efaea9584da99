"""Enqueues jobs by the clock, each once.

Only the leader has a schedule, or, where there is no leader, a run is whose who claims it
first.  The next time counts from the nominal one before.  What was missed while nobody
could look, a night with the lid closed, is made up for by one run and not by hundreds.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec

from ferryman.clock import Clock
from ferryman.cron import Interval
from ferryman.engine.leader import Leader
from ferryman.errors import FerrymanError
from ferryman.events import EventBus, ServiceFailed
from ferryman.job import NewJob, State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import ScheduleInfo
from ferryman.task import PeriodicEntry

__all__ = ["Periodic", "periodic_job"]

_LONGEST_SLEEP = 1.0
_MARGIN = timedelta(milliseconds=100)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Periodic:
    """Enqueues `entries` when their time comes."""

    def __init__(
        self,
        storage: AsyncStorage,
        leader: Leader,
        entries: Sequence[PeriodicEntry],
        *,
        clock: Clock,
        events: EventBus,
    ) -> None:
        self.storage = storage
        self.leader = leader
        self.entries = entries
        self.clock = clock
        self.events = events
        self._next: dict[str, datetime | None] = {}
        self._last: dict[str, datetime] = {}

    async def run(self) -> None:
        """Enqueue what is due, until cancelled; a schedule begins anew with each leadership."""
        while True:
            if not self.leader.leading:
                self._next.clear()
                await self.leader.led()
                continue
            try:
                await self.tick()
            except FerrymanError as error:
                self.events.publish(ServiceFailed("periodic", error))
                await self.clock.sleep(_LONGEST_SLEEP)  # what is due stays due
            else:
                await self.clock.sleep(self._until_next())

    async def tick(self) -> None:
        """Enqueue every entry whose time has come, and only then look for its next time."""
        now = self.clock.now()
        planned, due = dict(self._next), []
        for entry in self.entries:
            if entry.id not in planned:
                planned[entry.id] = entry.schedule.next(now)
                if entry.on_start:
                    due.append((entry, now))
            when = planned[entry.id]
            if when is not None and when < now + _MARGIN:
                due.append((entry, when))
                planned[entry.id] = _after(entry, when, now)
        jobs = [periodic_job(entry, at) for entry, at in due if await self._ours(entry, at)]
        if jobs:
            await self.storage.jobs.insert(jobs, now=self.clock.stamp())
        self._next = planned
        self._last.update((entry.id, at) for entry, at in due)

    def outlook(self) -> tuple[ScheduleInfo, ...]:
        """Say what is enqueued by the clock, when it was last and when it will be.  Other threads may ask."""
        now, planned, found = self.clock.now(), self._next, []
        for entry in self.entries:
            when = planned[entry.id] if entry.id in planned else entry.schedule.next(now)
            with suppress(FerrymanError):  # a job that cannot be made is reported when its time comes
                job: NewJob = entry.task.job()
                last = self._last.get(entry.id)
                found.append(ScheduleInfo(id=entry.id, spec=entry.spec, job=job, next_at=when, last_at=last))
        return tuple(found)

    async def _ours(self, entry: PeriodicEntry, at: datetime) -> bool:
        return await self.storage.leaders.claim_tick(entry.id, _claimed(entry, at), leading=self.leader.leading)

    def _until_next(self) -> float:
        times = [when for when in self._next.values() if when is not None]
        if not times:
            return _LONGEST_SLEEP
        return min(max((min(times) - self.clock.now()).total_seconds(), 0.0), _LONGEST_SLEEP)


def periodic_job(entry: PeriodicEntry, at: datetime) -> NewJob:
    """Make the job of one run: available at once, with its nominal time."""
    job: NewJob = entry.task.job()
    return msgspec.structs.replace(job, state=State.AVAILABLE, scheduled_at=at, periodic=entry.id)


def _claimed(entry: PeriodicEntry, at: datetime) -> datetime:
    """Return what processes agree on: each counts an interval from when it started, and one run is enough for all."""
    if not isinstance(entry.schedule, Interval):
        return at
    return _EPOCH + (at - _EPOCH) // entry.schedule.delay * entry.schedule.delay


def _after(entry: PeriodicEntry, when: datetime, now: datetime) -> datetime | None:
    following = entry.schedule.next(when)
    return entry.schedule.next(now) if following is not None and following < now else following
