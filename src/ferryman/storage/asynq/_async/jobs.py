"""Jobs in asynq's format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from ferryman.errors import FerrymanError, InvalidJob, Unsupported
from ferryman.job import Inserted, Job, JobRef, NewJob, State
from ferryman.outcome import Finished
from ferryman.storage.asynq.rules import check, refuse_what_nobody_finds
from ferryman.storage.asynq.server import AsyncServer
from ferryman.storage.asynq.verbs import chores, finish, insert, listing, manage, many, work
from ferryman.storage.filters import NEWEST_FIRST, JobFilter, JobOrder, Page
from ferryman.storage.values import Action, Plan, Retention

__all__ = ["AsyncRedisJobs"]


class AsyncRedisJobs:
    """Everything that happens to jobs; see the protocol for what each method promises."""

    def __init__(self, server: AsyncServer, ran_dry: Callable[[Sequence[str]], None], *, remember: bool) -> None:
        """`ran_dry` is told of queues that gave less than was asked for; `remember` keeps failed attempts."""
        self._server = server
        self._ran_dry = ran_dry
        self._remember = remember

    async def insert(
        self, jobs: Sequence[NewJob], *, plans: Sequence[Plan] = (), now: datetime | None = None
    ) -> list[Inserted]:
        _check(jobs)
        return await self._server.run(insert.insert(jobs, now=now))

    async def insert_fast(self, jobs: Sequence[NewJob], *, now: datetime | None = None) -> int:
        _check(jobs)
        return await self._server.run(insert.insert_fast(jobs, now=now))

    async def fetch(
        self,
        wanted: Sequence[tuple[str, int]],
        *,
        limit: int,
        kinds: frozenset[str] | None,
        worker: str,
        now: datetime | None = None,
    ) -> list[Job]:
        """Take jobs of any kind: asynq's queues are lists, and what is in them is seen when it is taken."""
        taken = await self._server.run(work.fetch(wanted, limit=limit, worker=worker, now=now))
        if len(taken) < limit:
            self._ran_dry([queue for queue, _ in wanted])
        return taken

    async def finish(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        return await self._server.run(finish.finish(finished, now=now, remember=self._remember))

    async def wait_for(self, ref: JobRef) -> None:
        """Return at once: nobody holds anything on Redis."""

    async def extend(self, refs: Sequence[JobRef], *, worker: str, now: datetime | None = None) -> None:
        await self._server.run(work.extend(refs, now=now))

    async def promote(self, *, limit: int, now: datetime | None = None) -> int:
        return await self._server.run(chores.promote(limit=limit, now=now))

    async def stuck(
        self, *, older_than: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        """Return running jobs whose lease ran out half a minute ago: that, not `older_than`, is asynq's rule."""
        return await self._server.run(chores.stuck(limit=limit, after=after, now=now))

    async def orphaned(
        self, *, silent_for: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        """Return none: a lease says it all."""
        return []

    async def rescue(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        return await self._server.run(chores.rescue(finished, now=now, remember=self._remember))

    async def prune(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        return await self._server.run(chores.prune(keep, limit=limit, now=now))

    async def prune_own(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        """Do nothing: a completed job's own time is all that asynq knows, so `prune` looks at it."""
        return 0

    async def get(self, ref: JobRef) -> Job:
        return await self._server.run(manage.get(ref, history=True))

    async def list(
        self, which: JobFilter, *, order: JobOrder = NEWEST_FIRST, limit: int = 100, cursor: str | None = None
    ) -> Page[Job]:
        refuse_what_nobody_finds(which, order)
        return await self._server.run(listing.list_jobs(which, limit=limit, cursor=cursor))

    async def count(self, which: JobFilter) -> Mapping[State, int]:
        return await self._server.run(listing.count(which))

    async def waiting_kinds(self, queues: Sequence[str], *, limit: int = 20) -> Sequence[str]:
        return await self._server.run(listing.waiting_kinds(queues, limit=limit))

    async def asked_to_stop(self, refs: Sequence[JobRef]) -> Sequence[JobRef]:
        """Return none: a cancellation is published, and written nowhere."""
        return ()

    async def cancel(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        return await self._server.run(manage.cancel(ref, now=now))

    async def retry(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        return await self._server.run(manage.retry(ref, now=now))

    async def reschedule(self, ref: JobRef, at: datetime, *, now: datetime | None = None) -> Job:
        return await self._server.run(manage.reschedule(ref, at))

    async def discard(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        return await self._server.run(manage.discard(ref, now=now))

    async def delete(self, ref: JobRef) -> Job:
        return await self._server.run(manage.delete(ref))

    async def update(self, ref: JobRef, metadata: Mapping[str, bytes]) -> Job:
        raise Unsupported("Jobs on Redis have no metadata; on Postgres and SQLite they have.")

    async def give_arguments(self, ref: JobRef, args: bytes) -> Job:
        return await self._server.run(manage.give_arguments(ref, args))

    async def act(
        self, action: Action, refs: Sequence[JobRef], *, now: datetime | None = None
    ) -> Sequence[Job | FerrymanError]:
        return await self._server.run(many.act(action, refs, now=now))


def _check(jobs: Sequence[NewJob]) -> None:
    if not jobs:
        raise InvalidJob("There are no jobs to store. Give at least one.")
    check(jobs)
