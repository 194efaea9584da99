# Generated from src/ferryman/storage/asynq/_async/jobs.py by tools/unasync.py: change that file and run `make sync`.
"""Jobs in asynq's format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from ferryman.errors import FerrymanError, InvalidJob, Unsupported
from ferryman.job import Inserted, Job, JobRef, NewJob, State
from ferryman.outcome import Finished
from ferryman.storage.asynq.rules import check, refuse_what_nobody_finds
from ferryman.storage.asynq.server import Server
from ferryman.storage.asynq.verbs import chores, finish, insert, listing, manage, many, work
from ferryman.storage.filters import NEWEST_FIRST, JobFilter, JobOrder, Page
from ferryman.storage.values import Action, Plan, Retention

__all__ = ["RedisJobs"]


class RedisJobs:
    """Everything that happens to jobs; see the protocol for what each method promises."""

    def __init__(self, server: Server, ran_dry: Callable[[Sequence[str]], None], *, remember: bool) -> None:
        """`ran_dry` is told of queues that gave less than was asked for; `remember` keeps failed attempts."""
        self._server = server
        self._ran_dry = ran_dry
        self._remember = remember

    def insert(
        self, jobs: Sequence[NewJob], *, plans: Sequence[Plan] = (), now: datetime | None = None
    ) -> list[Inserted]:
        _check(jobs)
        return self._server.run(insert.insert(jobs, now=now))

    def insert_fast(self, jobs: Sequence[NewJob], *, now: datetime | None = None) -> int:
        _check(jobs)
        return self._server.run(insert.insert_fast(jobs, now=now))

    def fetch(
        self,
        wanted: Sequence[tuple[str, int]],
        *,
        limit: int,
        kinds: frozenset[str] | None,
        worker: str,
        now: datetime | None = None,
    ) -> list[Job]:
        """Take jobs of any kind: asynq's queues are lists, and what is in them is seen when it is taken."""
        taken = self._server.run(work.fetch(wanted, limit=limit, worker=worker, now=now))
        if len(taken) < limit:
            self._ran_dry([queue for queue, _ in wanted])
        return taken

    def finish(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        return self._server.run(finish.finish(finished, now=now, remember=self._remember))

    def wait_for(self, ref: JobRef) -> None:
        """Return at once: nobody holds anything on Redis."""

    def extend(self, refs: Sequence[JobRef], *, worker: str, now: datetime | None = None) -> None:
        self._server.run(work.extend(refs, now=now))

    def promote(self, *, limit: int, now: datetime | None = None) -> int:
        return self._server.run(chores.promote(limit=limit, now=now))

    def stuck(
        self, *, older_than: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        """Return running jobs whose lease ran out half a minute ago: that, not `older_than`, is asynq's rule."""
        return self._server.run(chores.stuck(limit=limit, after=after, now=now))

    def orphaned(
        self, *, silent_for: timedelta, limit: int, after: JobRef | None = None, now: datetime | None = None
    ) -> list[Job]:
        """Return none: a lease says it all."""
        return []

    def rescue(self, finished: Sequence[Finished], *, now: datetime | None = None) -> list[State | None]:
        return self._server.run(chores.rescue(finished, now=now, remember=self._remember))

    def prune(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        return self._server.run(chores.prune(keep, limit=limit, now=now))

    def prune_own(self, keep: Retention, *, limit: int, now: datetime | None = None) -> int:
        """Do nothing: a completed job's own time is all that asynq knows, so `prune` looks at it."""
        return 0

    def get(self, ref: JobRef) -> Job:
        return self._server.run(manage.get(ref, history=True))

    def list(
        self, which: JobFilter, *, order: JobOrder = NEWEST_FIRST, limit: int = 100, cursor: str | None = None
    ) -> Page[Job]:
        refuse_what_nobody_finds(which, order)
        return self._server.run(listing.list_jobs(which, limit=limit, cursor=cursor))

    def count(self, which: JobFilter) -> Mapping[State, int]:
        return self._server.run(listing.count(which))

    def waiting_kinds(self, queues: Sequence[str], *, limit: int = 20) -> Sequence[str]:
        return self._server.run(listing.waiting_kinds(queues, limit=limit))

    def asked_to_stop(self, refs: Sequence[JobRef]) -> Sequence[JobRef]:
        """Return none: a cancellation is published, and written nowhere."""
        return ()

    def cancel(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        return self._server.run(manage.cancel(ref, now=now))

    def retry(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        return self._server.run(manage.retry(ref, now=now))

    def reschedule(self, ref: JobRef, at: datetime, *, now: datetime | None = None) -> Job:
        return self._server.run(manage.reschedule(ref, at))

    def discard(self, ref: JobRef, *, now: datetime | None = None) -> Job:
        return self._server.run(manage.discard(ref, now=now))

    def delete(self, ref: JobRef) -> Job:
        return self._server.run(manage.delete(ref))

    def update(self, ref: JobRef, metadata: Mapping[str, bytes]) -> Job:
        raise Unsupported("Jobs on Redis have no metadata; on Postgres and SQLite they have.")

    def give_arguments(self, ref: JobRef, args: bytes) -> Job:
        return self._server.run(manage.give_arguments(ref, args))

    def act(
        self, action: Action, refs: Sequence[JobRef], *, now: datetime | None = None
    ) -> Sequence[Job | FerrymanError]:
        return self._server.run(many.act(action, refs, now=now))


def _check(jobs: Sequence[NewJob]) -> None:
    if not jobs:
        raise InvalidJob("There are no jobs to store. Give at least one.")
    check(jobs)
