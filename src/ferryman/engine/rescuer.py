"""Takes back jobs whose worker died.

It decides as River's rescuer does (spec/river.md 6.4) but for one thing: a kind that is
unknown here is left alone, since somebody else may know it (design.md 5.17).  A worker of
ours says every few seconds that it is alive, so its death can be known long before River's
hour is over; nothing is known of Go's.  Where kinds
cannot be chosen, as on Redis, any is taken and so any is taken back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from ferryman.clock import Clock
from ferryman.duration import parse_duration
from ferryman.engine.verdict import retry_or_discard
from ferryman.events import EventBus, JobFinished, JobsRescued
from ferryman.job import AttemptError, Job, State
from ferryman.outcome import Cancelled, Discarded, Finished, Outcome
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature
from ferryman.task import Tasks

__all__ = ["Rescuer"]

BATCH = 1_000


@dataclass(frozen=True)
class Rescuer:
    storage: AsyncStorage
    tasks: Tasks
    rescue_after: timedelta
    rescue_silent: timedelta | None
    """How long a worker of ours is silent before its jobs are taken back; None waits for `rescue_after` only."""
    timeout: float | None
    unknown: Literal["leave", "discard"]
    clock: Clock
    events: EventBus

    async def tick(self) -> None:
        """Look at every job that has run for too long, and at those whose worker fell silent if that is asked for."""
        jobs, rescued = self.storage.jobs, 0
        if self.rescue_silent is not None:
            rescued += await self._each_page(partial(jobs.orphaned, silent_for=self.rescue_silent), dead=True)
        rescued += await self._each_page(partial(jobs.stuck, older_than=self.rescue_after), dead=False)
        if rescued:
            self.events.publish(JobsRescued(rescued))

    async def _each_page(self, find: Callable[..., Awaitable[list[Job]]], *, dead: bool) -> int:
        rescued, last = 0, None
        while found := await find(limit=BATCH, after=last, now=self.clock.stamp()):
            last = found[-1].ref
            decided = [Finished(job, outcome) for job in found if (outcome := self.decide(job, dead=dead)) is not None]
            if decided:
                rescued += self._tell(decided, await self.storage.jobs.rescue(decided, now=self.clock.stamp()))
        return rescued

    def decide(self, job: Job, *, dead: bool = False) -> Outcome | None:
        """Say what becomes of a stuck job; None leaves it alone.  `dead` is what is known of its worker."""
        now = self.clock.now()
        error = AttemptError(now, job.attempt, self.storage.wording.rescued)
        if job.cancel_requested_at is not None:
            return Cancelled(error)
        task = self.tasks.get(job.kind)
        if task is None and Feature.KINDS in self.storage.features:
            return Discarded(error) if self.unknown == "discard" and not dead else None
        if task is not None and not dead and self._still_allowed(job, now):
            return None
        return retry_or_discard(job, error, now=now, curve=self.tasks.curve if task is None else task.curve)

    def _tell(self, decided: Sequence[Finished], states: Sequence[State | None]) -> int:
        """Say of each job that was taken back what became of it, since its worker no longer can; returns how many."""
        rescued = [(each, state) for each, state in zip(decided, states, strict=True) if state is not None]
        now = self.clock.now()
        for finished, state in rescued:
            began = finished.job.attempted_at
            seconds = 0.0 if began is None else (now - began).total_seconds()
            self.events.publish(JobFinished(finished.job, finished.outcome, state, seconds))
        return len(rescued)

    def _still_allowed(self, job: Job, now: datetime) -> bool:
        declared = self.tasks[job.kind].options.get("timeout")
        timeout = self.timeout if declared is None else parse_duration(declared).total_seconds()
        if job.timeout is not None:
            timeout = job.timeout
        if job.attempted_at is None:
            return False  # its lease ran out, so there is no doubt that it is lost
        if not timeout:
            return True
        return now - job.attempted_at < timedelta(seconds=timeout)
