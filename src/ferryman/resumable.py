"""Tasks in steps: an attempt that follows a failed one goes on where that one stopped.

    @jobs.task("import:orders")
    async def import_orders() -> None:
        await step("download", download)
        await cursor_step("rows", import_rows, type=int)      # called with the cursor of the attempt before, or None

A step that was completed is not run again; code outside steps always is.  Go's workers
write and read the same marks, so one attempt may run there and the next one here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ferryman.context import early_end, recorder_of, running_steps

__all__ = ["checkpoint", "checkpoint_sync", "cursor_step", "cursor_step_sync", "set_cursor", "step", "step_sync"]


async def step(name: str, run: Callable[[], Awaitable[object]]) -> None:
    """Run a step unless an earlier attempt completed it.  Names are used once in a task.

    Raises what the step raises, FerrymanError for a name that is used twice and outside a
    running task, Unsupported where jobs have no metadata, as on Redis.
    """
    steps = running_steps("step()")
    if not steps.begin(name):
        return
    try:
        await run()
    except BaseException as error:
        steps.failed(error)
        raise
    steps.done(name)


async def cursor_step(name: str, run: Callable[[Any], Awaitable[object]], *, type: Any = Any) -> None:
    """Run a step with the cursor that it had set when an earlier attempt failed in it, or with None; as `step`."""
    steps = running_steps("cursor_step()")
    if not steps.begin(name, takes_cursor=True):
        return
    try:
        await run(steps.cursor(name, type))
    except BaseException as error:
        steps.failed(error)
        raise
    steps.done(name)


def step_sync(name: str, run: Callable[[], object]) -> None:
    """Run a step of a task that is a plain function; as `step`."""
    steps = running_steps("step_sync()")
    if not steps.begin(name):
        return
    try:
        run()
    except BaseException as error:
        steps.failed(error)
        raise
    steps.done(name)


def cursor_step_sync(name: str, run: Callable[[Any], object], *, type: Any = Any) -> None:
    """Run a step with a cursor of a task that is a plain function; as `cursor_step`."""
    steps = running_steps("cursor_step_sync()")
    if not steps.begin(name, takes_cursor=True):
        return
    try:
        run(steps.cursor(name, type))
    except BaseException as error:
        steps.failed(error)
        raise
    steps.done(name)


def set_cursor(value: Any) -> None:
    """Remember how far the step that runs has come, for an attempt that follows if this one fails.

    Raises FerrymanError outside a step with a cursor, InvalidJob when JSON cannot carry the value.
    """
    running_steps("set_cursor()").set_cursor(value)


async def checkpoint(tx: Any, *, cursor: Any = None) -> None:
    """Keep in a transaction of the task's own how far it has come: its work and that mark are committed together.

    The step that runs counts as done; with a cursor, the next attempt goes on in it from there.  `tx` is what
    `using(tx=…)` takes (spec/river.md 7.8).  Raises WrongState when the job is no longer this attempt's: then leave
    the transaction by its error.  Raises FerrymanError outside a step, Unsupported where jobs have no metadata.
    """
    marks = running_steps("checkpoint()").checkpoint(cursor)
    await early_end("checkpoint()").note(recorder_of("checkpoint()"), tx, marks)


def checkpoint_sync(tx: Any, *, cursor: Any = None) -> None:
    """Do the same in a task that is a plain function."""
    marks = running_steps("checkpoint_sync()").checkpoint(cursor)
    early_end("checkpoint_sync()").note_sync(recorder_of("checkpoint_sync()"), tx, marks)
