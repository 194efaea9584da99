"""The jobs: one that people wait for, and two that the clock starts.

Web and worker share this module.  Declaring tasks connects nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import getpid
from pathlib import Path
from socket import gethostname
from uuid import UUID

import httpx
import msgspec

from briefings import files, progress, service, settings
from briefings.briefing import briefing_from
from briefings.database import open_database
from ferryman import Ferryman, Job, exponential, provided
from ferryman.outbox import Outbox

database = open_database(settings.database)


@asynccontextmanager
async def lifespan() -> AsyncIterator[httpx.AsyncClient]:
    """Open what tasks need while a worker runs."""
    async with progress.followed(jobs.events, database), service.client() as http:
        yield http


outbox = Outbox(database.transaction, table="outbox")
jobs = Ferryman(
    None if settings.jobs_apart else settings.database,
    lifespan=lifespan,
    outbox=outbox,
    config=Path(__file__).parent.parent / "ferryman.toml",
    concurrency=settings.concurrency,
    shutdown_timeout=settings.shutdown_timeout,
)


@jobs.task(
    "briefing:generate",
    retries=3,
    timeout=settings.job_timeout,
    retention="24h",
    backoff=exponential(settings.first_retry),
)
async def generate_briefing(job: Job, briefing_id: UUID, http: httpx.AsyncClient = provided()) -> str:
    """Have one briefing made, and keep it.  No transaction is open while the service works."""
    own = {"id": briefing_id, "job": job.ref}
    async with database.transaction() as tx:
        begun = tx.run("begin", **own, attempt=job.attempt, max_attempts=job.max_attempts)
        briefing = briefing_from(begun.fetchone())
    if briefing is None:
        return "skipped"  # it was deleted, or this is not its job
    content = await service.ask(http, briefing)
    async with database.transaction() as tx:
        tx.run("complete", **own, content=msgspec.json.encode(content).decode())
    return "completed"


@jobs.every("1m", on_start=True)
@jobs.task("app:heartbeat", queue="critical", retries=0, timeout="50s", unique="55s")
async def heartbeat() -> None:
    """Show that a worker works, and repair what a killed one has left."""
    async with database.transaction() as tx:
        tx.run("beat", instance=f"{gethostname()}:{getpid()}")
    await progress.repair(jobs, database)


@jobs.cron("0 * * * *")
@jobs.task("files:cleanup-orphans", retries=0, timeout="10m", unique="1h", retention="24h")
async def cleanup_orphans() -> dict[str, int]:
    """Delete files that belong to no briefing.  No retries: the next hour is the retry."""
    return await files.clean_up(database)
