# Generated from src/ferryman/storage/river/_async/jobs.py by tools/unasync.py: change that file and run `make sync`.
"""Jobs in River's format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from ferryman.errors import FerrymanError, InvalidJob, Unsupported
from ferryman.job import Inserted, Job, JobRef, NewJob, State
from ferryman.outcome import Finished
from ferryman.storage.filters import NEWEST_FIRST, JobFilter, JobOrder, Page
from ferryman.storage.river._sync.runner import Runner
from ferryman.storage.river.rules import check
from ferryman.storage.river.steps import Verb
from ferryman.storage.river.verbs import chores, insert, manage, many, schedules, work
from ferryman.storage.values import Action, CancelRequested, Feature, JobsAvailable, Plan, Retention

__all__ = ["RiverJobs"]

T = TypeVar("T")


class RiverJobs:
    """Everything that happens to jobs; see the protocol for what each method promises."""

    def __init__(
        self,
        reader: Runner,
        writer: Runner,
        tell: Callable[..., None],
        limiter: insert.NoticeLimiter,
        features: frozenset[Feature],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._tell = tell
        self._limiter = limiter
        self._features = features

    def insert(
        self, jobs: Sequence[NewJob], *, plans: Sequence[Plan] = (), now: datetime | None = None
    ) -> list[Inserted]:
        check(jobs)
        marks = self._writer.marks()
        verb = insert.insert(jobs, now=now, limiter=self._limiter, marks=marks)
        if plans:
            return self._store(jobs, schedules.and_keep(verb, plans, now=now))
        return self._store(jobs, verb, alone=insert.stands_alone(jobs))

    def insert_and_get(self, jobs: Sequence[NewJob], *, now: datetime | None = None) -> list[tuple[Inserted, Job]]:
        """Store as `insert` does, and return each job as it is at that moment, as River's clients answer."""
        check(jobs)
        marks = self._writer.marks()
        verb = insert.insert_and_get(jobs, now=now, limiter=self._limiter, marks=marks)
        return self._store(jobs, verb)

    def insert_fast(self, jobs: Sequence[NewJob], *, now: datetime | None = None) -> int:
        check(jobs)
        verb = insert.insert_fast(jobs, now=now, limiter=self._limiter)
        return self._store(jobs, verb, alone=insert.stands_alone(jobs))

    def _store(self, jobs: Sequence[NewJob], verb: Verb[T], *, alone: bool = False) -> T:
        if not jobs:
            raise InvalidJob("There are no jobs to store. Give at least one.")
        tx = jobs[0].tx
        if any(job.tx is not tx for job in jobs):
            raise InvalidJob(
                "These jobs belong to different transactions. Store each transaction's jobs by themselves."
            )
        if tx is not None:
            return self._writer.within(tx, verb)
        stored = self._writer.each(verb) if alone else self._writer.write(verb)
        queues = {job.queue for job in jobs if job.state is State.AVAILABLE}
        self._tell(*(JobsAvailable(queue) for queue in queues))
        return stored

    def fetch(
        self,
        wanted: Sequence[tuple[str, int]],
        *,
        limit: int,
        kinds: frozenset[str] | None,
        worker: str,
        now: datetime | None = None,
    ) -> list[Job]:
        return self._writer.each(work.fetch(wanted, limit=limit, kinds=kinds, worker=worker, now=now))

    def finish(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        if work.stand_alone(finished):
            return self._writer.each(work.complete(finished, now=now))
        return self._writer.write(work.finish(finished, now=now))

    def wait_for(self, ref: JobRef) -> None:
        self._writer.each(work.wait_for(ref))

    def extend(self, refs: Sequence[JobRef], *, worker: str, now: datetime | None = None) -> None:
        """Do nothing: River has no leases, it rescues by age."""

    def promote(self, *, limit: int, now: datetime | None = None) -> int:
        count = self._writer.write(chores.promote(limit=limit, now=now, limiter=self._limiter))
        if count:
            self._tell(JobsAvailable())
        return count

    def stuck(
        self, *, older_than: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        return self._reader.read(chores.stuck(older_than=older_than, limit=limit, after=after, now=now))

    def orphaned(
        self, *, silent_for: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        return self._reader.read(chores.orphaned(silent_for=silent_for, limit=limit, after=after, now=now))

    def rescue(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        return self._writer.write(chores.rescue(finished, now=now))

    def prune(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        return self._writer.write(chores.prune(keep, limit=limit, now=now))

    def prune_own(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        return self._writer.write(chores.prune_own(keep, limit=limit, now=now))

    def get(self, ref: JobRef) -> Job:
        return self._reader.read(manage.get(ref))

    def list(
        self, which: JobFilter, *, order: JobOrder = NEWEST_FIRST, limit: int = 100, cursor: str | None = None
    ) -> Page[Job]:
        if which.metadata and Feature.METADATA not in self._features:
            raise Unsupported("SQLite has no way to find jobs by what their metadata contain. Postgres has.")
        _refuse_groups(which)
        return self._reader.read(manage.list_jobs(which, order=order, limit=limit, cursor=cursor))

    def count(self, which: JobFilter) -> Mapping[State, int]:
        _refuse_groups(which)
        return self._reader.read(manage.count(which))

    def waiting_kinds(self, queues: Sequence[str], *, limit: int = 20) -> Sequence[str]:
        return self._reader.read(manage.waiting_kinds(queues, limit=limit))

    def asked_to_stop(self, refs: Sequence[JobRef]) -> Sequence[JobRef]:
        return self._reader.read(manage.asked_to_stop(refs))

    def cancel(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        job = self._writer.write(manage.cancel(ref, now=now))
        if job.state is State.RUNNING:
            self._tell(CancelRequested(job.ref))
        return job

    def retry(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        job = self._writer.write(manage.retry(ref, now=now))
        self._tell(JobsAvailable(job.queue))
        return job

    def reschedule(self, ref: JobRef, at: datetime, *, now: datetime | None = None) -> Job:
        return self._writer.write(manage.reschedule(ref, at, now=now))

    def discard(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        return self._writer.write(manage.discard(ref, now=now))

    def delete(self, ref: JobRef) -> Job:
        return self._writer.write(manage.delete(ref))

    def update(self, ref: JobRef, metadata: Mapping[str, bytes]) -> Job:
        return self._writer.write(manage.update(ref, metadata))

    def give_arguments(self, ref: JobRef, args: bytes) -> Job:
        raise Unsupported(
            f"Job {ref} keeps the arguments with which it was stored: River's unique keys are made of them. "
            "Cancel it, and enqueue another."
        )

    def act(
        self, action: Action, refs: Sequence[JobRef], *, now: datetime | None = None
    ) -> Sequence[Job | FerrymanError]:
        answers = self._writer.write(many.act(action, refs, now=now))
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
