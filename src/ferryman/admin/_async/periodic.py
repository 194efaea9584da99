"""What is enqueued by the clock: looking, running now, pausing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from ferryman.errors import DuplicateJob, ScheduleNotFound, Unsupported
from ferryman.events import Acted, EventBus, JobEnqueued
from ferryman.job import Inserted, NewJob, State
from ferryman.opening import AsyncOpen
from ferryman.storage._async.pauses import async_pauses
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.infos import PeriodicInfo, PeriodicRun
from ferryman.storage.pauses import PERIODIC, Pause, pause_note

__all__ = ["AsyncPeriodicAdmin"]


class AsyncPeriodicAdmin:
    """What is enqueued by the clock."""

    def __init__(self, open: AsyncOpen, events: EventBus) -> None:
        self._open = open
        self._events = events

    async def list(self, *, now: datetime | None = None) -> Sequence[PeriodicInfo]:
        """Return the entries of all workers and schedulers that are alive, Go's among them."""
        storage = await self._open()
        paused = await async_pauses(storage, PERIODIC, now=now)
        return [_with_pause(entry, paused.get(entry.id)) for entry in await storage.workers.schedules(now=now)]

    async def get(self, id: str) -> PeriodicInfo:
        """Return one entry.  Raises ScheduleNotFound."""
        entries = await self.list()
        for entry in entries:
            if entry.id == id:
                return entry
        raise ScheduleNotFound(id, {entry.id for entry in entries})

    async def history(self, id: str, *, limit: int = 50) -> Sequence[PeriodicRun]:
        """Return the latest runs of an entry, the latest first.  Raises ScheduleNotFound.

        A database has those whose jobs are still stored.  On Redis asynq remembers a thousand, for 90 days;
        what became of them is known for as long as their jobs are kept.
        """
        entry = await self.get(id)
        return await (await self._open()).workers.runs(entry, limit=limit)

    async def run(self, id: str, *, actor: str = "", reason: str = "") -> Inserted:
        """Enqueue an entry's job now; when it is due next stays as it was.

        Raises ScheduleNotFound, Unsupported for what a Go scheduler holds, and DuplicateJob, which names
        the job that holds the place where the job is to be unique.
        """
        await self._ours(id, "run")
        storage = await self._open()
        job = await self._job(storage, id)
        (stored,) = await storage.jobs.insert([job])
        self._events.publish(JobEnqueued(stored.ref, job.kind, job.queue, stored.duplicate))
        if stored.duplicate:
            raise DuplicateJob(
                f'"{id}" was not run: job {stored.ref} ({stored.state}) counts as the same. Nothing was stored.',
                ref=stored.ref,
            )
        self._events.publish(Acted("run now", f"schedule {id} as job {stored.ref}", actor, reason))
        return stored

    async def pause(self, id: str, *, actor: str = "", reason: str = "", now: datetime | None = None) -> PeriodicInfo:
        """Let no worker enqueue an entry's job by the clock until `resume`; what is due meanwhile is left out.

        Raises ScheduleNotFound, Unsupported, and SchemaOutOfDate where there is no table for it.
        """
        entry = await self._ours(id, "paused")
        pause = Pause(entry.paused_at or now or datetime.now(UTC), actor, reason)
        await (await self._open()).notebook.write([pause_note(PERIODIC, id, pause)], now=now)
        self._events.publish(Acted("paused", f"schedule {id}", actor, reason))
        return _with_pause(entry, pause)

    async def resume(self, id: str, *, actor: str = "", reason: str = "") -> None:
        """Undo `pause`, also of an entry that no worker has at the moment.  Raises ScheduleNotFound."""
        storage = await self._open()
        if id not in await async_pauses(storage, PERIODIC):
            await self.get(id)
        await storage.notebook.erase(PERIODIC, [id])
        self._events.publish(Acted("resumed", f"schedule {id}", actor, reason))

    async def _ours(self, id: str, what: str) -> PeriodicInfo:
        entry = await self.get(id)
        if not entry.ours:
            raise Unsupported(
                f'"{id}" belongs to the Go scheduler {entry.owner} and cannot be {what} from here. Nothing was changed.'
            )
        return entry

    async def _job(self, storage: AsyncStorage, id: str) -> NewJob:
        """Return what the workers say that they enqueue, ready to run."""
        known = [schedule for worker in await storage.workers.list() for schedule in worker.schedules]
        for schedule in known:
            if schedule.id == id and schedule.whole:
                return msgspec.structs.replace(
                    schedule.job, state=State.AVAILABLE, scheduled_at=None, periodic=id, tick=None
                )
        raise Unsupported(
            f'What "{id}" enqueues is too long for workers to say it. Run it by its kind: ferryman enqueue KIND ARGS'
        )


def _with_pause(entry: PeriodicInfo, pause: Pause | None) -> PeriodicInfo:
    if pause is None or not entry.ours:
        return entry
    return msgspec.structs.replace(entry, paused_at=pause.at, paused_by=pause.by, pause_reason=pause.reason)
