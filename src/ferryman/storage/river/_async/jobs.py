"""Jobs in River's format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from ferryman.errors import FerrymanError, InvalidJob, Unsupported
from ferryman.job import Inserted, Job, JobRef, NewJob, State
from ferryman.outcome import Finished
from ferryman.storage.filters import NEWEST_FIRST, JobFilter, JobOrder, Page
from ferryman.storage.river._async.runner import AsyncRunner
from ferryman.storage.river.rules import check
from ferryman.storage.river.steps import Verb
from ferryman.storage.river.verbs import chores, insert, manage, many, schedules, work
from ferryman.storage.values import Action, CancelRequested, Feature, JobsAvailable, Plan, Retention

__all__ = ["AsyncRiverJobs"]

T = TypeVar("T")


class AsyncRiverJobs:
    """Everything that happens to jobs; see the protocol for what each method promises."""

    def __init__(
        self,
        reader: AsyncRunner,
        writer: AsyncRunner,
        tell: Callable[..., None],
        limiter: insert.NoticeLimiter,
        features: frozenset[Feature],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._tell = tell
        self._limiter = limiter
        self._features = features

    async def insert(
        self, jobs: Sequence[NewJob], *, plans: Sequence[Plan] = (), now: datetime | None = None
    ) -> list[Inserted]:
        check(jobs)
        marks = await self._writer.marks()
        verb = insert.insert(jobs, now=now, limiter=self._limiter, marks=marks)
        if plans:
            return await self._store(jobs, schedules.and_keep(verb, plans, now=now))
        return await self._store(jobs, verb, alone=insert.stands_alone(jobs))

    async def insert_and_get(
        self, jobs: Sequence[NewJob], *, now: datetime | None = None
    ) -> list[tuple[Inserted, Job]]:
        """Store as `insert` does, and return each job as it is at that moment, as River's clients answer."""
        check(jobs)
        marks = await self._writer.marks()
        verb = insert.insert_and_get(jobs, now=now, limiter=self._limiter, marks=marks)
        return await self._store(jobs, verb)

    async def insert_fast(self, jobs: Sequence[NewJob], *, now: datetime | None = None) -> int:
        check(jobs)
        verb = insert.insert_fast(jobs, now=now, limiter=self._limiter)
        return await self._store(jobs, verb, alone=insert.stands_alone(jobs))

    async def _store(self, jobs: Sequence[NewJob], verb: Verb[T], *, alone: bool = False) -> T:
        if not jobs:
            raise InvalidJob("There are no jobs to store. Give at least one.")
        tx = jobs[0].tx
        if any(job.tx is not tx for job in jobs):
            raise InvalidJob(
                "These jobs belong to different transactions. Store each transaction's jobs by themselves."
            )
        if tx is not None:
            return await self._writer.within(tx, verb)
        stored = await (self._writer.each(verb) if alone else self._writer.write(verb))
        queues = {job.queue for job in jobs if job.state is State.AVAILABLE}
        self._tell(*(JobsAvailable(queue) for queue in queues))
        return stored

    async def fetch(
        self,
        wanted: Sequence[tuple[str, int]],
        *,
        limit: int,
        kinds: frozenset[str] | None,
        worker: str,
        now: datetime | None = None,
    ) -> list[Job]:
        return await self._writer.each(work.fetch(wanted, limit=limit, kinds=kinds, worker=worker, now=now))

    async def finish(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        if work.stand_alone(finished):
            return await self._writer.each(work.complete(finished, now=now))
        return await self._writer.write(work.finish(finished, now=now))

    async def wait_for(self, ref: JobRef) -> None:
        await self._writer.each(work.wait_for(ref))

    async def extend(self, refs: Sequence[JobRef], *, worker: str, now: datetime | None = None) -> None:
        """Do nothing: River has no leases, it rescues by age."""

    async def promote(self, *, limit: int, now: datetime | None = None) -> int:
        count = await self._writer.write(chores.promote(limit=limit, now=now, limiter=self._limiter))
        if count:
            self._tell(JobsAvailable())
        return count

    async def stuck(
        self, *, older_than: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        return await self._reader.read(chores.stuck(older_than=older_than, limit=limit, after=after, now=now))

    async def orphaned(
        self, *, silent_for: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        return await self._reader.read(chores.orphaned(silent_for=silent_for, limit=limit, after=after, now=now))

    async def rescue(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        return await self._writer.write(chores.rescue(finished, now=now))

    async def prune(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        return await self._writer.write(chores.prune(keep, limit=limit, now=now))

    async def prune_own(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        return await self._writer.write(chores.prune_own(keep, limit=limit, now=now))

    async def get(self, ref: JobRef) -> Job:
        return await self._reader.read(manage.get(ref))

    async def list(
        self, which: JobFilter, *, order: JobOrder = NEWEST_FIRST, limit: int = 100, cursor: str | None = None
    ) -> Page[Job]:
        if which.metadata and Feature.METADATA not in self._features:
            raise Unsupported("SQLite has no way to find jobs by what their metadata contain. Postgres has.")
        _refuse_groups(which)
        return await self._reader.read(manage.list_jobs(which, order=order, limit=limit, cursor=cursor))

    async def count(self, which: JobFilter) -> Mapping[State, int]:
        _refuse_groups(which)
        return await self._reader.read(manage.count(which))

    async def waiting_kinds(self, queues: Sequence[str], *, limit: int = 20) -> Sequence[str]:
        return await self._reader.read(manage.waiting_kinds(queues, limit=limit))

    async def asked_to_stop(self, refs: Sequence[JobRef]) -> Sequence[JobRef]:
        return await self._reader.read(manage.asked_to_stop(refs))

    async def cancel(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        job = await self._writer.write(manage.cancel(ref, now=now))
        if job.state is State.RUNNING:
            self._tell(CancelRequested(job.ref))
        return job

    async def retry(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        job = await self._writer.write(manage.retry(ref, now=now))
        self._tell(JobsAvailable(job.queue))
        return job

    async def reschedule(self, ref: JobRef, at: datetime, *, now: datetime | None = None) -> Job:
        return await self._writer.write(manage.reschedule(ref, at, now=now))

    async def discard(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        return await self._writer.write(manage.discard(ref, now=now))

    async def delete(self, ref: JobRef) -> Job:
        return await self._writer.write(manage.delete(ref))

    async def update(self, ref: JobRef, metadata: Mapping[str, bytes]) -> Job:
        return await self._writer.write(manage.update(ref, metadata))

    async def give_arguments(self, ref: JobRef, args: bytes) -> Job:
        raise Unsupported(
            f"Job {ref} keeps the arguments with which it was stored: River's unique keys are made of them. "
            "Cancel it, and enqueue another."
        )

    async def act(
        self, action: Action, refs: Sequence[JobRef], *, now: datetime | None = None
    ) -> Sequence[Job | FerrymanError]:
        answers = await self._writer.write(many.act(action, refs, now=now))
        for job in answers:
            if isinstance(job, Job) and job.state is State.RUNNING:
                self._tell(CancelRequested(job.ref))
        if action is Action.RETRY:
            self._tell(JobsAvailable())
        return answers


def _refuse_groups(which: JobFilter) -> None:
    if which.group:
        raise Unsupported(
            f'Jobs in River\'s format are in no group, so none is in "{which.group}". On Redis they can be.'
        )
