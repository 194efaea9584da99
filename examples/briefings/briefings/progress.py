"""Briefings follow their jobs.

Only ferryman knows whether a failed attempt was the last and when the next one is, and
it says so in an event once the storage has it.  What no event can tell, because the
worker was killed, the heartbeat finds out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from briefings.briefing import Briefing, briefing_from
from briefings.database import Connection, Database
from ferryman import AttemptError, Ferryman, JobNotFound, State
from ferryman.events import EventBus, JobFinished
from ferryman.job import FINAL
from ferryman.outcome import Cancelled, Completed, Discarded, Released, Retry, Snoozed

logger = logging.getLogger("briefings")

GRACE = timedelta(seconds=10)
"""How long the event of a finished job may take to arrive before the heartbeat steps in."""


@asynccontextmanager
async def followed(events: EventBus, database: Database) -> AsyncIterator[None]:
    """Write down what becomes of jobs for as long as the block runs, and at its end what is left."""
    finished: asyncio.Queue[JobFinished] = asyncio.Queue()
    unsubscribe = events.subscribe(JobFinished, finished.put_nowait)
    writing = asyncio.create_task(_write(finished, database))
    try:
        yield
    finally:
        unsubscribe()
        await finished.join()
        writing.cancel()


async def _write(finished: asyncio.Queue[JobFinished], database: Database) -> None:
    while True:
        event = await finished.get()
        try:
            if event.state is not None and not isinstance(event.outcome, Completed):
                async with database.transaction() as tx:
                    _note(tx, event)
        except Exception:
            logger.exception("the end of job %s was not noted; the heartbeat will", event.job.ref)
        finally:
            finished.task_done()


def _note(tx: Connection, event: JobFinished) -> None:
    attempt: dict[str, Any] = {"job": event.job.ref, "attempt": event.job.attempt}
    match event.outcome:
        case Retry(at=at, error=error):
            tx.run("try_again_later", **attempt, error=in_plain_words(error), at=at)
        case Snoozed(until=until):
            tx.run("try_again_later", **attempt, error="The briefing service is busy.", at=until)
        case Released():
            tx.run("put_back", **attempt)
        case Discarded(error=error):
            tx.run("fail", **attempt, message=_gave_up(in_plain_words(error), event.job.attempt))
        case Cancelled():
            tx.run("fail", **attempt, message="This briefing was cancelled.")


async def repair(jobs: Ferryman, database: Database) -> None:
    """Fail every briefing that waits for a job which is over or gone."""
    with database.reading() as connection:
        waiting = [briefing_from(row) for row in connection.run("unfinished")]
    for briefing in waiting:
        if briefing and (message := await _lost(jobs, briefing)):
            async with database.transaction() as tx:
                tx.run("fail", job=briefing.job_ref, attempt=briefing.attempt, message=message)


async def _lost(jobs: Ferryman, briefing: Briefing) -> str:
    stopped = _gave_up("The worker stopped unexpectedly.", briefing.attempt)
    try:
        job = await jobs.admin.jobs.get(str(briefing.job_ref))
    except JobNotFound:
        return stopped
    if job.state not in FINAL or job.finalized_at is None or datetime.now(UTC) - job.finalized_at < GRACE:
        return ""
    return "This briefing was cancelled." if job.state is State.CANCELLED else stopped


def in_plain_words(error: AttemptError) -> str:
    """Return what a reader may see.  Only sentences that we wrote: any other may hold what is secret."""
    kind, _, sentence = error.error.partition(": ")
    if kind in ("ServiceError", "Discard"):
        return sentence
    return "It took too long." if kind == "TimeoutError" else "Something went wrong on our side."


def _gave_up(reason: str, attempts: int) -> str:
    return f"{reason} We tried {attempts} times." if attempts > 1 else reason
