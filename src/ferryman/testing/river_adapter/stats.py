"""What a running worker saw, in the words of River's subscriptions."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import msgspec

from ferryman.errors import FerrymanError
from ferryman.events import EventBus, JobFinished, LeaderChanged, QueuePaused, QueueResumed
from ferryman.job import FINAL, AttemptError, Job, State
from ferryman.outcome import Cancelled, Released, Snoozed
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.testing.river_adapter.behaviors import COOPERATIVE

__all__ = ["Stats"]

_SETTLE = 0.01


class Stats:
    """Listens to a worker's events, one after another."""

    def __init__(self, events: EventBus, storage: AsyncStorage) -> None:
        self._storage = storage
        self._events: list[str] = []
        self._cancelled_at_start = 0
        self._errors = 0
        self._leaderships = 0
        self._begun: set[tuple[str, int]] = set()
        self._waiting: asyncio.Queue[JobFinished | str] = asyncio.Queue()
        events.subscribe(JobFinished, self._waiting.put_nowait)
        events.subscribe(QueuePaused, lambda event: self._waiting.put_nowait("queue_paused"))
        events.subscribe(QueueResumed, lambda event: self._waiting.put_nowait("queue_resumed"))
        events.subscribe(LeaderChanged, self._lead)
        self._reader = asyncio.create_task(self._read())

    def began(self, job: Job) -> None:
        """Remember that this attempt was begun, and not cancelled before it could be."""
        self._begun.add((job.id, job.attempt))

    def count_error(self, job: Job, error: AttemptError) -> Literal["cancel"]:
        """Count a failed attempt, and cancel its job."""
        self._errors += 1
        return "cancel"

    async def report(self) -> dict[str, Any]:
        """Return what was seen so far."""
        # What stands in the database may be seen by the harness a moment before it is an event here.
        await asyncio.sleep(_SETTLE)
        await self._waiting.join()
        return {
            "cancelled_at_start": self._cancelled_at_start,
            "error_handler_calls": self._errors,
            "events": self._events,
            "periodic_starts": self._leaderships,
        }

    def close(self) -> None:
        """Listen no more."""
        self._reader.cancel()

    def _lead(self, event: LeaderChanged) -> None:
        self._leaderships += event.leading  # whoever leads has a schedule from then on

    async def _read(self) -> None:
        while True:
            event = await self._waiting.get()
            kind = event if isinstance(event, str) else await self._kind(event)
            if kind:
                self._events.append(kind)
            self._waiting.task_done()

    async def _kind(self, event: JobFinished) -> str:
        """Name what is written of a job, whatever its worker wanted to write."""
        job = event.job
        if isinstance(event.outcome, Cancelled) and _asks_to_be_cancelled(job):
            self._cancelled_at_start += (job.id, job.attempt) not in self._begun
        state = event.state or await self._written_by_others(job)
        match state:
            case None:
                return ""
            case State.COMPLETED:
                return "job_completed"
            case State.CANCELLED:
                return "job_cancelled"
            case _ if isinstance(event.outcome, Released):
                return ""
            case _ if isinstance(event.outcome, Snoozed):
                return "job_snoozed"
        return "job_failed"

    async def _written_by_others(self, job: Job) -> State | None:
        try:
            found = await self._storage.jobs.get(job.ref)
        except FerrymanError:
            return None
        return found.state if found.state in FINAL else None


class _Args(msgspec.Struct):
    behavior: str = ""


def _asks_to_be_cancelled(job: Job) -> bool:
    try:
        return msgspec.json.decode(job.args, type=_Args).behavior == COOPERATIVE
    except msgspec.MsgspecError:
        return False
