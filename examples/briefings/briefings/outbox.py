"""The outbox: how a job gets to a storage that takes no part in our transactions.

Where jobs are kept in our own database they are enqueued with `tx=`, and nothing here is
needed.  Redis knows no transaction of ours.  So the job is written down in the
transaction that it belongs to, and sent when that has committed: by the web at once,
and by a relay in each worker when the web could not.  It may be sent twice, but its id
goes with it, so the second time changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from briefings.database import Connection, Database
from ferryman import DuplicateJob, Ferryman, FerrymanError, JobRef, NewJob, StorageUnavailable

logger = logging.getLogger("briefings")

CLAIM = timedelta(seconds=10)
"""How long somebody has to send the job that he claimed; then it is anybody's again."""
KEPT = timedelta(hours=24)
"""How long a row stays after its job was sent."""


class Outbox:
    """Carries jobs from our database to where jobs are kept, if that is elsewhere (`used`)."""

    def __init__(self, jobs: Ferryman, database: Database, *, used: bool) -> None:
        self.used = used
        self.jobs = jobs
        self.database = database
        self._sending: asyncio.Task[None] | None = None

    def put(self, tx: Connection, job: NewJob) -> JobRef:
        """Write a job down that has an id of its own."""
        ref = JobRef(str(job.id), job.queue)
        tx.run("write_down", job_ref=ref, job=msgspec.json.encode(job).decode())
        return ref

    def send_soon(self) -> None:
        """Send what waits, while the caller goes on."""
        if self.used and (self._sending is None or self._sending.done()):
            self._sending = asyncio.create_task(self.send())

    async def send(self) -> None:
        """Send what waits, the oldest first.  What somebody else is sending does not wait any more."""
        try:
            while (row := await self._claim()) and await self._send(row):
                pass
        except StorageUnavailable as error:
            logger.warning("the outbox waits: %s", error)
        except Exception:
            logger.exception("the outbox could not be emptied; the relay tries again")

    async def _claim(self) -> Any:
        async with self.database.transaction() as tx:
            return tx.run("claim_unsent", lapsed=datetime.now(UTC) - CLAIM).fetchone()

    async def _send(self, row: Any) -> bool:
        """Send one job, and say whether the next is worth trying."""
        try:
            await self.jobs.enqueue(msgspec.json.decode(row["job"], type=NewJob))
        except DuplicateJob:
            pass  # it was sent before, by somebody who died before he could say so
        except FerrymanError as error:
            return await self._not_sent(row, error)
        async with self.database.transaction() as tx:
            tx.run("sent", id=row["id"])
        return True

    async def _not_sent(self, row: Any, error: FerrymanError) -> bool:
        if row["tries"] == 1:
            logger.warning("job %s stays in the outbox: %s", row["job_ref"], error)
        away = isinstance(error, StorageUnavailable)
        async with self.database.transaction() as tx:
            # A job that was refused keeps its claim for a while, so that others go before it.
            tx.run("not_sent", id=row["id"], error=error, claimed=None if away else row["claimed_at"])
        return not away

    @asynccontextmanager
    async def relayed(self) -> AsyncIterator[None]:
        """Send every second what the web could not, for as long as the block runs."""
        relay = asyncio.create_task(self._relay())
        try:
            yield
        finally:
            relay.cancel()

    async def _relay(self) -> None:
        while self.used:
            await self.send()
            await asyncio.sleep(1)

    def clean(self, tx: Connection) -> None:
        """Delete rows whose jobs were sent long ago."""
        tx.run("forget_sent", horizon=datetime.now(UTC) - KEPT)
