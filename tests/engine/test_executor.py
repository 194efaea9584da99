"""Running jobs: in the loop, in threads and in processes; stopping them; what they are given."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from engine import errands
from engine.stage import Stage
from ferryman.engine.attempt import Attempt, Stopped
from ferryman.events import JobFinished, JobStarted, JobStuck
from ferryman.job import Job, JobRef, NewJob, State
from ferryman.middleware import Call
from ferryman.outcome import Cancelled, Completed, Discarded, Released, Retry, Snooze, Snoozed
from ferryman.task import Task, Tasks
from ferryman.testing import FakeClock, Recorder


async def time_is_up(stage: Stage, attempt: Attempt) -> None:
    """Let an attempt's time run out, as the next look finds it."""
    attempt.expires = 0
    await stage.executor.expire()


@pytest.fixture
def endless(tasks: Tasks) -> Task[[], None]:
    """A job that never ends by itself."""

    @tasks.task("endless")
    async def endless() -> None:
        await asyncio.Event().wait()

    return endless


# What a job is given


async def test_a_task_that_asks_for_its_job_gets_it(stage: Stage, tasks: Tasks) -> None:
    given = []

    @tasks.task("mail")
    async def mail(to: str, job: Job) -> None:
        given.append((to, job.kind, job.attempt))

    await stage.run(mail.job("ada"))

    assert given == [("ada", "mail", 1)]


async def test_the_job_may_come_first(stage: Stage, tasks: Tasks) -> None:
    given = []

    @tasks.task("mail")
    def mail(job: Job, to: str) -> None:
        given.append((to, job.kind))

    await stage.run(mail.job("ada"))

    assert given == [("ada", "mail")]


class Pool: ...


async def test_a_parameter_typed_as_what_the_lifespan_yields_gets_it(stage: Stage, tasks: Tasks) -> None:
    given: list[Any] = []
    tasks.provided = (Pool,)
    stage.executor.state = {Pool: (pool := Pool())}

    @tasks.task("mail")
    async def mail(to: str, *, pool: Pool) -> None:
        given.extend((to, pool))

    await stage.run(mail.job(to="ada"))  # type: ignore[call-arg]

    assert given == ["ada", pool]


language: contextvars.ContextVar[str] = contextvars.ContextVar("language")


async def in_english(call: Call, job: Job) -> Any:
    language.set("en")
    return await call(job)


async def test_context_variables_reach_a_thread(stage: Stage, tasks: Tasks) -> None:
    stage.middleware = (in_english,)
    stage.make_executor()

    @tasks.task("greet")
    def greet() -> str:
        return language.get()

    done = await stage.run(greet.job())

    assert done.outcome == Completed(b'"en"')
    assert language.get("unset") == "unset"


async def test_what_one_job_sets_another_does_not_see(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("greet")
    async def greet() -> str:
        before = language.get("unset")
        language.set("en")
        return before

    first, second = await stage.run(greet.job()), await stage.run(greet.job())

    assert first.outcome == second.outcome == Completed(b'"unset"')


async def test_plain_functions_run_at_the_same_time(stage: Stage, tasks: Tasks) -> None:
    both = threading.Barrier(2)

    @tasks.task("meet")
    def meet() -> None:
        both.wait(60)

    await stage.store(meet.job(), meet.job())
    jobs = await stage.take()
    stage.executor.start(jobs)

    assert [(await stage.finished(job)).state for job in jobs] == [State.COMPLETED] * 2


async def test_a_plain_function_runs_within_what_was_given_for_threads(stage: Stage, tasks: Tasks) -> None:
    told: list[tuple[str, str]] = []

    def tell(what: str) -> None:
        told.append((what, threading.current_thread().name))

    @contextmanager
    def scope() -> Iterator[None]:
        tell("enter")
        yield
        tell("leave")

    @tasks.task("plain")
    def plain() -> None:
        tell("run")

    stage.executor.in_thread = scope
    await stage.run(plain.job())

    assert [what for what, _ in told] == ["enter", "run", "leave"]
    assert len({thread for _, thread in told} - {threading.current_thread().name}) == 1


async def test_a_thread_serves_one_job_after_another(stage: Stage, tasks: Tasks) -> None:
    names = []

    @tasks.task("note")
    def note() -> None:
        names.append(threading.current_thread().name)

    for _ in range(3):
        await stage.run(note.job())

    assert names == ["ferryman-task-1"] * 3


# Middleware


async def test_the_first_middleware_is_outermost(stage: Stage, tasks: Tasks) -> None:
    passed: list[str] = []

    def layer(name: str) -> Any:
        async def wrap(call: Call, job: Job) -> Any:
            passed.append(f"{name} before")
            result = await call(job)
            passed.append(f"{name} after")
            return result

        return wrap

    stage.middleware = (layer("outer"), layer("inner"))
    stage.make_executor()

    @tasks.task("mail")
    async def mail() -> None:
        passed.append("mail")

    await stage.run(mail.job())

    assert passed == ["outer before", "inner before", "mail", "inner after", "outer after"]


async def test_middleware_may_change_what_is_returned(stage: Stage, tasks: Tasks) -> None:
    async def doubled(call: Call, job: Job) -> Any:
        return 2 * await call(job)

    stage.middleware = (doubled,)
    stage.make_executor()

    @tasks.task("answer")
    async def answer() -> int:
        return 21

    assert (await stage.run(answer.job())).outcome == Completed(b"42")


async def test_middleware_that_fails_fails_the_job(stage: Stage, tasks: Tasks) -> None:
    async def refusing(call: Call, job: Job) -> Any:
        raise PermissionError("not on a Sunday")

    stage.middleware = (refusing,)
    stage.make_executor()

    @tasks.task("mail")
    async def mail() -> None: ...

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Retry)
    assert done.outcome.error.error == "PermissionError: not on a Sunday"


async def test_middleware_sees_that_arguments_do_not_fit(stage: Stage, tasks: Tasks) -> None:
    failures: list[str] = []

    async def watching(call: Call, job: Job) -> Any:
        try:
            return await call(job)
        except Exception as error:
            failures.append(type(error).__name__)
            raise

    stage.middleware = (watching,)
    stage.make_executor()

    @tasks.task("mail")
    async def mail(to: str) -> None: ...

    done = await stage.run(NewJob(kind="mail", args=b"{}"))

    assert isinstance(done.outcome, Discarded)
    assert failures == ["InvalidArguments"]


# Slots


async def test_a_slot_is_free_when_the_function_ends_and_not_when_that_is_written(stage: Stage, tasks: Tasks) -> None:
    gate = asyncio.Event()

    @tasks.task("wait")
    async def wait() -> None:
        await gate.wait()

    await stage.begin(wait.job())
    assert stage.executor.free == 9

    gate.set()
    await stage.executor.running[0].task  # type: ignore[misc]

    assert (stage.executor.free, stage.completer.backlog) == (10, 1)


async def test_a_job_that_is_taken_a_second_time_has_a_slot_of_its_own(
    stage: Stage, endless: Task[[], None], clock: FakeClock
) -> None:
    """Its first attempt was given up for dead, but runs on here."""
    first = await stage.begin(endless.job())
    again = Job(**{f: getattr(first.job, f) for f in Job.__struct_fields__} | {"attempt": 2})
    stage.executor.start([again])

    first.task.cancel()  # type: ignore[union-attr]
    await asyncio.wait([first.task])  # type: ignore[list-item]

    assert [attempt.job.attempt for attempt in stage.executor.running] == [2]
    assert stage.executor.free == 9


# Running out of time


@pytest.mark.parametrize(
    ("settings", "task", "job", "timeout"),
    [(9, None, None, 9), (9, 5, None, 5), (9, 5, 2, 2), (9, 5, 0, None), (9, 0, None, None), (None, None, None, None)],
)
async def test_the_job_says_how_long_it_may_take_then_the_task_then_the_settings(
    stage: Stage, tasks: Tasks, settings: Any, task: Any, job: Any, timeout: Any
) -> None:
    stage.make_executor(timeout=settings)
    declared: dict[str, Any] = {} if task is None else {"timeout": task}

    @tasks.task("endless", **declared)
    async def endless() -> None:
        await asyncio.Event().wait()

    given: dict[str, Any] = {} if job is None else {"timeout": job}
    attempt = await stage.begin(endless.using(**given).job())

    assert attempt.timeout == timeout
    stage.executor.cancel(attempt.job.ref)


async def test_a_deadline_shortens_the_time(stage: Stage, tasks: Tasks, clock: FakeClock) -> None:
    @tasks.task("endless", timeout="5m")
    async def endless() -> None:
        await asyncio.Event().wait()

    soon = clock.now().replace(second=30)
    attempt = await stage.begin(endless.using(deadline=soon).job())

    assert attempt.timeout == 30
    stage.executor.cancel(attempt.job.ref)


async def test_a_job_that_takes_too_long_is_stopped_and_tried_again(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("endless", timeout=5)
    async def endless() -> None:
        await asyncio.Event().wait()

    attempt = await stage.begin(endless.job())
    await stage.executor.expire()
    assert stage.executor.running == [attempt]

    await time_is_up(stage, attempt)
    done = await stage.finished(attempt.job)

    assert isinstance(done.outcome, Retry)
    assert done.outcome.error.error == "TimeoutError: the attempt took longer than its 5 s"


async def test_a_task_may_clean_up_when_its_time_is_up(stage: Stage, tasks: Tasks) -> None:
    cleaned = []

    @tasks.task("endless", timeout=5)
    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    attempt = await stage.begin(endless.job())
    await time_is_up(stage, attempt)
    await stage.executor.expire()
    await stage.finished(attempt.job)

    assert cleaned == [True]


async def test_how_long_it_may_is_a_setting(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("endless", timeout=5)
    async def endless() -> None:
        await asyncio.Event().wait()

    stage.executor.stuck_after = 3600
    attempt = await stage.begin(endless.job())
    began = time.monotonic()
    await time_is_up(stage, attempt)

    assert attempt.expires >= began + 3600


async def test_a_task_that_will_not_be_stopped_ends_as_it_ends(stage: Stage, tasks: Tasks) -> None:
    gate = asyncio.Event()

    @tasks.task("stubborn", timeout=5)
    async def stubborn() -> str:
        try:
            await gate.wait()
        except asyncio.CancelledError:
            await gate.wait()
        return "done all the same"

    attempt = await stage.begin(stubborn.job())
    await time_is_up(stage, attempt)
    await asyncio.sleep(0)
    assert stage.executor.free == 9
    assert stage.seen.of(JobStuck) == []

    await time_is_up(stage, attempt)  # as it is found a while later
    await stage.executor.expire()
    assert stage.seen.of(JobStuck) == [JobStuck(attempt.job, 5)]

    gate.set()
    done = await stage.finished(attempt.job)

    assert done.outcome == Completed(b'"done all the same"')
    assert stage.executor.free == 10


async def test_an_error_while_being_stopped_is_the_jobs_own(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("clumsy", timeout=5)
    async def clumsy() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("cannot put back the tools")

    attempt = await stage.begin(clumsy.job())
    await time_is_up(stage, attempt)
    done = await stage.finished(attempt.job)

    assert isinstance(done.outcome, Retry)
    assert done.outcome.error.error == "OSError: cannot put back the tools"


async def test_a_thread_that_runs_out_of_time_keeps_its_slot_until_it_returns(
    stage: Stage, tasks: Tasks, seen: Recorder
) -> None:
    gate, freed = threading.Event(), asyncio.Event()

    @tasks.task("hang", timeout=5)
    def hang() -> None:
        gate.wait(60)

    attempt = await stage.begin(hang.job())
    await time_is_up(stage, attempt)
    await stage.executor.expire()
    done = await stage.finished(attempt.job)

    assert isinstance(done.outcome, Retry)
    assert seen.of(JobStuck) == [JobStuck(attempt.job, 5)]
    assert (stage.executor.running, stage.executor.free) == ([], 9)

    stage.executor.freed = freed.set
    gate.set()
    await freed.wait()
    assert stage.executor.free == 10


async def test_time_that_runs_out_as_a_thread_returns_costs_no_slot(stage: Stage, tasks: Tasks) -> None:
    returned = threading.Event()

    @tasks.task("mail", timeout=5)
    def mail() -> None: ...

    async def stopping(call: Call, job: Job) -> Any:
        loop, done = asyncio.get_running_loop(), stage.executor.threads._done
        attempt = stage.executor.running[0]

        def done_and_stopped(*args: Any) -> None:
            done(*args)
            attempt.expires = 0
            loop.call_soon(returned.set)
            attempt.stop(Stopped.TIMEOUT)

        stage.executor.threads._done = done_and_stopped  # type: ignore[method-assign]
        return await call(job)

    stage.middleware = (stopping,)
    stage.make_executor()
    await stage.run(mail.job())

    assert returned.is_set()
    assert stage.executor.free == 10


# Being cancelled


async def test_a_job_that_somebody_cancels_is_stopped(stage: Stage, endless: Task[[], None]) -> None:
    attempt = await stage.begin(endless.job())

    stage.executor.cancel(attempt.job.ref)
    done = await stage.finished(attempt.job)

    assert isinstance(done.outcome, Cancelled)
    assert (done.state, done.outcome.error.error) == (State.CANCELLED, "JobCancelError: job cancelled remotely")


async def test_a_job_that_is_cancelled_before_it_began_is_not_run(stage: Stage, tasks: Tasks) -> None:
    ran = []

    @tasks.task("mail")
    async def mail() -> None:
        ran.append(True)

    await stage.store(mail.job())
    (job,) = await stage.take()
    stage.executor.start([job])
    stage.executor.cancel(job.ref)

    assert (await stage.finished(job)).state is State.CANCELLED
    assert not ran
    assert stage.executor.free == 10


async def test_cancelling_another_job_stops_nobody(stage: Stage, endless: Task[[], None]) -> None:
    attempt = await stage.begin(endless.job())

    stage.executor.cancel(JobRef("4711"))
    stage.executor.cancel(JobRef(attempt.job.id, "another-queue"))
    await asyncio.sleep(0)

    assert stage.executor.running == [attempt]
    stage.executor.cancel(JobRef(attempt.job.id, "default"))


@pytest.mark.parametrize("error", [Snooze("1h"), ValueError("no time to clean up")])
async def test_a_cancelled_job_is_cancelled_whatever_it_raises(stage: Stage, tasks: Tasks, error: Exception) -> None:
    @tasks.task("clumsy")
    async def clumsy() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise error

    attempt = await stage.begin(clumsy.job())
    stage.executor.cancel(attempt.job.ref)

    assert (await stage.finished(attempt.job)).state is State.CANCELLED


async def test_a_cancelled_job_that_returns_all_the_same_is_completed(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("quick")
    async def quick() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "just done"
        return "never"

    attempt = await stage.begin(quick.job())
    stage.executor.cancel(attempt.job.ref)

    assert (await stage.finished(attempt.job)).outcome == Completed(b'"just done"')


async def test_a_thread_that_is_cancelled_keeps_its_slot_until_it_returns(stage: Stage, tasks: Tasks) -> None:
    gate, freed = threading.Event(), asyncio.Event()

    @tasks.task("hang")
    def hang() -> None:
        gate.wait(60)

    attempt = await stage.begin(hang.job())
    stage.executor.cancel(attempt.job.ref)

    assert (await stage.finished(attempt.job)).state is State.CANCELLED
    assert stage.executor.free == 9
    stage.executor.freed = freed.set
    gate.set()
    await freed.wait()
    assert stage.executor.free == 10


# Processes


@pytest.fixture
async def processes(stage: Stage) -> AsyncIterator[Stage]:
    """A stage whose children are gone at the end."""
    yield stage
    stage.executor.processes.close()


def in_process(tasks: Tasks, function: Any, **declared: Any) -> Task[..., Any]:
    task: Task[..., Any] = tasks.task(function.__name__, run="process", **declared)(function)
    return task


@pytest.mark.slow
async def test_a_process_returns_what_its_function_returns(processes: Stage, tasks: Tasks) -> None:
    add = in_process(tasks, errands.add)

    assert (await processes.run(add.job(1, b=2))).outcome == Completed(b"3")


@pytest.mark.slow
async def test_a_child_serves_one_job_after_another_and_is_not_us(processes: Stage, tasks: Tasks) -> None:
    import os

    own_pid = in_process(tasks, errands.own_pid)

    first, second = await processes.run(own_pid.job()), await processes.run(own_pid.job())

    assert first.outcome == second.outcome != Completed(str(os.getpid()).encode())


@pytest.mark.slow
@pytest.mark.parametrize("stop", ["time is up", "cancelled"])
async def test_a_process_that_is_stopped_is_killed(processes: Stage, tasks: Tasks, tmp_path: Any, stop: str) -> None:
    call_home = in_process(tasks, errands.call_home, timeout=5)
    called, hung_up = asyncio.Event(), asyncio.Event()

    async def home(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        called.set()
        await reader.read()  # ends when the process does
        hung_up.set()
        writer.close()

    async with asyncio.timeout(60), await asyncio.start_unix_server(home, tmp_path / "home"):
        attempt = await processes.begin(call_home.job(str(tmp_path / "home")))
        await called.wait()
        if stop == "cancelled":
            processes.executor.cancel(attempt.job.ref)
        else:
            await time_is_up(processes, attempt)
        done = await processes.finished(attempt.job)
        await hung_up.wait()

    assert isinstance(done.outcome, Cancelled if stop == "cancelled" else Retry)
    assert processes.executor.free == 10
    assert processes.seen.of(JobStuck) == []


@pytest.mark.slow
async def test_what_a_process_raises_is_told_with_its_own_trace(processes: Stage, tasks: Tasks) -> None:
    fail = in_process(tasks, errands.fail)

    done = await processes.run(fail.job("no such mailbox"))

    assert isinstance(done.outcome, Retry)
    assert done.outcome.error.error == "ValueError: no such mailbox"
    assert "raise ValueError(why)" in done.outcome.error.trace


@pytest.mark.slow
async def test_an_error_that_cannot_travel_is_told_all_the_same(processes: Stage, tasks: Tasks) -> None:
    fail = in_process(tasks, errands.fail_awkwardly)

    done = await processes.run(fail.job())

    assert isinstance(done.outcome, Retry)
    assert "Awkward: 7 at the quay" in done.outcome.error.error


@pytest.mark.slow
async def test_a_process_that_dies_is_an_error_and_the_next_job_gets_another(processes: Stage, tasks: Tasks) -> None:
    vanish, add = in_process(tasks, errands.vanish), in_process(tasks, errands.add)

    done = await processes.run(vanish.job())

    assert isinstance(done.outcome, Retry)
    assert done.outcome.error.error == "ChildDied: the job's process ended by itself, with exit code 9"
    assert (await processes.run(add.job(1, 2))).outcome == Completed(b"3")


@pytest.mark.slow
async def test_sys_exit_in_a_process_is_an_error_of_the_job(processes: Stage, tasks: Tasks) -> None:
    leave = in_process(tasks, errands.leave)

    done = await processes.run(leave.job())

    assert isinstance(done.outcome, Retry)
    assert done.outcome.error.error == "SystemExit: 3"


@pytest.mark.slow
async def test_a_process_may_ask_to_be_run_later(processes: Stage, tasks: Tasks) -> None:
    snooze = in_process(tasks, errands.snooze)

    assert isinstance((await processes.run(snooze.job())).outcome, Snoozed)


@pytest.mark.slow
async def test_what_a_process_records_is_kept(processes: Stage, tasks: Tasks) -> None:
    record = in_process(tasks, errands.record, retries=0)

    done = await processes.run(record.job())

    assert isinstance(done.outcome, Discarded)
    assert done.outcome.error.error == "ValueError: row 3 is broken"
    assert (await processes.get(done.job.id)).metadata["output"] == {"rows": 2}


@pytest.mark.slow
@pytest.mark.parametrize("what", ["nothing that travels", "nothing that JSON knows"])
async def test_a_result_that_cannot_be_kept_does_not_undo_a_processs_work(
    processes: Stage, tasks: Tasks, what: str
) -> None:
    answer = in_process(tasks, errands.answer_with)

    assert (await processes.run(answer.job(what))).state is State.COMPLETED


@pytest.mark.slow
async def test_signals_to_the_whole_group_leave_the_children_to_their_worker(processes: Stage, tasks: Tasks) -> None:
    deaf = in_process(tasks, errands.deaf_to_signals)

    assert (await processes.run(deaf.job())).state is State.COMPLETED


# Stopping


async def test_draining_waits_for_running_jobs(stage: Stage, tasks: Tasks) -> None:
    gate = asyncio.Event()

    @tasks.task("wait")
    async def wait() -> None:
        await gate.wait()

    attempt = await stage.begin(wait.job())
    draining = asyncio.create_task(stage.executor.drain(30, asyncio.Event()))
    await asyncio.sleep(0)
    assert not draining.done()

    gate.set()
    await draining

    assert (await stage.finished(attempt.job)).state is State.COMPLETED
    assert stage.executor.released == 0


async def test_what_does_not_end_in_time_goes_back_and_the_attempt_does_not_count(
    stage: Stage, endless: Task[[], None]
) -> None:
    attempt = await stage.begin(endless.job())

    await stage.executor.drain(0, asyncio.Event())
    done = await stage.finished(attempt.job)

    assert (done.outcome, done.state) == (Released(), State.AVAILABLE)
    stored = await stage.get(attempt.job.id)
    assert (stored.attempt, stored.errors, stage.executor.released) == (0, (), 1)


async def test_hurry_cuts_the_waiting_short(stage: Stage, endless: Task[[], None]) -> None:
    hurry = asyncio.Event()
    attempt = await stage.begin(endless.job())
    draining = asyncio.create_task(stage.executor.drain(3600, hurry))
    await asyncio.sleep(0)

    hurry.set()
    await draining

    assert (await stage.finished(attempt.job)).outcome == Released()


async def test_a_job_that_was_just_taken_goes_back_too(stage: Stage, tasks: Tasks) -> None:
    ran = []

    @tasks.task("mail")
    async def mail() -> None:
        ran.append(True)

    await stage.store(mail.job())
    (job,) = await stage.take()
    stage.executor.start([job])
    await stage.executor.drain(0, asyncio.Event())

    assert (await stage.finished(job)).outcome == Released()
    assert not ran


async def test_a_library_that_puts_the_stop_in_other_words_does_not_cost_an_attempt(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("fetch")
    async def fetch() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as stop:
            raise ConnectionError("the request was interrupted") from stop

    attempt = await stage.begin(fetch.job())
    await stage.executor.drain(0, asyncio.Event())

    assert (await stage.finished(attempt.job)).outcome == Released()


async def test_what_will_not_even_stop_goes_back_after_a_last_wait(
    stage: Stage, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.engine.executor._LAST_WAIT", 0.01)
    gate = asyncio.Event()

    @tasks.task("stubborn")
    async def stubborn() -> None:
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue

    attempt = await stage.begin(stubborn.job())
    await stage.executor.drain(0, asyncio.Event())

    assert (await stage.finished(attempt.job)).outcome == Released()
    gate.set()
    await asyncio.wait([attempt.task])  # type: ignore[list-item]
    assert stage.completer.backlog == 0


async def test_a_thread_that_does_not_return_goes_back_after_a_last_wait(
    stage: Stage, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.engine.executor._LAST_WAIT", 0.01)
    gate = threading.Event()

    @tasks.task("hang")
    def hang() -> None:
        gate.wait(60)

    attempt = await stage.begin(hang.job())
    await stage.executor.drain(0, asyncio.Event())

    assert (await stage.finished(attempt.job)).outcome == Released()
    gate.set()


async def test_whoever_cancels_the_draining_gets_all_jobs_given_back(stage: Stage, endless: Task[[], None]) -> None:
    attempt = await stage.begin(endless.job())
    draining = asyncio.create_task(stage.executor.drain(3600, asyncio.Event()))
    await asyncio.sleep(0)

    draining.cancel()
    await asyncio.wait([draining])

    assert (await stage.finished(attempt.job)).outcome == Released()


async def test_a_loop_that_ends_without_us_fails_no_job(stage: Stage, endless: Task[[], None]) -> None:
    attempt = await stage.begin(endless.job())

    attempt.task.cancel()  # type: ignore[union-attr]

    assert (await stage.finished(attempt.job)).outcome == Released()


# Events


async def test_a_job_starts_before_it_finishes(stage: Stage, tasks: Tasks, seen: Recorder) -> None:
    @tasks.task("mail")
    async def mail() -> None: ...

    done = await stage.run(mail.job())

    assert [each for each in seen.events if isinstance(each, JobStarted | JobFinished)] == [JobStarted(done.job), done]
    assert isinstance(done, JobFinished)
    assert 0 <= done.seconds < 5
