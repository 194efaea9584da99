"""What becomes of a job: returning, raising, asking; and what is stored of it."""

from __future__ import annotations

import asyncio
import pickle
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from engine.stage import Stage
from ferryman import Ferryman
from ferryman.context import record_output
from ferryman.errors import ConfigError, FerrymanError, InvalidJob, Unsupported
from ferryman.events import ResultDropped, ServiceFailed
from ferryman.job import AttemptError, Job, NewJob, State
from ferryman.outcome import (
    Cancel,
    Cancelled,
    Completed,
    Discard,
    Discarded,
    Retry,
    RetryIn,
    Revoke,
    Revoked,
    Snooze,
    Snoozed,
    Uncounted,
)
from ferryman.retry import fixed
from ferryman.task import Tasks
from ferryman.testing import FakeClock, Recorder

# Returning


async def test_a_job_that_returns_is_completed(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail")
    async def mail(to: str) -> None: ...

    done = await stage.run(mail.job("ada@example.com"))

    assert (done.outcome, done.state) == (Completed(None), State.COMPLETED)


async def test_what_a_job_returns_is_kept_with_it(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("add")
    async def add(a: int, b: int) -> dict[str, int]:
        return {"sum": a + b}

    done = await stage.run(add.job(1, b=2))

    assert (await stage.get(done.job.id)).metadata["output"] == {"sum": 3}


async def test_a_result_that_json_cannot_carry_does_not_undo_the_work(
    stage: Stage, tasks: Tasks, seen: Recorder
) -> None:
    @tasks.task("connect")
    async def connect() -> object:
        return object()

    done = await stage.run(connect.job())

    assert done.state is State.COMPLETED
    (dropped,) = seen.of(ResultDropped)
    assert dropped.job.kind == "connect"
    assert "object" in dropped.why


class Broken:
    def model_dump(self, by_alias: bool) -> Any:
        raise OSError("a model that cannot be read")


async def test_a_result_that_fails_while_it_is_written_does_not_undo_the_work(
    stage: Stage, tasks: Tasks, seen: Recorder
) -> None:
    @tasks.task("model")
    async def model() -> Broken:
        return Broken()

    done = await stage.run(model.job())

    assert done.state is State.COMPLETED
    assert "cannot be read" in seen.of(ResultDropped)[0].why


async def test_a_result_that_is_too_large_is_not_kept(
    stage: Stage, tasks: Tasks, seen: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.context._LARGEST", 100)

    @tasks.task("export")
    async def export() -> str:
        return "x" * 200

    done = await stage.run(export.job())

    assert done.state is State.COMPLETED
    assert "202 bytes" in seen.of(ResultDropped)[0].why


# Recording


async def test_what_a_job_records_is_kept_whatever_becomes_of_it(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("import", retries=0)
    async def run_import() -> None:
        record_output({"rows": 1})
        record_output({"rows": 2})
        raise ValueError("row 3 is broken")

    done = await stage.run(run_import.job())

    assert done.state is State.DISCARDED
    assert (await stage.get(done.job.id)).metadata["output"] == {"rows": 2}


async def test_a_returned_value_replaces_what_was_recorded(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("import")
    async def run_import() -> str:
        record_output("half")
        return "all"

    done = await stage.run(run_import.job())

    assert (await stage.get(done.job.id)).metadata["output"] == "all"


async def test_a_plain_function_records_from_its_thread(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("import")
    def run_import() -> None:
        record_output("from a thread")

    done = await stage.run(run_import.job())

    assert (await stage.get(done.job.id)).metadata["output"] == "from a thread"


def test_recording_outside_a_task_is_refused() -> None:
    with pytest.raises(FerrymanError, match="outside a running task"):
        record_output(1)


async def test_an_output_over_the_limit_is_refused(stage: Stage, tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferryman.context._LARGEST", 100)
    refused: list[InvalidJob] = []

    @tasks.task("export")
    async def export() -> None:
        try:
            record_output("x" * 200)
        except InvalidJob as error:
            refused.append(error)

    await stage.run(export.job())

    assert "202 bytes; at most 100" in str(refused[0])


# Raising


async def test_a_job_that_raises_is_tried_again_after_rivers_delay(
    stage: Stage, tasks: Tasks, clock: FakeClock
) -> None:
    @tasks.task("mail")
    async def mail() -> None:
        raise ValueError("no such mailbox")

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Retry)
    assert timedelta(seconds=0.9) <= done.outcome.at - clock.now() <= timedelta(seconds=1.1)
    assert (done.outcome.error.error, done.outcome.error.attempt) == ("ValueError: no such mailbox", 1)


async def test_the_last_attempt_discards(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail", retries=0)
    async def mail() -> None:
        raise ValueError("no such mailbox")

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Discarded)
    stored = await stage.get(done.job.id)
    assert (stored.state, stored.attempt, stored.max_attempts) == (State.DISCARDED, 1, 1)
    assert stored.error is not None
    assert stored.error.error == "ValueError: no such mailbox"


async def test_retries_3_are_four_attempts(stage: Stage, tasks: Tasks, clock: FakeClock) -> None:
    @tasks.task("mail", retries=3, backoff="1m")
    async def mail() -> None:
        raise ValueError("no such mailbox")

    done = await stage.run(mail.job())
    states = [done.state]
    for _ in range(3):
        await clock.advance(60)
        await stage.storage.jobs.promote(limit=10, now=clock.now())
        (job,) = await stage.take()
        stage.executor.start([job])
        states.append((await stage.finished(job)).state)

    assert states == [State.RETRYABLE, State.RETRYABLE, State.RETRYABLE, State.DISCARDED]
    assert [error.attempt for error in (await stage.get(done.job.id)).errors] == [1, 2, 3, 4]


async def test_the_trace_begins_in_the_tasks_own_code(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail")
    async def mail() -> None:
        raise ValueError("no such mailbox")

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Retry)
    trace = done.outcome.error.trace
    assert 'raise ValueError("no such mailbox")' in trace
    assert "ferryman/engine" not in trace


async def test_bare_errors_are_stored_as_go_does(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail", errors="bare")
    async def mail() -> None:
        raise ValueError("no such mailbox")

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Retry)
    assert (done.outcome.error.error, done.outcome.error.trace) == ("no such mailbox", "")


class Panic(BaseException):
    """Not an ordinary exception, as a panic is no ordinary error in Go."""


async def test_bare_errors_keep_the_trace_of_a_panic(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail", errors="bare")
    async def mail() -> None:
        raise Panic("at the disco")

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Retry)
    assert done.outcome.error.error == "at the disco"
    assert "Panic: at the disco" in done.outcome.error.trace


@pytest.mark.parametrize("error", [SystemExit(3), Panic("at the disco"), asyncio.CancelledError("by itself")])
async def test_nothing_that_a_job_raises_harms_the_worker(stage: Stage, tasks: Tasks, error: BaseException) -> None:
    @tasks.task("mail")
    async def mail() -> None:
        raise error

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Retry)
    assert done.outcome.error.error == f"{type(error).__name__}: {error}"
    assert stage.executor.free == stage.executor.slots


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt("by itself"), asyncio.CancelledError("by itself"), StopIteration(1)]
)
async def test_nothing_that_a_plain_function_raises_harms_the_worker(
    stage: Stage, tasks: Tasks, error: BaseException
) -> None:
    @tasks.task("mail")
    def mail() -> None:
        raise error

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Retry)
    assert type(error).__name__ in done.outcome.error.error
    assert stage.executor.free == stage.executor.slots


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("an error that cannot say what it is")


async def test_an_error_that_cannot_be_put_in_words_is_an_error_all_the_same(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail")
    async def mail() -> None:
        raise Mute

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Retry)
    assert done.outcome.error.error == "Mute"


async def test_an_error_in_characters_that_no_storage_takes_is_stored_without_them(
    stage: Stage, tasks: Tasks, seen: Recorder
) -> None:
    @tasks.task("read")
    async def read() -> None:
        raise FileNotFoundError("caf\udce9.txt")  # a file name that is not UTF-8, as Python reads it

    done = await stage.run(read.job())

    stored = await stage.get(done.job.id)
    assert stored.error is not None
    assert stored.error.error == "FileNotFoundError: caf?.txt"
    assert "caf" in stored.error.trace
    assert seen.of(ServiceFailed) == []


# When to try again


async def test_a_task_has_its_own_curve(stage: Stage, tasks: Tasks, clock: FakeClock) -> None:
    @tasks.task("mail", backoff=lambda failures: timedelta(hours=failures))
    async def mail() -> None:
        raise ValueError("no such mailbox")

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Retry)
    assert done.outcome.at == clock.now() + timedelta(hours=1)
    assert done.state is State.RETRYABLE


def failing(failures: int) -> timedelta:
    raise RuntimeError("no idea when")


@pytest.mark.parametrize("curve", [failing, lambda failures: timedelta(hours=-1), lambda failures: "soon"])
async def test_where_a_curve_fails_rivers_takes_its_place(
    stage: Stage, tasks: Tasks, clock: FakeClock, curve: Any
) -> None:
    @tasks.task("mail", backoff=curve)
    async def mail() -> None:
        raise ValueError("no such mailbox")

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Retry)
    assert timedelta(seconds=0.9) <= done.outcome.at - clock.now() <= timedelta(seconds=1.1)


# Asking


async def test_a_job_that_snoozes_runs_again_and_the_attempt_does_not_count(
    stage: Stage, tasks: Tasks, clock: FakeClock
) -> None:
    @tasks.task("shop", retries=0)
    async def shop(job: Job) -> None:
        if "snoozes" not in job.metadata:
            raise Snooze("10m")

    done = await stage.run(shop.job())

    assert done.outcome == Snoozed(clock.now() + timedelta(minutes=10))
    stored = await stage.get(done.job.id)
    assert (stored.state, stored.attempt, stored.errors) == (State.SCHEDULED, 0, ())

    await clock.advance(600)
    await stage.storage.jobs.promote(limit=10, now=clock.now())
    (again,) = await stage.take()
    stage.executor.start([again])
    assert (await stage.finished(again)).state is State.COMPLETED
    assert again.attempt == 1


async def test_a_job_may_cancel_itself(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail")
    async def mail() -> None:
        raise Cancel("the order was withdrawn")

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Cancelled)
    assert done.state is State.CANCELLED
    assert done.outcome.error.error == "JobCancelError: the order was withdrawn"


async def test_a_job_may_say_when_it_is_tried_again_and_the_attempt_counts(
    stage: Stage, tasks: Tasks, clock: FakeClock
) -> None:
    @tasks.task("shop", retries=1)
    async def shop() -> None:
        try:
            raise OSError("429")
        except OSError as error:
            raise RetryIn("20m") from error

    done = await stage.run(shop.job())

    assert done.outcome.at == clock.now() + timedelta(minutes=20)
    assert done.outcome.error.error == "OSError: 429"
    await clock.advance(1201)
    await stage.storage.jobs.promote(limit=10, now=clock.now())
    (last,) = await stage.take()
    stage.executor.start([last])
    assert (await stage.finished(last)).state is State.DISCARDED


async def test_a_reason_to_be_tried_again_later_travels_from_a_process() -> None:
    copy = pickle.loads(pickle.dumps(RetryIn("20m", "busy")))

    assert (copy.delay, str(copy)) == (timedelta(minutes=20), "busy")


async def test_a_job_that_revokes_itself_is_cancelled_where_the_format_knows_that(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail")
    async def mail() -> None:
        raise Revoke("sent by hand")

    done = await stage.run(mail.job())

    assert (type(done.outcome), done.state) == (Revoked, State.CANCELLED)
    assert done.outcome.error.error == "JobCancelError: sent by hand"


async def test_an_error_that_is_no_failure_costs_no_attempt(stage: Stage, tasks: Tasks, clock: FakeClock) -> None:
    @tasks.task("fetch", retries=1, backoff="10m", is_failure=lambda error: not isinstance(error, TimeoutError))
    async def fetch() -> None:
        raise TimeoutError("busy, come back later")

    done = await stage.run(fetch.job())

    assert isinstance(done.outcome, Uncounted)
    stored = await stage.get(done.job.id)
    assert (stored.state, stored.attempt) == (State.RETRYABLE, 0)
    assert [error.error for error in stored.errors] == ["TimeoutError: busy, come back later"]
    await clock.advance(601)
    await stage.storage.jobs.promote(limit=10, now=clock.now())
    (again,) = await stage.take()
    assert again.attempt == 1


async def test_what_counts_may_be_said_for_all_tasks_and_anew_for_one(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("usual")
    async def usual() -> None:
        raise OSError

    @tasks.task("strict", is_failure=lambda error: True)
    async def strict() -> None:
        raise OSError

    tasks.is_failure = lambda error: not isinstance(error, OSError)

    assert type((await stage.run(usual.job())).outcome) is Uncounted
    assert type((await stage.run(strict.job())).outcome) is Retry


async def test_where_nobody_can_say_whether_it_is_a_failure_it_is_one(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail", is_failure=lambda error: error.code > 500)
    async def mail() -> None:
        raise ValueError

    assert type((await stage.run(mail.job())).outcome) is Retry


async def test_a_job_may_give_up_with_attempts_left(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail", retries=20)
    async def mail() -> None:
        raise Discard("the account is closed")

    done = await stage.run(mail.job())

    assert isinstance(done.outcome, Discarded)
    assert done.state is State.DISCARDED
    assert done.outcome.error.error == "Discard: the account is closed"


async def test_a_plain_function_asks_in_the_same_way(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail")
    def mail() -> None:
        raise Snooze("10m")

    assert isinstance((await stage.run(mail.job())).outcome, Snoozed)


# What cannot be run


async def test_a_kind_that_nobody_knows_fails_with_rivers_text_and_is_tried_again(stage: Stage) -> None:
    done = await stage.run(NewJob(kind="briefing"))

    assert isinstance(done.outcome, Retry)
    assert done.outcome.error.error == "job kind is not registered in the client's Workers bundle: briefing"


@pytest.mark.parametrize("args", [b'{"to":1}', b"{}", b"[]", b'"ada"', b'{"to":' + b"[" * 900 + b"]" * 900 + b"}"])
async def test_arguments_that_do_not_fit_are_not_tried_again(stage: Stage, tasks: Tasks, args: bytes) -> None:
    @tasks.task("mail", retries=20)
    async def mail(to: str) -> None: ...

    done = await stage.run(NewJob(kind="mail", args=args))

    assert isinstance(done.outcome, Discarded)
    assert done.outcome.error.error.startswith('InvalidArguments: The arguments do not fit task "mail": ')


async def test_the_reason_names_the_argument(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail")
    async def mail(to: str, copies: int) -> None: ...

    done = await stage.run(NewJob(kind="mail", args=b'{"to":"ada","copies":"many"}'))

    assert isinstance(done.outcome, Discarded)
    assert "$.copies" in done.outcome.error.error


async def test_a_job_past_its_deadline_is_not_run(stage: Stage, tasks: Tasks, clock: FakeClock) -> None:
    ran = []

    @tasks.task("mail", retries=20)
    async def mail() -> None:
        ran.append(True)

    done = await stage.run(mail.using(deadline=clock.now()).job())

    assert isinstance(done.outcome, Discarded)
    assert done.outcome.error.error == (
        "DeadlineExceeded: the deadline 2026-01-01T12:00:00+00:00 passed before the attempt began"
    )
    assert not ran


# A kind that has another name, a curve for all, and who hears of failures


async def test_a_job_of_a_former_name_is_run_by_the_same_task(stage: Stage, tasks: Tasks) -> None:
    ran: list[str] = []

    @tasks.task("mail:send", aliases=("send_mail",))
    async def send(job: Job) -> None:
        ran.append(job.kind)

    assert set(tasks) == {"mail:send", "send_mail"}
    for kind in ("send_mail", "mail:send"):
        assert isinstance((await stage.run(NewJob(kind=kind))).outcome, Completed)
    assert ran == ["send_mail", "mail:send"]


def test_an_alias_that_is_taken_is_refused(tasks: Tasks) -> None:
    @tasks.task("mail")
    def mail() -> None: ...

    with pytest.raises(ConfigError, match='"mail"'):

        @tasks.task("post", aliases=("mail",))
        def post() -> None: ...


@pytest.mark.parametrize("kind", ["mail", "unknown"])
async def test_a_curve_for_all_holds_for_unknown_kinds_too(stage: Stage, tasks: Tasks, clock: FakeClock, kind) -> None:
    tasks.curve = fixed("1h")

    @tasks.task("mail")
    async def mail() -> None:
        raise ValueError("no")

    outcome = (await stage.run(NewJob(kind=kind))).outcome

    assert isinstance(outcome, Retry)
    assert outcome.at == clock.now() + timedelta(hours=1)


async def test_a_job_whose_row_is_damaged_fails_and_is_tried_again(stage: Stage, tasks: Tasks) -> None:
    @tasks.task("mail")
    async def mail() -> None: ...

    await stage.store(mail.job())
    (job,) = await stage.take()
    stage.executor.start([msgspec.structs.replace(job, unreadable="tags is not valid JSON")])
    outcome = (await stage.finished(job)).outcome

    assert isinstance(outcome, Retry)
    assert outcome.error.error == "job row couldn't be decoded: tags is not valid JSON"


@pytest.mark.parametrize("answer", ["cancel", None, "fails"])
async def test_who_hears_of_failures_may_cancel_the_job(stage: Stage, tasks: Tasks, seen: Recorder, answer) -> None:
    heard: list[str] = []

    def on_error(job: Job, error: AttemptError) -> Any:
        heard.append(error.error)
        if answer == "fails":
            raise RuntimeError("deaf")
        return answer

    @tasks.task("mail")
    async def mail() -> None:
        raise ValueError("no")

    @tasks.task("well")
    async def well() -> None:
        raise Snooze("1h")

    stage.executor.on_error = on_error
    await stage.run(well.job())
    outcome = (await stage.run(mail.job())).outcome

    assert heard == ["ValueError: no"]
    assert isinstance(outcome, Cancelled if answer == "cancel" else Retry)
    assert outcome.error.error == "ValueError: no"
    assert bool(seen.of(ServiceFailed)) == (answer == "fails")


async def test_a_task_for_a_prefix_is_told_which_kind_it_runs(stage: Stage, tasks: Tasks) -> None:
    ran = []

    @tasks.task("image:", prefix=True)
    async def image(width: int, job: Job) -> None:
        ran.append((job.kind, width))

    done = await stage.run(NewJob(kind="image:rotate", args=b'{"width":7}'))

    assert (done.state, ran) == (State.COMPLETED, [("image:rotate", 7)])


async def test_where_kinds_are_taken_by_name_a_prefix_is_refused() -> None:
    async with Ferryman("sqlite://") as jobs:

        @jobs.task("image:", prefix=True)
        async def image() -> None: ...

        with pytest.raises(Unsupported, match='The task "image:" is for all kinds that begin so'):
            await jobs.worker(take_unknown_kinds=False).serve()
