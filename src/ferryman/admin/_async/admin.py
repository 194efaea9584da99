"""Looks at everything, acts on anything: what the command line and every other face stands on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from ferryman.admin._async.failed import AsyncFailedAdmin
from ferryman.admin._async.jobs import AsyncJobAdmin
from ferryman.admin._async.operations import AsyncKeptBulkAdmin
from ferryman.admin._async.overview import async_snapshot
from ferryman.admin._async.periodic import AsyncPeriodicAdmin
from ferryman.admin._async.queues import AsyncQueueAdmin
from ferryman.admin._async.stats import AsyncStatsAdmin
from ferryman.admin.application import Moment, in_use, judge
from ferryman.admin.capabilities import Capabilities, capabilities_of
from ferryman.admin.snapshot import Snapshot
from ferryman.errors import InvalidJob
from ferryman.events import Acted, EventBus
from ferryman.facts import Fact
from ferryman.findings import Finding
from ferryman.job import State
from ferryman.opening import AsyncOpen
from ferryman.redaction import USUAL, Redaction
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.filters import JobFilter
from ferryman.storage.infos import WorkerInfo
from ferryman.storage.values import LineStatus, Retention
from ferryman.storage.way import Step

__all__ = ["AsyncAdmin"]

_WAITING = (State.AVAILABLE, State.SCHEDULED, State.RETRYABLE)
_SAMPLED = 100


class AsyncAdmin:
    """One storage, seen from outside.  Every change takes who did it and why, for the log.

    `unchecked` gives the storage whatever its schema is: that is what migrating needs.
    """

    def __init__(self, open: AsyncOpen, events: EventBus | None = None, *, unchecked: AsyncOpen | None = None) -> None:
        events = events or EventBus()
        self.jobs = AsyncJobAdmin(open, events)
        self.bulk = AsyncKeptBulkAdmin(open, events)
        self.failed = AsyncFailedAdmin(open)
        self.stats = AsyncStatsAdmin(open)
        self.queues = AsyncQueueAdmin(open, events)
        self.periodic = AsyncPeriodicAdmin(open, events)
        self.workers = AsyncWorkerAdmin(open)
        self.storage = AsyncStorageAdmin(unchecked or open, events)
        self._open = open

    async def snapshot(self, *, cap: int = 10_000, now: datetime | None = None) -> Snapshot:
        """Return the facts that are cheap, all at once; what cannot be read says why, and keeps nothing else back.

        Of ended jobs no more than `cap` are counted in each queue and state.  Raises StorageError only where
        there is no storage to ask.
        """
        return await async_snapshot(await self._open(), self.queues, self.periodic, cap=cap, now=now)

    async def capabilities(self) -> Capabilities:
        """Say what this storage can do and know, and what it cannot."""
        storage = await self._open()
        return capabilities_of(storage.format, storage.features, groups=storage.groups is not None)

    async def check(
        self,
        tasks: Collection[str] = (),
        *,
        takes_from: Collection[str] = (),
        redaction: Redaction = USUAL,
        now: datetime | None = None,
    ) -> list[Finding]:
        """Look for jobs that nobody works, and for secrets in jobs.

        The app at hand would handle the kinds `tasks` from the queues `takes_from`.
        """
        storage = await self._open()
        queues = await storage.queues.glance(cap=1, now=now)
        waiting = {
            queue.name: await storage.jobs.waiting_kinds([queue.name]) for queue in queues if not queue.unreadable
        }
        sampled = await storage.jobs.list(JobFilter(states=_WAITING), limit=_SAMPLED)
        workers = await storage.workers.list(now=now)
        return judge(
            Moment(
                queues=queues,
                workers=workers,
                lost=await storage.workers.lost(now=now),
                waiting=waiting,
                tasks=tasks,
                now=now or datetime.now(UTC),
                periodic=await self.periodic.list(now=now),
                unfit=_unfit(storage, {*takes_from, *in_use(queues, workers)}),
                sampled=sampled.items,
                redaction=redaction,
            )
        )


class AsyncWorkerAdmin:
    """Worker processes."""

    def __init__(self, open: AsyncOpen) -> None:
        self._open = open

    async def list(self) -> list[WorkerInfo]:
        """Return the workers that are alive, with what each runs."""
        return await (await self._open()).workers.list()

    async def lost(self) -> Sequence[WorkerInfo]:
        """Return ferryman's workers that fell silent within the last hour without a word, the latest first."""
        return await (await self._open()).workers.lost()

    async def leader(self) -> str | None:
        """Return the id of the worker that does the chores for all; None where nobody does, or on Redis has to."""
        return await (await self._open()).leaders.current()


class AsyncStorageAdmin:
    """The storage itself."""

    def __init__(self, open: AsyncOpen, events: EventBus) -> None:
        self._open = open
        self._events = events

    async def location(self) -> str:
        """Return where it is, without a password."""
        return (await self._open()).location

    async def way(self) -> Sequence[Step]:
        """Say what came of each step on the way to it, up to the first that fails: it may take a few seconds."""
        return await (await self._open()).health.way()

    async def check(self, *, production: bool = True, keep: Retention | None = None) -> list[Finding]:
        """Look for what may lose, delay or hide jobs; on a developer's machine less has to survive.

        `keep` says how long the workers' settings keep jobs; without, what is kept by default is expected.
        """
        return await (await self._open()).health.check(production=production, keep=keep)

    async def facts(self) -> list[Fact]:
        """Return what the storage says of itself: version, sizes, connections; what may not be read says so."""
        return await (await self._open()).health.facts()

    async def status(self) -> list[LineStatus]:
        """Say where each line of migrations stands."""
        return await (await self._open()).schema.status()

    async def migrate(
        self,
        line: str,
        *,
        up: bool,
        target: int | None = None,
        max_steps: int | None = None,
        statement_timeout: float | None = None,
        actor: str = "",
        reason: str = "",
    ) -> list[str]:
        """Apply or revert migrations, and name those that were.  Raises ConfigError, SchemaOutOfDate.

        On Postgres `statement_timeout` says how many seconds each of their statements may take: 0 is no limit, None
        is what the URL or the server has.  One that takes longer raises StorageError, and its migration is undone.
        """
        schema = (await self._open()).schema
        done = await schema.migrate(
            line, up=up, target=target, max_steps=max_steps, statement_timeout=statement_timeout
        )
        for name in done:
            self._events.publish(Acted("applied" if up else "reverted", f"migration {line} {name}", actor, reason))
        return done

    async def migrate_all(self, *, actor: str = "", reason: str = "") -> list[str]:
        """Apply what is missing of every line, and name it as "main 007 …".  Raises SchemaOutOfDate for newer ones."""
        done = []
        for line in await self.status():
            applied = await self.migrate(line.line, up=True, actor=actor, reason=reason)
            done += [f"{line.line} {name}" for name in applied]
        return done


def _unfit(storage: AsyncStorage, names: Collection[str]) -> dict[str, str]:
    """Return those of these queues' names that the format's clients refuse, each with the reason."""
    found = {}
    for name in sorted(names):
        try:
            storage.health.check_queue(name)
        except InvalidJob as error:
            found[name] = str(error)
    return found
