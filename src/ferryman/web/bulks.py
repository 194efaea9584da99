"""Actions on many jobs that were begun from here, and how far each has come."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ferryman.admin._async.bulk import AsyncBulkAdmin
from ferryman.admin.bulk import Progress
from ferryman.errors import FerrymanError
from ferryman.job import JobRef
from ferryman.storage.values import Action, JobFilter
from ferryman.web.refusals import Refusal, refusal_for

__all__ = ["Bulk", "Bulks"]

_KEPT = timedelta(days=7)
_PER_PERSON, _PER_STORAGE = 1, 3
_SHOWN = 50


@dataclass
class Bulk:
    """One of them.  `state` is running, stopped, failed or done."""

    id: str
    action: Action
    which: JobFilter
    words: Sequence[tuple[str, str]]
    expected: int
    actor: str
    rate: float | None
    """At most so many a second."""
    started_at: datetime
    state: str = "running"
    progress: Progress = field(default_factory=Progress)
    ended_at: datetime | None = None
    why: str = ""
    skipped: list[tuple[JobRef, str]] = field(default_factory=list)
    """The latest that were skipped, with the reason."""

    @property
    def seen(self) -> int:
        """How many jobs it has come past."""
        return self.progress.done + self.progress.skipped

    @property
    def per_second(self) -> float | None:
        """How many it does in a second."""
        took = ((self.ended_at or datetime.now(UTC)) - self.started_at).total_seconds()
        return self.seen / took if took > 0 and self.seen else None


class Bulks:
    """The bulk operations of one storage.  They run in this process, and end with it."""

    def __init__(self, admin: AsyncBulkAdmin) -> None:
        self._admin = admin
        self._bulks: dict[str, Bulk] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(
        self,
        action: Action,
        which: JobFilter,
        words: Sequence[tuple[str, str]],
        expected: int,
        actor: str,
        rate: float | None = None,
    ) -> Bulk:
        """Begin one; if the same runs already, return that.  Raises Refusal when too many run."""
        self._forget()
        running = [bulk for bulk in self._bulks.values() if bulk.state == "running"]
        for bulk in running:
            if (bulk.action, bulk.which) == (action, which):
                return bulk
        mine = sum(bulk.actor == actor for bulk in running)
        if mine >= _PER_PERSON or len(running) >= _PER_STORAGE:
            raise Refusal(429, "too_many_bulks", "Other bulk operations are running. Wait for one to end, or stop it.")
        bulk = Bulk(secrets.token_hex(6), action, which, words, expected, actor, rate, datetime.now(UTC))
        self._bulks[bulk.id] = bulk
        self._tasks[bulk.id] = asyncio.create_task(self._run(bulk), name=f"ferryman-bulk-{bulk.id}")
        return bulk

    def get(self, id: str) -> Bulk:
        """Return one.  Raises Refusal when there is none."""
        if id not in self._bulks:
            raise Refusal(404, "bulk_not_found", f'There is no bulk operation "{id}"; they are kept for 7 days.')
        return self._bulks[id]

    def list(self) -> list[Bulk]:
        """Return all of them, the latest first."""
        return sorted(self._bulks.values(), key=lambda bulk: bulk.started_at, reverse=True)

    def stop(self, id: str) -> Bulk:
        """Stop one after its present step."""
        bulk = self.get(id)
        if bulk.state == "running":
            bulk.state = "stopping"
        return bulk

    async def close(self) -> None:
        """Stop all of them."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, bulk: Bulk) -> None:
        try:
            run = self._admin.run(bulk.action, bulk.which, rate=bulk.rate, now=bulk.started_at, actor=bulk.actor)
            async for progress in run:
                bulk.progress = progress
                bulk.skipped = [*_reasons(progress), *bulk.skipped][:_SHOWN]
                if bulk.state == "stopping":
                    bulk.state = "stopped"
                    break
            else:
                bulk.state = "done"
        except (FerrymanError, OSError) as error:
            bulk.state, bulk.why = "failed", refusal_for(error).detail
        finally:
            bulk.ended_at = datetime.now(UTC)
            del self._tasks[bulk.id]

    def _forget(self) -> None:
        latest = datetime.now(UTC) - _KEPT
        self._bulks = {id: bulk for id, bulk in self._bulks.items() if (bulk.ended_at or latest) >= latest}


def _reasons(progress: Progress) -> list[tuple[JobRef, str]]:
    return [(ref, refusal_for(error).detail) for ref, error in progress.latest]
