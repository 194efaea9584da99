"""Code that wraps enqueueing or working, to change what happens.

A middleware is any callable that takes the next step and the job, and awaits the one
with the other.  It runs in the job's own task, so context variables hold
(Starlette's lesson).  Watching without changing is what events are for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Literal

from ferryman.job import AttemptError, Job, NewJob

__all__ = ["Call", "EnqueueMiddleware", "InThread", "Middleware", "OnError", "changed", "compose"]

Call = Callable[[Job], Awaitable[Any]]
"""Runs one job and returns what its function returned."""

Middleware = Callable[[Call, Job], Awaitable[Any]]
"""Wraps a `Call`: `async def timed(call, job): … return await call(job)`."""

EnqueueMiddleware = Callable[[NewJob], NewJob]
"""Changes a job on its way in, or raises to refuse it; a plain function, so that async and sync code share it."""


OnError = Callable[[Job, AttemptError], Literal["cancel"] | None]
"""Hears of every failed attempt before it is written; "cancel" says that the job is not to be tried again."""


InThread = Callable[[], AbstractContextManager[Any]]
"""Makes what a plain function runs in; entered and left in the thread that runs it, which no middleware sees."""


def compose(middleware: Sequence[Middleware], call: Call) -> Call:
    """Wrap a call in every middleware; the first is outermost."""
    for layer in reversed(middleware):
        call = partial(layer, call)
    return call


def changed(middleware: Sequence[EnqueueMiddleware], job: NewJob) -> NewJob:
    """Let every middleware change a job on its way in, the first one first."""
    for change in middleware:
        job = change(job)
    return job
