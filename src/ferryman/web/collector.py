"""Looks at one storage every few seconds, for everybody who looks at the dashboard (spec/dashboard.md 2.0.3).

A hundred viewers cost the storage what one costs.  It looks only while somebody does, less
often where that is Prometheus alone, and never spends more than a twentieth of its time on
looking: where counting takes long it looks seldom.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.admin.snapshot import Snapshot
from ferryman.facts import Fact
from ferryman.findings import Finding
from ferryman.job import State
from ferryman.storage.infos import PeriodicInfo, QueueInfo, WorkerInfo
from ferryman.web.sharing import BEING_READ, Seen, look, rest_after

__all__ = ["Collector", "Point", "Sight", "longest_wait"]

_INTERVAL = 5.0
_QUIET_INTERVAL = 30.0
"""The same where nobody watches, and only numbers are read."""
_CHECK_INTERVAL = 30.0
_IDLE = 60.0
_POINTS = 720


@dataclass(frozen=True)
class Point:
    """The few numbers that charts draw, at one moment."""

    at: datetime
    waiting: dict[str, int]
    """Jobs available or retryable, by queue."""
    running: int
    oldest: float | None
    """For how many seconds the job waits that is next to run."""


_UNSEEN: Seen[Any] = Seen((), BEING_READ)


@dataclass(frozen=True)
class Sight:
    """A storage as it was seen at one moment."""

    number: int
    at: datetime
    took: float
    queues: Seen[Sequence[QueueInfo]] = _UNSEEN
    workers: Seen[Sequence[WorkerInfo]] = _UNSEEN
    lost: Seen[Sequence[WorkerInfo]] = _UNSEEN
    schedules: Seen[Sequence[PeriodicInfo]] = _UNSEEN
    findings: Seen[Sequence[Finding]] = _UNSEEN
    facts: Seen[Sequence[Fact]] = _UNSEEN
    leader: str | None = None
    points: Sequence[Point] = field(default=(), repr=False)

    @property
    def reachable(self) -> bool:
        """Whether the storage answered at all, as far as it was asked."""
        return self.number == 0 or not (self.queues.why and self.workers.why)

    @property
    def being_read(self) -> bool:
        """Whether some of it is read for the first time."""
        return BEING_READ in (self.queues.why, self.findings.why)

    def capped(self, state: State) -> bool:
        """Whether there are more jobs of this state than were counted."""
        return any(state in queue.capped for queue in self.queues.value)

    def total(self, state: State) -> int | None:
        """Return how many jobs of a state there are in all queues."""
        if self.queues.why and not self.queues.value:
            return None
        return sum(queue.counts.get(state, 0) for queue in self.queues.value)


_NOTHING = Sight(0, datetime.min.replace(tzinfo=UTC), 0.0)


class Collector:
    """What was last seen of one storage, and the task that looks again."""

    def __init__(self, admin: AsyncAdmin, *, production: bool = True) -> None:
        self._admin = admin
        self._production = production
        self._sight: Sight | None = None
        self._points: deque[Point] = deque(maxlen=_POINTS)
        self._task: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()
        self._news = asyncio.Event()
        self._looking = asyncio.Lock()
        self._viewed = self._counted = self._checked = float("-inf")
        self._viewer_came = asyncio.Event()

    async def sight(self) -> Sight:
        """Return what was last seen; waits for the first look, or for one after nobody has looked for a while."""
        await self._come().wait()
        return await self._latest()

    async def glimpse(self, patience: float) -> Sight:
        """Return what `sight` does, or after so many seconds what is known by then, which may be nothing."""
        return await self._within(self._come(), patience)

    async def unhurried(self, patience: float) -> Sight:
        """Return what was last seen, for who reads numbers day and night: for them alone it looks less often."""
        self._counted = time.monotonic()
        return await self._within(self._begin(), patience)

    def _come(self) -> asyncio.Event:
        """See to it that it looks as often as for somebody who watches, at once if nobody did, and return when."""
        if not _is_recent(self._viewed):
            self._looked.clear()
            self._viewer_came.set()
        self._viewed = time.monotonic()
        return self._begin()

    def _begin(self) -> asyncio.Event:
        """See to it that somebody looks, and return when that was done."""
        if self._task is None or self._task.done():
            self._looked.clear()
            self._task = asyncio.create_task(self._run(), name="ferryman-dashboard")
        return self._looked

    async def _within(self, looked: asyncio.Event, patience: float) -> Sight:
        try:
            async with asyncio.timeout(patience):
                await looked.wait()
        except TimeoutError:
            return self._sight or _NOTHING
        return await self._latest()

    async def _latest(self) -> Sight:
        if self._sight is None and self._task is not None:
            await self._task  # it has ended with what went wrong
        assert self._sight is not None
        return self._sight

    async def after(self, number: int) -> int:
        """Return the number of what is seen after the sight of this number, when there is such."""
        while (sight := await self.sight()).number <= number:
            await self._news.wait()
        return sight.number

    async def anew(self) -> None:
        """Look again now, since something was changed from here."""
        if self._sight is not None:
            await self._look()

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        pace: float | None = _INTERVAL
        while pace is not None:
            self._viewer_came.clear()
            try:
                took = await self._look()
            finally:
                self._looked.set()
            took += await self._check()
            # What does not answer costs nobody anything, and its return is to be seen soon.
            reachable = self._sight is None or self._sight.reachable
            await self._rest(rest_after(took, at_least=pace) if reachable else _INTERVAL)
            pace = self._pace()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._viewer_came.wait()

    def _pace(self) -> float | None:
        """Return how long to rest at least; None where nobody wants to know any more."""
        if _is_recent(self._viewed):
            return _INTERVAL
        return _QUIET_INTERVAL if _is_recent(self._counted) else None

    async def _look(self) -> float:
        async with self._looking:
            return await self._see()

    async def _see(self) -> float:
        before, began = self._sight, time.monotonic()
        seen = before or _NOTHING
        snapshot: Seen[Snapshot | None] = await look(self._admin.snapshot, Seen(None))
        queues = _of(snapshot, "queues", seen.queues)
        now, took = datetime.now(UTC), time.monotonic() - began
        if not queues.why:
            self._points.append(_point(queues.value, now))
        self._show(
            replace(
                seen,
                number=seen.number + 1,
                at=now,
                took=took,
                queues=queues,
                workers=_of(snapshot, "workers", seen.workers),
                lost=_of(snapshot, "lost", seen.lost),
                schedules=_of(snapshot, "periodic", seen.schedules),
                leader=snapshot.value.leader if snapshot.value else None,
                points=tuple(self._points),
            )
        )
        return took

    async def _check(self) -> float:
        """Look for what is wrong, and at what the storage says of itself, less often: it asks more of the storage."""
        began = time.monotonic()
        if self._sight is None or began - self._checked < _CHECK_INTERVAL:
            return 0.0
        self._checked = began
        findings = await look(self._findings, self._sight.findings)
        facts = await look(self._admin.storage.facts, self._sight.facts)
        self._show(replace(self._sight, number=self._sight.number + 1, findings=findings, facts=facts))
        return time.monotonic() - began

    def _show(self, sight: Sight) -> None:
        self._sight = sight
        self._news.set()
        self._news = asyncio.Event()

    async def _findings(self) -> Sequence[Finding]:
        of_storage = await self._admin.storage.check(production=self._production)
        return [*of_storage, *await self._admin.check()]


def _is_recent(at: float) -> bool:
    return time.monotonic() - at < _IDLE


def _of(snapshot: Seen[Snapshot | None], name: str, before: Seen[Sequence[Any]]) -> Seen[Any]:
    """Return one part of a snapshot; of what could not be read, what was seen before stays."""
    if snapshot.value is None:
        return Seen(before.value, snapshot.why, before.at)
    read = getattr(snapshot.value, name)
    if read is None:
        return Seen(before.value, snapshot.value.missing.get(name, "it was not read"), before.at)
    return Seen(read, at=snapshot.at)


def longest_wait(queues: Sequence[QueueInfo], now: datetime) -> float | None:
    """Return for how many seconds the job waits that is next to run, leaving out queues that are paused."""
    waits = [(now - queue.oldest).total_seconds() for queue in queues if queue.oldest and not queue.paused_at]
    return max(waits, default=None)


def _point(queues: Sequence[QueueInfo], now: datetime) -> Point:
    return Point(
        at=now,
        waiting={
            queue.name: queue.counts.get(State.AVAILABLE, 0) + queue.counts.get(State.RETRYABLE, 0) for queue in queues
        },
        running=sum(queue.counts.get(State.RUNNING, 0) for queue in queues),
        oldest=longest_wait(queues, now),
    )
