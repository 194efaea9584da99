"""The built-in worker: each job says in its arguments how it behaves (spec/river-conformance.md 1.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from ferryman.context import record_output, set_metadata
from ferryman.job import Job
from ferryman.outcome import Cancel, Snooze
from ferryman.resumable import cursor_step, set_cursor, step
from ferryman.testing.river_adapter.barriers import Barriers

__all__ = ["COOPERATIVE", "behave"]

COOPERATIVE = "cooperative_cancel"

Behavior = Callable[[Barriers, Job, int, str], Awaitable[None]]


async def behave(barriers: Barriers, job: Job, name: str, duration_ms: int, message: str) -> None:
    """Behave as the job asks.  Raises ValueError for a behavior that nobody knows."""
    if name not in _BEHAVIORS:
        raise ValueError(f'unknown behavior "{name}"')
    await _BEHAVIORS[name](barriers, job, duration_ms, message)


async def _complete(barriers: Barriers, job: Job, duration_ms: int, message: str) -> None:
    return


async def _wait(barriers: Barriers, job: Job, duration_ms: int, message: str) -> None:
    await barriers.wait(message)


async def _wait_and_record(barriers: Barriers, job: Job, duration_ms: int, message: str) -> None:
    await barriers.wait(message)
    record_output({"race": "worker"})


async def _cancel(barriers: Barriers, job: Job, duration_ms: int, message: str) -> None:
    raise Cancel("cancelled by conformance worker")


async def _wait_to_be_cancelled(barriers: Barriers, job: Job, duration_ms: int, message: str) -> None:
    await asyncio.Event().wait()


async def _fail(barriers: Barriers, job: Job, duration_ms: int, message: str) -> None:
    raise RuntimeError("conformance retryable error")


async def _record(barriers: Barriers, job: Job, duration_ms: int, message: str) -> None:
    record_output({"message": message})


async def _sleep(barriers: Barriers, job: Job, duration_ms: int, message: str) -> None:
    await asyncio.sleep(duration_ms / 1000)


async def _snooze_once(barriers: Barriers, job: Job, duration_ms: int, message: str) -> None:
    if "snoozes" not in job.metadata:
        raise Snooze(timedelta(milliseconds=max(duration_ms, 1)))


async def _resume(barriers: Barriers, job: Job, duration_ms: int, message: str) -> None:
    async def first() -> None:
        set_metadata("first_attempt", job.attempt)

    async def second(cursor: Any) -> None:
        if job.attempt == 1:
            set_cursor(7)
            raise RuntimeError("the first attempt ends here, with a cursor")
        if cursor != 7:
            raise RuntimeError(f"the cursor is {cursor} and not 7")
        set_metadata("cursor_observed", cursor)

    async def third() -> None:
        if job.attempt == 2:
            raise RuntimeError("the second attempt ends here, behind the cursor")

    await step("first", first)
    await cursor_step("second", second)
    await step("third", third)


_BEHAVIORS: dict[str, Behavior] = {
    "": _complete,
    "barrier_wait": _wait,
    "barrier_output": _wait_and_record,
    "cancel": _cancel,
    COOPERATIVE: _wait_to_be_cancelled,
    "error": _fail,
    "output": _record,
    "resumable_cursor": _resume,
    "sleep": _sleep,
    "snooze_once": _snooze_once,
}
