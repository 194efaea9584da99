"""Runs jobs; each always ends in an outcome.

A slot is free when the function ends, not when its outcome is written.  One scan over
the running attempts serves all timeouts: a timer per job costs more than everything
else that the engine does for it (design.md 3).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from math import inf
from typing import Any

import msgspec

from ferryman.clock import Clock
from ferryman.context import Recorder, encoded, ending, recording
from ferryman.engine.attempt import Attempt, Stopped
from ferryman.engine.completer import Completer
from ferryman.engine.early import EarlyEnds
from ferryman.engine.processes import Processes
from ferryman.engine.threads import Threads, within
from ferryman.engine.verdict import cut_short, judge, retry_or_discard
from ferryman.events import EventBus, JobStarted, JobStuck, ResultDropped, ServiceFailed
from ferryman.job import AttemptError, Job, JobRef
from ferryman.middleware import Call, InThread, Middleware, OnError, compose
from ferryman.outcome import Cancelled, Completed, Discarded, Finished, Outcome, Retry
from ferryman.storage.values import Feature
from ferryman.task import Task, Tasks

__all__ = ["Executor"]

_LAST_WAIT = 5.0
_STUCK_AFTER = 10.0
"""For how many seconds a job may clean up when its time is up before it is told of (spec/river.md 5.1)."""


class _Plan(msgspec.Struct, frozen=True):
    """What running a job of one kind needs, worked out once."""

    task: Task[..., Any]
    call: Call
    timeout: float | None


class Executor:
    """Runs up to `slots` jobs at a time."""

    def __init__(
        self,
        tasks: Tasks,
        completer: Completer,
        *,
        slots: int,
        timeout: float | None,
        unknown_kind: str,
        clock: Clock,
        events: EventBus,
        middleware: Sequence[Middleware] = (),
        on_error: OnError | None = None,
        stuck_after: float = _STUCK_AFTER,
        in_thread: InThread | None = None,
    ) -> None:
        self.tasks = tasks
        self.completer = completer
        self.slots = slots
        self.timeout = timeout
        self.unknown_kind = unknown_kind
        self.clock = clock
        self.events = events
        self.middleware = middleware
        self.on_error = on_error
        self.stuck_after = stuck_after
        self.in_thread = in_thread
        self.state: Mapping[type, Any] = {}
        """What the lifespan yielded, by type."""
        self.freed: Callable[[], None] = lambda: None
        self.threads = Threads(lambda: self.freed())
        self.processes = Processes()
        self.early = EarlyEnds(completer.storage, lambda: self.running, clock)
        self.released = 0
        # A dict for its order.  Not by the job's id: a job that was given up for dead may be taken a second time.
        self._attempts: dict[Attempt, None] = {}
        self._plans: dict[str, _Plan] = {}
        self._keeps_notes = Feature.NOTES in completer.storage.features

    @property
    def free(self) -> int:
        """How many jobs may be started now."""
        return self.slots - len(self._attempts) - self.threads.orphans

    @property
    def running(self) -> list[Attempt]:
        """The attempts that run now."""
        return list(self._attempts)

    def start(self, jobs: Iterable[Job]) -> None:
        """Run these jobs, each in a task and context of its own."""
        create = asyncio.get_running_loop().create_task
        for job in jobs:
            attempt = self._attempt(job)
            self._attempts[attempt] = None
            attempt.task = create(self._work(attempt))

    def cancel(self, ref: JobRef) -> None:
        """Stop a running job because somebody asked for it; others are not ours."""
        for attempt in self.running:
            if attempt.job.id == ref.id and ref.queue in ("", attempt.job.queue):
                attempt.stop(Stopped.CANCELLED)

    async def expire(self) -> None:
        """Stop every attempt whose time is up, and tell of those that go on all the same."""
        now = time.monotonic()
        for attempt in self.running:
            if attempt.expires > now:
                continue
            stoppable = attempt.stopped is None and attempt.run != "thread"
            attempt.stop(Stopped.TIMEOUT)
            attempt.expires = now + self.stuck_after if stoppable else inf
            if not stoppable and attempt.timeout is not None:
                self.events.publish(JobStuck(attempt.job, attempt.timeout))

    async def drain(self, seconds: float, hurry: asyncio.Event) -> None:
        """Wait for running jobs, then stop them, then give back what does not even stop."""
        try:
            await self._wait(seconds, hurry)
            for attempt in self.running:
                if attempt.run != "thread":
                    attempt.stop(Stopped.SHUTDOWN)
            await self._wait(_LAST_WAIT, asyncio.Event())
        finally:  # also when whoever waits for us loses patience
            self._give_back()
            self.processes.close()
            self.threads.close()
            self.early.close()

    def _give_back(self) -> None:
        for attempt in self.running:
            attempt.stop(Stopped.SHUTDOWN)
            self._finish(attempt, cut_short(attempt, now=self.clock.now()))

    async def _wait(self, seconds: float, hurry: asyncio.Event) -> None:
        ends = time.monotonic() + seconds
        hurried = asyncio.ensure_future(hurry.wait())
        try:
            while self._attempts and not hurry.is_set() and (left := ends - time.monotonic()) > 0:
                tasks = {attempt.task for attempt in self.running if attempt.task is not None}
                await asyncio.wait({*tasks, hurried}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurried.cancel()

    def _attempt(self, job: Job) -> Attempt:
        task, recorder = self.tasks.get(job.kind), Recorder(job.raw_metadata if self._keeps_notes else None)
        if task is None:
            return Attempt(job, "async", None, self.clock.now(), recorder)
        plan, now = self._plan(task, job.kind), self.clock.now()
        timeout = plan.timeout if job.timeout is None else job.timeout or None
        deadline = job.deadline or task.options.get("deadline")
        if deadline is not None:
            left = max((deadline - now).total_seconds(), 0.001)
            timeout = left if timeout is None else min(timeout, left)
        return Attempt(job, task.run, timeout, now, recorder)

    async def _work(self, attempt: Attempt) -> None:
        attempt.began = True
        recording.set(attempt.recorder)
        ending.set(self.early)
        if self.events.wants(JobStarted):
            self.events.publish(JobStarted(attempt.job))
        self._finish(attempt, self._answered(attempt.job, await self._run(attempt)))

    def _answered(self, job: Job, outcome: Outcome) -> Outcome:
        """Let `on_error` have its say."""
        if self.on_error is None or not isinstance(outcome, Retry | Discarded):
            return outcome
        try:
            answer = self.on_error(job, outcome.error)
        except Exception as error:
            self.events.publish(ServiceFailed("on_error", error))
            return outcome
        return Cancelled(outcome.error) if answer == "cancel" else outcome

    def _finish(self, attempt: Attempt, outcome: Outcome) -> None:
        if attempt.over:
            return
        attempt.over = True
        self._attempts.pop(attempt, None)
        if attempt.stopped is Stopped.SHUTDOWN:
            self.released += 1
        recorder, failed = attempt.recorder, type(outcome) is not Completed
        notes = recorder.noted(failed=failed)
        finished = Finished(attempt.job, outcome, recorder.output, notes, attempt.ended_early)
        self.completer.add(finished, attempt.seconds())
        self.freed()

    async def _run(self, attempt: Attempt) -> Outcome:
        """Run one job and say what became of it.  Never raises on the job's account."""
        job, started_at = attempt.job, attempt.started_at
        task = self.tasks.get(job.kind)
        if why := self._unfit(job):
            curve = self.tasks.curve if task is None else task.curve
            return retry_or_discard(job, AttemptError(started_at, job.attempt, why), now=started_at, curve=curve)
        if attempt.stopped is not None:
            return cut_short(attempt, now=started_at, curve=task.curve)
        if (deadline := job.deadline or task.options.get("deadline")) is not None and deadline <= started_at:
            text = f"DeadlineExceeded: the deadline {deadline.isoformat()} passed before the attempt began"
            return Discarded(AttemptError(started_at, job.attempt, text))
        try:
            result = await self._plans[job.kind].call(job)
        except GeneratorExit:
            raise
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and attempt.run == "async":
                raise  # somebody pressed Ctrl-C
            return self._judged(error, attempt, task)
        if (steps := attempt.recorder.steps) and (missing := steps.missing()):
            text = f'this task has no step "{missing}", which an earlier attempt completed last'
            lost = AttemptError(started_at, job.attempt, text)
            return retry_or_discard(job, lost, now=self.clock.now(), curve=task.curve)
        return Completed(self._encoded(result, job))

    def _unfit(self, job: Job) -> str:
        """Say why there is nothing to call; empty when there is."""
        if job.unreadable:
            return f"job row couldn't be decoded: {job.unreadable}"
        return self.unknown_kind.format(kind=job.kind) if job.kind not in self.tasks else ""

    def _judged(self, error: BaseException, attempt: Attempt, task: Task[..., Any]) -> Outcome:
        if isinstance(error, asyncio.CancelledError) and (current := asyncio.current_task()) and current.cancelling():
            attempt.stopped = attempt.stopped or Stopped.SHUTDOWN  # the whole loop ends, and not through us
        now, bare = self.clock.now(), task.errors == "bare"
        return judge(error, attempt, now=now, curve=task.curve, is_failure=task.is_failure, bare=bare)

    def _encoded(self, result: Any, job: Job) -> bytes | None:
        if result is None:
            return None
        try:
            return encoded(result)
        except Exception as error:
            # The work is done; doing it again because its result cannot be kept would be worse.
            self.events.publish(ResultDropped(job, str(error)))
            return None

    def _plan(self, task: Task[..., Any], kind: str) -> _Plan:
        plan = self._plans.get(kind)
        if plan is None or plan.task is not task:
            plan = self._plans[kind] = self._make_plan(task)
        return plan

    def _make_plan(self, task: Task[..., Any]) -> _Plan:
        from ferryman.duration import parse_duration

        declared = task.options.get("timeout")
        timeout = self.timeout if declared is None else parse_duration(declared).total_seconds()
        return _Plan(task, compose(self.middleware, self._caller(task)), timeout or None)

    def _caller(self, task: Task[..., Any]) -> Call:
        arguments, function = task.arguments, task.function
        in_thread = function if self.in_thread is None else within(self.in_thread, function)

        def filled(job: Job) -> tuple[tuple[Any, ...], dict[str, Any]]:
            args, kwargs = arguments.decode(job.args)
            if arguments.job_parameter is not None:
                kwargs[arguments.job_parameter] = job
            for name, hint in arguments.provided.items():
                kwargs[name] = self.state[hint]
            return args, kwargs

        def call_here(job: Job) -> Awaitable[Any]:
            args, kwargs = filled(job)
            return function(*args, **kwargs)  # type: ignore[no-any-return]

        def call_thread(job: Job) -> Awaitable[Any]:
            args, kwargs = filled(job)
            return self.threads.run(in_thread, args, kwargs)

        def call_process(job: Job) -> Awaitable[Any]:
            args, kwargs = filled(job)
            return self.processes.run(function.__module__, function.__qualname__, args, kwargs)

        return {"async": call_here, "thread": call_thread, "process": call_process}[task.run]
