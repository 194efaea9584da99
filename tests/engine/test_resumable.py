"""Tasks in steps go on where the attempt before stopped (spec/river.md 7.8)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from engine.stage import Stage
from ferryman import cursor_step, cursor_step_sync, set_cursor, set_metadata, step, step_sync
from ferryman.errors import FerrymanError, InvalidJob
from ferryman.job import Job, State
from ferryman.outcome import Completed, Snooze
from ferryman.steps import Steps
from ferryman.task import Tasks


async def again(stage: Stage, id: str) -> Job:
    """Run a job that waits for its retry once more, and return it as it is stored then."""
    await stage.clock.advance(1_000_000)
    await stage.storage.jobs.promote(limit=1, now=stage.clock.now())
    (taken,) = await stage.take()
    stage.executor.start([taken])
    await stage.finished(taken)
    return await stage.get(id)


async def test_a_completed_step_is_not_run_again_and_a_cursor_is_handed_on(stage: Stage, tasks: Tasks) -> None:
    ran: list[Any] = []

    @tasks.task("import", backoff=timedelta(minutes=1))
    async def load(job: Job) -> None:
        async def first() -> None:
            ran.append("first")
            set_metadata("first_attempt", job.attempt)

        async def second(cursor: int | None) -> None:
            ran.append(cursor)
            if job.attempt == 1:
                set_cursor(7)
                raise ValueError("broke off")

        async def third() -> None:
            ran.append("third")
            if job.attempt == 2:
                raise ValueError("again")

        await step("first", first)
        await cursor_step("second", second, type=int)
        await step("third", third)

    ended = await stage.run(load.job())
    after_one = (await stage.get(ended.job.id)).metadata
    assert (after_one["river:resumable_step"], after_one["river:resumable_cursor"]) == ("first", {"second": 7})
    after_two = (await again(stage, ended.job.id)).metadata
    assert (after_two["river:resumable_step"], after_two["river:resumable_cursor"]) == ("second", None)
    done = await again(stage, ended.job.id)

    assert ran == ["first", None, 7, "third", "third"]
    assert (done.state, done.metadata["first_attempt"], len(done.errors)) == (State.COMPLETED, 1, 2)


async def test_a_plain_function_has_steps_too(stage: Stage, tasks: Tasks) -> None:
    ran: list[Any] = []

    @tasks.task("import", backoff=timedelta(minutes=1))
    def load(job: Job) -> None:
        def rows(cursor: Any) -> None:
            ran.append(cursor)
            set_cursor({"row": 3})
            if job.attempt == 1:
                raise ValueError("broke off")

        step_sync("first", lambda: ran.append("first"))
        cursor_step_sync("rows", rows)

    ended = await stage.run(load.job())
    done = await again(stage, ended.job.id)

    assert ran == ["first", None, {"row": 3}]
    assert done.state is State.COMPLETED


async def test_a_snooze_between_steps_keeps_what_is_done(stage: Stage, tasks: Tasks) -> None:
    ran: list[str] = []

    @tasks.task("import")
    async def load() -> None:
        async def first() -> None:
            ran.append("first")

        await step("first", first)
        if len(ran) < 2:
            ran.append("snooze")
            raise Snooze("1h")

    ended = await stage.run(load.job())
    assert (await again(stage, ended.job.id)).state is State.COMPLETED
    assert ran == ["first", "snooze"]


async def test_a_task_that_lost_the_step_it_is_to_go_on_behind_fails(stage: Stage, tasks: Tasks) -> None:
    async def nothing() -> None: ...

    @tasks.task("import", backoff=timedelta(minutes=1))
    async def load(job: Job) -> None:
        await step("old" if job.attempt == 1 else "new", nothing)
        if job.attempt == 1:
            raise ValueError("broke off")

    ended = await stage.run(load.job())
    job = await again(stage, ended.job.id)

    assert '"old"' in job.errors[-1].error


@pytest.mark.parametrize("key", ["river:output", "ferryman:x", "", 'a"b', "a\\b"])
async def test_reserved_keys_of_metadata_are_refused(stage: Stage, tasks: Tasks, key: str) -> None:
    refused: list[InvalidJob] = []

    @tasks.task("note")
    async def note() -> None:
        with pytest.raises(InvalidJob, match="set_metadata") as caught:
            set_metadata(key, 1)
        refused.append(caught.value)

    assert isinstance((await stage.run(note.job())).outcome, Completed)
    assert len(refused) == 1


def test_outside_a_task_there_are_no_steps() -> None:
    for call in (lambda: set_metadata("a", 1), lambda: set_cursor(1), lambda: step_sync("a", lambda: None)):
        with pytest.raises(FerrymanError, match="outside a running task"):
            call()


# The marks


def marks(**kept: Any) -> Steps:
    return Steps(json.dumps({f"river:resumable_{name}": value for name, value in kept.items()}).encode())


def test_a_name_is_used_once() -> None:
    steps = marks()
    steps.begin("a")

    with pytest.raises(FerrymanError, match='"a"'):
        steps.begin("a")


def test_after_a_step_that_failed_no_other_runs() -> None:
    steps = marks()
    steps.begin("a")
    steps.failed(ValueError("no"))

    with pytest.raises(ValueError, match="no"):
        steps.begin("b")


def test_a_cursor_before_any_step_is_done_is_not_kept() -> None:
    steps = marks()
    steps.begin("a", takes_cursor=True)
    steps.set_cursor(7)
    steps.failed(ValueError("no"))

    assert steps.to_keep() == {}


def test_the_step_that_was_skipped_counts_as_done() -> None:
    steps = marks(step="a")
    assert not steps.begin("a")
    assert steps.begin("b", takes_cursor=True)
    steps.set_cursor({"<": 1})

    assert steps.to_keep() == {
        "river:resumable_step": b'"a"',
        "river:resumable_cursor": rb'{"b":{"\u003c":1}}',
    }


@pytest.mark.parametrize("metadata", [b"[]", b"7", b'{"river:resumable_step": 7}', b'{"river:resumable_cursor": [1]}'])
def test_marks_that_nobody_can_read_are_none(metadata: bytes) -> None:
    assert Steps(metadata).begin("a")
