"""What a test holds of a program's jobs: which were enqueued, running them, and the time.

The program is as ever, but for where its jobs are kept: in a storage of the test's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from ferryman.app import Ferryman
from ferryman.errors import FerrymanError
from ferryman.events import JobFinished
from ferryman.job import Inserted, Job, NewJob, State
from ferryman.middleware import Call
from ferryman.outcome import Verdict
from ferryman.task import Kind, Task
from ferryman.testing import run_until_empty
from ferryman.testing.travel import TravelClock

__all__ = ["Harness", "kept_at"]

What = Task[..., Any] | Kind | str
_MOST = 1000


@contextmanager
def kept_at(jobs: Ferryman, url: str) -> Iterator[None]:
    """Have a program keep its jobs elsewhere for the length of a block."""
    opened = ("admin", "client", "connections", "loaded", "sync")
    before = {name: jobs.__dict__.pop(name) for name in opened if name in jobs.__dict__}
    said = jobs._arguments
    jobs._arguments = {**said, "url": url}
    try:
        yield
    finally:
        asyncio.run(jobs.close())
        for name in opened:
            jobs.__dict__.pop(name, None)
        jobs._arguments = said
        jobs.__dict__.update(before)


class Harness:
    """The jobs of one test."""

    def __init__(self, jobs: Ferryman) -> None:
        self.jobs = jobs
        self.clock = TravelClock()
        self._errors: list[Exception] = []
        self._draining = False

    def enqueued(
        self,
        what: What | None = None,
        *,
        args: Mapping[str, Any] | None = None,
        queue: str | None = None,
        state: State | str | None = None,
    ) -> list[Job]:
        """Return the jobs that were enqueued, the oldest first: of a task or kind, whose arguments include `args`."""
        found = self.jobs.sync.admin.jobs.list(limit=_MOST).items
        kind = what if isinstance(what, str | None) else what.kind
        return [
            job
            for job in reversed(found)
            if kind in (None, job.kind)
            and queue in (None, job.queue)
            and state in (None, job.state)
            and (args is None or _includes(job.args, args))
        ]

    def assert_enqueued(
        self,
        what: What,
        *,
        args: Mapping[str, Any] | None = None,
        queue: str | None = None,
        state: State | str | None = None,
    ) -> Job:
        """Return the first job that fits.  Raises AssertionError when there is none, and says what there is."""
        __tracebackhide__ = True
        found = self.enqueued(what, args=args, queue=queue, state=state)
        if not found:
            raise AssertionError(f"No {_asked(what, args, queue, state)} was enqueued. {_there(self.enqueued())}")
        return found[0]

    def assert_not_enqueued(
        self, what: What, *, args: Mapping[str, Any] | None = None, queue: str | None = None
    ) -> None:
        """Raise AssertionError when there is a job that fits."""
        __tracebackhide__ = True
        if found := self.enqueued(what, args=args, queue=queue):
            raise AssertionError(f"{_asked(what, args, queue, None)} was enqueued. {_there(found)}")

    async def drain(self, *, failing: Literal["raise", "keep"] = "raise") -> list[JobFinished]:
        """Run every job that is due, in every queue, and what those enqueue; return what became of each.

        Raises what the first job raised that failed, unless `failing` is "keep": then it is retried or discarded as
        in production, and nothing more.  A job that is to run later is not waited for: see `travel`.
        """
        self._errors.clear()
        self._draining = True
        try:
            queues = {**self.jobs.settings.queues, **dict.fromkeys((job.queue for job in self.enqueued()), 1)}
            ended = await run_until_empty(self.jobs, clock=self.clock, queues=queues, inside=[self._noting])
        finally:
            self._draining = False
        if self._errors and failing == "raise":
            raise self._errors[0]
        return ended

    def drain_sync(self, *, failing: Literal["raise", "keep"] = "raise") -> list[JobFinished]:
        """Do the same for a test that is not async."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self._drain_and_close(failing))
        raise FerrymanError("drain_sync() was called in an event loop. There write: await ferryman_queue.drain()")

    async def _drain_and_close(self, failing: Literal["raise", "keep"]) -> list[JobFinished]:
        try:
            return await self.drain(failing=failing)
        finally:
            await self.jobs.close()  # what belongs to this loop ends with it

    async def _noting(self, call: Call, job: Job) -> Any:
        try:
            return await call(job)
        except Verdict:
            raise
        except Exception as error:
            error.add_note(f"{job.kind} {job.ref} raised this, at attempt {job.attempt} of {job.max_attempts}")
            self._errors.append(error)
            raise

    def freeze(self, at: datetime) -> None:
        """Stop the time: what is enqueued is enqueued then, and only what is due by then is run."""
        self.clock.freeze(at)

    def travel(self, by: timedelta | float | str) -> None:
        """Move the time on by a timedelta, seconds or "1h30m", so that what was to wait is due."""
        self.clock.move(by)

    @contextmanager
    def inline(self) -> Iterator[None]:
        """Run each job as soon as its task is enqueued, and raise there what it raises."""
        self.jobs.tasks.bind(_Inline(self))
        try:
            yield
        finally:
            self.jobs.tasks.bind(self.jobs)

    @contextmanager
    def running(self) -> Iterator[Harness]:
        """Have jobs enqueued at the time of this harness, for the length of a block."""
        before = self.jobs.on_enqueue
        self.jobs.on_enqueue = (*before, self._at_our_time)
        try:
            yield self
        finally:
            self.jobs.on_enqueue = before

    def _at_our_time(self, job: NewJob) -> NewJob:
        if not self.clock.moved or "at" in job.given:
            return job
        now = self.clock.now()
        wait = timedelta() if job.scheduled_at is None else job.scheduled_at - datetime.now(UTC)
        return msgspec.structs.replace(job, scheduled_at=now + wait)


class _Inline:
    """Stores a job, and runs it before it says so; not again for what that job enqueues, which the same run takes."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness

    async def enqueue(self, job: NewJob) -> Inserted:
        stored = await self._harness.jobs.enqueue(job)
        if not self._harness._draining:
            await self._harness.drain()
        return stored

    def enqueue_sync(self, job: NewJob) -> Inserted:
        stored = self._harness.jobs.enqueue_sync(job)
        if not self._harness._draining:
            self._harness.drain_sync()
        return stored


def _includes(payload: bytes, args: Mapping[str, Any]) -> bool:
    try:
        found = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return False
    wanted = msgspec.to_builtins(dict(args))
    return isinstance(found, dict) and all(name in found and found[name] == value for name, value in wanted.items())


def _asked(what: What, args: object, queue: str | None, state: object) -> str:
    said = {"args": args, "queue": queue, "state": state}
    with_ = " and ".join(f"{name} {value}" for name, value in said.items() if value is not None)
    kind = what if isinstance(what, str) else what.kind
    return f"{kind} with {with_}" if with_ else kind


def _there(jobs: Sequence[Job]) -> str:
    lines = [f"  {job.kind} {job.args.decode(errors='replace')} ({job.state}, queue {job.queue})" for job in jobs]
    return "\n".join(["There are:", *lines]) if lines else "There is no job at all."
