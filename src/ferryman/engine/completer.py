"""Writes what became of jobs, in batches, and keeps it through an outage.

While one batch is being written the next gathers, so batches are as large as the load
makes them and a single outcome never waits.  What cannot be written is put back in
front: `finish` only touches jobs that are still the same attempt, so writing twice is
harmless and dropping is not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import inf
from types import TracebackType
from typing import Self

import msgspec

from ferryman.clock import Clock
from ferryman.engine.asking import timed
from ferryman.engine.outage import Outage, Report
from ferryman.engine.service import Nudge
from ferryman.errors import FerrymanError, SchemaOutOfDate, StorageError, StorageUnavailable
from ferryman.events import EventBus, JobFinished, ServiceFailed
from ferryman.job import JobRef, State
from ferryman.outcome import Cancelled, Completed, Discarded, Finished, Retry
from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["Completer"]

BATCH = 2_000
_LAST_TRIES = 3
_SLOW = 10.0
_WHILE_LOCKED = 0.1
"""Seconds between looks at jobs that somebody has locked, when there is nothing else to write."""
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)

_Batch = list[tuple[Finished, float]]
"""Outcomes, each with the seconds that its attempt took."""


class Completer:
    """Holds finished jobs until the storage has them."""

    def __init__(self, storage: AsyncStorage, clock: Clock, events: EventBus) -> None:
        self.storage = storage
        self.clock = clock
        self.events = events
        self.outage = Outage(clock, events)
        self.count: Callable[[_Batch, list[State | None]], None] = _uncounted
        """Is told of each batch that is written."""
        self._report = Report("completer", self.outage)
        self._held: _Batch = []
        self._in_flight = 0
        self._locked_since: float | None = None
        self._runs = False
        self._waiting: asyncio.Task[None] | None = None
        self._nudge = Nudge()
        self._tried = Nudge()

    @property
    def backlog(self) -> int:
        """How many outcomes are not written yet."""
        return len(self._held) + self._in_flight

    def add(self, finished: Finished, seconds: float) -> None:
        """Take over an outcome; `seconds` is how long the attempt took."""
        self._held.append((finished, seconds))
        self._nudge()

    async def run(self) -> None:
        """Write outcomes as they come, until cancelled."""
        self._runs = True
        try:
            while True:
                await self._nudge.wait()
                await self._write_all(inf)
        finally:
            self._runs = False
            self._tried()

    async def written(self) -> None:
        """Wait until all outcomes so far are written, or nobody can write them now."""
        while self.backlog and self._runs and not self.outage.lasts:
            await self._tried.wait()

    async def flush(self, most: int = BATCH) -> bool:
        """Write one batch, and say whether any of it could be.  Raises what the storage raises, and keeps it then."""
        batch, self._held, turn = self._held[:most], self._held[most:], self.outage.turn
        self._in_flight = len(batch)
        try:
            with self._told_when_slow(len(batch)), timed(self.events, "finish"):
                states = await self.storage.jobs.finish([finished for finished, _ in batch], now=self.clock.stamp())
                if any(finished.early for finished, _ in batch):
                    await self._look_up(batch, states)
        except BaseException:
            # Back in front, not lost: a flush can be cut short by an outage or by shutdown.
            self._held = batch + self._held
            raise
        finally:
            self._in_flight = 0
            self._tried()
        self.outage.over(turn)
        if State.RUNNING in states:
            batch, states = self._without_locked(batch, states)
        else:
            self._locked_since = None
            self._report.works()
        self.count(batch, states)
        if self.events.wants(JobFinished):
            for (finished, seconds), state in zip(batch, states, strict=True):
                self.events.publish(JobFinished(finished.job, finished.outcome, state, seconds))
        return bool(batch)

    def _without_locked(self, batch: _Batch, states: list[State | None]) -> tuple[_Batch, list[State | None]]:
        """Put back those whose rows somebody else holds, and return the others.  When it takes long it is told."""
        written = [(each, state) for each, state in zip(batch, states, strict=True) if state is not State.RUNNING]
        locked = [each for each, state in zip(batch, states, strict=True) if state is State.RUNNING]
        self._held += locked
        self._locked_since = self._locked_since or time.monotonic()
        if time.monotonic() - self._locked_since >= _SLOW:
            self._report.failed(_late(len(locked)))
        return [each for each, _ in written], [state for _, state in written]

    async def _look_up(self, batch: _Batch, states: list[State | None]) -> None:
        """Find out which jobs their tasks had completed already: whatever became of the function, they are done."""
        for place, (finished, seconds) in enumerate(batch):
            if finished.early and states[place] is None:
                with suppress(FerrymanError):
                    stored = await self.storage.jobs.get(finished.job.ref)
                    if (stored.state, stored.attempt) == (State.COMPLETED, finished.job.attempt):
                        states[place] = State.COMPLETED
                        batch[place] = msgspec.structs.replace(finished, outcome=Completed(None)), seconds

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the last outcomes.  In an outage it tries a few times; what stays unwritten is rescued later."""
        try:
            await self._write_all(_LAST_TRIES)
        finally:
            if self._waiting is not None:
                self._waiting.cancel()
                await asyncio.wait([self._waiting])

    async def _write_all(self, tries: float) -> None:
        most, failures = BATCH, 0
        while self._held and failures < tries:
            turn = self.outage.turn
            try:
                failures = 0 if await self.flush(most) else failures + 1
                if failures and failures < tries:
                    await self._while_locked()
            except (StorageUnavailable, SchemaOutOfDate) as error:
                self.outage.lost(error, turn)
                failures += 1
                if failures < tries:
                    await self.clock.sleep(_PAUSES[min(failures, len(_PAUSES)) - 1])
            except Exception as error:
                # It refuses one of them: by itself, that one keeps no other from being written.
                if most == 1:
                    self._leave_out(error)
                most = 1

    async def _while_locked(self) -> None:
        """Wait a moment for rows to be let go, or for something else to write.

        A statement waits for the first of them for as long as it takes, so that the server shows that we wait, and
        for whom: River's harness looks for it, and so may whoever looks for what holds up a job.
        """
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.create_task(self._wait_for(self._held[0][0].job.ref))
        await self._nudge.wait(_WHILE_LOCKED)

    async def _wait_for(self, ref: JobRef) -> None:
        with suppress(StorageError):  # the next look finds out
            await self.storage.jobs.wait_for(ref)

    @contextmanager
    def _told_when_slow(self, count: int) -> Iterator[None]:
        """Say so when the storage neither takes nor refuses them: nothing else would tell why nothing is completed."""
        timer = asyncio.get_running_loop().call_later(_SLOW, self._report.failed, _late(count))
        try:
            yield
        finally:
            timer.cancel()

    def _leave_out(self, error: Exception) -> None:
        """Report a refusal, and try again without what the storage may have refused: the result, the error's text."""
        self.events.publish(ServiceFailed("completer", error))
        finished, seconds = self._held.pop(0)
        plain = _plain(finished)
        if plain != finished:
            self._held.insert(0, (plain, seconds))


def _uncounted(batch: _Batch, states: list[State | None]) -> None: ...


def _late(count: int) -> StorageError:
    return StorageError(f"{count} outcomes wait for {_SLOW:g} s to be written. Somebody may hold a lock on the jobs.")


def _plain(finished: Finished) -> Finished:
    outcome = finished.outcome
    if isinstance(outcome, Completed):
        outcome = Completed(None)
    elif isinstance(outcome, Retry | Cancelled | Discarded):
        text = outcome.error.error.encode("ascii", "replace").decode().replace("\0", "?")
        outcome = msgspec.structs.replace(outcome, error=msgspec.structs.replace(outcome.error, error=text, trace=""))
    return Finished(finished.job, outcome)
