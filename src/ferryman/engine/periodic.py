"""Enqueues jobs by the clock, each once.

Only the leader has a schedule; where nobody leads all have it, and the storage keeps the
first that stores a run.  The next time counts from the nominal one before.  What was missed while nobody
could look, a night with the lid closed, is made up for by one run and not by hundreds; what was
paused, and then let go on, is not made up for at all.

A schedule begins anew with each leadership, as River's do; where schedules are durable the
next time is kept beside the jobs, in the transaction that stores the run before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec

from ferryman.clock import Clock
from ferryman.cron import Interval
from ferryman.engine.leader import Leader
from ferryman.engine.outage import Outage, Report
from ferryman.errors import FerrymanError, StorageError
from ferryman.events import JobEnqueued
from ferryman.job import NewJob, State
from ferryman.middleware import EnqueueMiddleware, changed
from ferryman.scheduled import PeriodicEntry
from ferryman.storage._async.pauses import async_pauses
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.infos import ScheduleInfo
from ferryman.storage.pauses import PERIODIC
from ferryman.storage.values import Plan

__all__ = ["Periodic", "periodic_job"]

_LONGEST_SLEEP = 1.0
_MARGIN = timedelta(milliseconds=100)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Run = tuple[PeriodicEntry, datetime]
"""An entry, and the time at which it was due."""


class Periodic:
    """Enqueues `entries` when their time comes.  They may change at any time."""

    def __init__(
        self,
        storage: AsyncStorage,
        leader: Leader,
        entries: Sequence[PeriodicEntry],
        *,
        on_enqueue: Sequence[EnqueueMiddleware],
        durable: bool = False,
        clock: Clock,
        outage: Outage,
    ) -> None:
        self.storage = storage
        self.leader = leader
        self.entries = entries
        self.on_enqueue = on_enqueue
        self.durable = durable
        self.clock = clock
        self.events = outage.events
        self._report = Report("periodic", outage)
        self._reports: dict[str, Report] = {}
        self._next: dict[PeriodicEntry, datetime | None] = {}
        self._last: dict[str, datetime] = {}

    async def run(self) -> None:
        """Enqueue what is due, until cancelled; a schedule begins anew with each leadership."""
        while True:
            if not self.leader.leading:
                self._next = {}
                await self.leader.led()
                continue
            try:
                await self.tick()
            except StorageError as error:
                self._report.failed(error)
                await self.clock.sleep(_LONGEST_SLEEP)  # what is due stays due
            else:
                self._report.works()
                await self.clock.sleep(self._until_next())

    async def tick(self) -> None:
        """Enqueue every entry whose time has come, and only then look for its next time."""
        now, due, entries = self.clock.now(), [], tuple(self.entries)
        self._next = {entry: when for entry, when in self._next.items() if entry in entries}
        await self._begin([entry for entry in entries if entry not in self._next], now)
        for entry in entries:
            when = self._next[entry]
            if when is not None and when < now + _MARGIN:
                due.append((entry, when))
        due, skipped = await self._without_paused(due)
        for entry, when in await self._enqueued(due):
            self._last[entry.id] = when
            self._next[entry] = _after(entry, when, now)
        for entry, when in skipped:
            self._next[entry] = _after(entry, when, now)

    async def _begin(self, new: list[PeriodicEntry], now: datetime) -> None:
        """Look when each new entry is due for the first time: as a leader before kept it, or else from now on."""
        if not new:
            return
        kept = {plan.id: plan for plan in await self.storage.leaders.plans()} if self.durable else {}
        begun: dict[PeriodicEntry, datetime | None] = {}
        for entry in new:
            plan = kept.get(entry.id)
            if plan is not None and plan.spec == entry.spec:
                self._next[entry] = plan.next_at
            else:
                begun[entry] = now if entry.on_start else entry.schedule.next(now)
        if self.durable and (plans := [_plan(entry, at) for entry in new if (at := begun.get(entry)) is not None]):
            await self.storage.leaders.keep(plans, now=self.clock.stamp())
        self._next |= begun

    async def _without_paused(self, due: list[Run]) -> tuple[list[Run], list[Run]]:
        """Part what is to be enqueued from what somebody has paused: that passes as if it had never been due."""
        paused = await async_pauses(self.storage, PERIODIC, now=self.clock.stamp()) if due else {}
        skipped = [run for run in due if run[0].id in paused]
        if plans := self._plans(skipped):
            await self.storage.leaders.keep(plans, now=self.clock.stamp())
        return [run for run in due if run[0].id not in paused], skipped

    def outlook(self) -> tuple[ScheduleInfo, ...]:
        """Say what is enqueued by the clock, when it was last and when it will be.  Other threads may ask."""
        now, planned, found = self.clock.now(), self._next, []
        for entry in tuple(self.entries):
            when = planned[entry] if entry in planned else entry.schedule.next(now)
            with suppress(FerrymanError):  # a job that cannot be made is reported when its time comes
                job: NewJob = entry.task.job()
                last = self._last.get(entry.id)
                found.append(ScheduleInfo(id=entry.id, spec=entry.spec, job=job, next_at=when, last_at=last))
        return tuple(found)

    async def _enqueued(self, due: list[Run]) -> list[Run]:
        """Store runs, and return those that are.  One that cannot be stored stays due, and keeps no other back."""
        if not due or not self.leader.leading:
            return []
        try:
            await self._enqueue(due)
        except StorageError:
            raise
        except Exception as error:
            if len(due) > 1:
                return [run for each in due for run in await self._enqueued([each])]
            self._report_of(due[0][0]).failed(error)
            return []
        for entry, _ in due:
            self._report_of(entry).works()
        return due

    async def _enqueue(self, due: list[Run]) -> None:
        jobs = [changed(self.on_enqueue, periodic_job(entry, at)) for entry, at in due]
        stored = await self.storage.jobs.insert(jobs, plans=self._plans(due), now=self.clock.stamp())
        for job, each in zip(jobs, stored, strict=True):
            self.events.publish(JobEnqueued(each.ref, job.kind, job.queue, each.duplicate))

    def _plans(self, due: list[Run]) -> list[Plan]:
        """Say when these entries are due next, to be kept together with what they are due for now."""
        if not self.durable:
            return []
        now = self.clock.now()
        return [_plan(entry, at) for entry, when in due if (at := _after(entry, when, now)) is not None]

    def _report_of(self, entry: PeriodicEntry) -> Report:
        return self._reports.setdefault(entry.id, Report(f"periodic {entry.id}", self._report.outage))

    def _until_next(self) -> float:
        times = [when for when in self._next.values() if when is not None]
        if not times or any(report.is_bad for report in self._reports.values()):
            return _LONGEST_SLEEP
        return min(max((min(times) - self.clock.now()).total_seconds(), 0.0), _LONGEST_SLEEP)


def periodic_job(entry: PeriodicEntry, at: datetime) -> NewJob:
    """Make the job of one run: available at once, with its nominal time."""
    job: NewJob = entry.task.job()
    run = {"periodic": entry.id, "tick": _tick(entry, at)}
    return msgspec.structs.replace(job, state=State.AVAILABLE, scheduled_at=at, **run)


def _tick(entry: PeriodicEntry, at: datetime) -> datetime:
    """Return what processes agree on: each counts an interval from when it started, and one run is enough for all."""
    if not isinstance(entry.schedule, Interval):
        return at
    return _EPOCH + (at - _EPOCH) // entry.schedule.delay * entry.schedule.delay


def _plan(entry: PeriodicEntry, at: datetime) -> Plan:
    return Plan(entry.id, entry.spec, at)


def _after(entry: PeriodicEntry, when: datetime, now: datetime) -> datetime | None:
    following = entry.schedule.next(when)
    return entry.schedule.next(now) if following is not None and following < now else following
