"""Takes jobs while there is room for them.

It waits for one thing only, a nudge: a notice of new jobs, a slot that became free, or
stop.  Stop is a flag and a nudge; a fetch in flight is never cancelled, since the
storage has handed those jobs over and nobody else holds them.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Mapping

import msgspec

from ferryman.clock import Clock
from ferryman.engine.asking import timed
from ferryman.engine.completer import Completer
from ferryman.engine.executor import Executor
from ferryman.engine.service import Nudge
from ferryman.errors import StorageError
from ferryman.events import EventBus, JobsFetched, WorkerQuiet
from ferryman.job import Job, JobRef
from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["Fetcher", "shares"]

_LONGEST_PAUSE = 5.0


class _Asked(msgspec.Struct, frozen=True):
    """A fetch on its way, how many jobs it asks for, and in which turn of the storage's outages."""

    room: int
    turn: int
    answer: asyncio.Task[list[Job]]


class Fetcher:
    """Keeps the executor busy with jobs of `queues`, which maps names to weights."""

    def __init__(
        self,
        storage: AsyncStorage,
        executor: Executor,
        completer: Completer,
        *,
        queues: Mapping[str, int],
        strict: bool,
        kinds: frozenset[str] | None,
        worker: str,
        poll: float,
        burst: bool,
        max_jobs: int | None,
        clock: Clock,
        events: EventBus,
    ) -> None:
        self.storage = storage
        self.executor = executor
        self.completer = completer
        self.queues = queues
        self.strict = strict
        self.kinds = kinds
        self.worker = worker
        self.poll = poll
        self.burst = burst
        self.left = max_jobs
        self.clock = clock
        self.events = events
        self.nudge = Nudge()
        self.stopping = False
        self.quiet = False
        """Take no more jobs, without ending."""
        self.why_quiet = ""
        self.turned_at = time.monotonic()
        """When the loop last turned, for whoever watches it from another thread."""
        self.waits_since: float | None = None
        """Since when it waits for the storage's answer, if it does."""
        self._told_quiet = False
        self._asked: _Asked | None = None
        self._cancelled: set[JobRef] = set()
        self._failures = 0
        # What is finished but not written is held in memory only: beyond this we do not take more.
        self._most_unwritten = max(1_000, 4 * executor.slots)

    def stop(self) -> None:
        """Take no more jobs."""
        self.stopping = True
        self.nudge()

    def cancel(self, ref: JobRef) -> None:
        """Stop a job that runs here, or that is on its way: it is ours before we know of it."""
        if self._asked is not None:
            self._cancelled.add(ref)
        self.executor.cancel(ref)

    async def run(self) -> None:
        """Take jobs until told to stop, or in a burst until there are none."""
        try:
            await self._run()
        finally:
            if self._asked is not None:
                await self._see_through(self._asked.answer)

    async def _run(self) -> None:
        while not self.stopping:
            self.turned_at = time.monotonic()
            self._tell_when_quiet()
            idle = self.burst and self._idle()  # before we ask: what ends meanwhile may leave new jobs behind
            asked = self._asked or self._ask_for(self._room())
            taken = await self._take(asked) if asked else []
            is_full = asked is not None and len(taken) == asked.room
            self._asked = self._ask_ahead(len(taken)) if is_full else None
            self._begin(taken)
            if self.left == 0 or (idle and asked and not taken and not self._failures):
                return
            if is_full:
                await asyncio.sleep(0)  # let what was just taken begin
            else:
                await self.nudge.wait(self._pause())

    def _tell_when_quiet(self) -> None:
        # A fetch that is on its way would still bring some.
        if self.quiet and not self._told_quiet and not self._asked:
            self._told_quiet = True
            self.events.publish(WorkerQuiet(len(self.executor.running), self.why_quiet))

    def _room(self, about_to_begin: int = 0) -> int:
        if self.quiet or self.completer.backlog + about_to_begin >= self._most_unwritten:
            return 0
        free = self.executor.free - about_to_begin
        return free if self.left is None else min(free, self.left)

    def _ask_for(self, room: int) -> _Asked | None:
        """Begin a fetch, if there is room; where the next are asked for ahead, each is for half of the free slots.

        Half of those, not of all: what runs for long takes no part in the turn, and would leave no second half.
        """
        if self.storage.fetches_ahead:
            room = min(room, (self.executor.free + 1) // 2)
        # In a task of its own, so that cancelling us does not cut it short.
        if room <= 0:
            return None
        return _Asked(room, self.completer.outage.turn, asyncio.ensure_future(self._fetch(room)))

    def _ask_ahead(self, about_to_begin: int) -> _Asked | None:
        """Ask for the next jobs before these begin, where the storage and we can work at the same time."""
        return self._ask_for(self._room(about_to_begin)) if self.storage.fetches_ahead else None

    def _idle(self) -> bool:
        return not self.executor.running and not self.completer.backlog

    def _pause(self) -> float:
        if self._failures:
            return min(0.2 * 2.0 ** min(self._failures, 10), _LONGEST_PAUSE)
        return 0.02 if self.burst else self.poll

    async def _take(self, asked: _Asked) -> list[Job]:
        self._asked = asked
        self.waits_since = time.monotonic()
        try:
            taken = await asyncio.shield(asked.answer)
        except StorageError as error:
            self.completer.outage.lost(error, asked.turn)
            self._failures += 1
            return []
        finally:
            self.waits_since = None
        self.completer.outage.over(asked.turn)
        self._failures = 0
        if self.left is not None:
            self.left -= len(taken)
        if taken and self.events.wants(JobsFetched):
            self.events.publish(JobsFetched(len(taken)))
        return taken

    async def _see_through(self, fetching: asyncio.Task[list[Job]]) -> None:
        """Start what comes, however often we are cancelled meanwhile; the executor gives it back."""
        while not fetching.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([fetching])
        if not fetching.cancelled() and fetching.exception() is None:
            self._begin(fetching.result())

    def _begin(self, taken: list[Job]) -> None:
        self.executor.start(taken)
        # None of them has had its turn yet: a job that was cancelled on its way here never runs.
        for ref in self._cancelled:
            self.executor.cancel(ref)
        self._cancelled.clear()

    async def _fetch(self, room: int) -> list[Job]:
        """Take up to `room` jobs: each queue its share first, then what one left goes to the next."""
        wanted = shares(self.queues, room, strict=self.strict)
        taken = await self._ask(wanted, room)
        left = room - len(taken)
        if not left or len(wanted) == 1 or self.strict:
            return taken
        perhaps_more = [(name, left) for name, most in wanted if sum(job.queue == name for job in taken) == most]
        try:
            return taken + (await self._ask(perhaps_more, left) if perhaps_more else [])
        except StorageError:
            if not taken:
                raise
            return taken  # these are ours, whatever becomes of the rest

    async def _ask(self, wanted: list[tuple[str, int]], limit: int) -> list[Job]:
        now = self.clock.stamp()
        with timed(self.events, "fetch"):
            return await self.storage.jobs.fetch(wanted, limit=limit, kinds=self.kinds, worker=self.worker, now=now)


def shares(queues: Mapping[str, int], room: int, *, strict: bool) -> list[tuple[str, int]]:
    """Return the queues in the order to look at, each with how many jobs to take from it.

    Strict: the heaviest first, as many as there are.  Weighted: a share by weight, in an
    order drawn by weight, so that over time a queue is first as often as it weighs.
    """
    if strict or len(queues) == 1:
        return [(name, room) for name in sorted(queues, key=lambda name: -queues[name])]
    order = sorted(queues, key=lambda name: random.random() ** (1 / queues[name]), reverse=True)
    total, left, found = sum(queues.values()), room, []
    for name in order:
        most = min(left, -(-room * queues[name] // total))  # rounded up: the first drawn gets the odd one
        found.append((name, most))
        left -= most
    return found
