"""Writes jobs down in the application's transaction, and sends them when that has committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import msgspec

from ferryman.client._async.client import AsyncClient
from ferryman.clock import SystemClock
from ferryman.duration import parse_duration
from ferryman.engine.outage import Outage, Report
from ferryman.errors import ConfigError, DuplicateJob, FerrymanError, InvalidJob, StorageUnavailable
from ferryman.events import EventBus, OutboxRefused, OutboxSent
from ferryman.job import Inserted, JobRef, NewJob
from ferryman.outbox.hand import Rows, async_hand_of, hand_of, refuse_without_transaction
from ferryman.outbox.table import Waiting, statement, written

if TYPE_CHECKING:
    from ferryman.opening import AsyncOpen

__all__ = ["Outbox"]

Transaction = Callable[[], AbstractContextManager[Any] | AbstractAsyncContextManager[Any]]

_BATCH = 100
_CLEANED_EVERY = 60.0
_LAST_WAIT = 5.0
_KNOWN_FOR = 3600.0
"""How long, in seconds, a job must stay known to Redis, lest it be run again when it is sent again."""


class Outbox:
    """Carries jobs from a SQL database to Redis.

    `transaction` begins a transaction of yours and commits it at the end of its block: `engine.begin` of SQLAlchemy,
    `pool.connection` of psycopg, or a context manager that you write; async or not.  `claim` is how long a relay has
    to send what it took, until another takes it; `keep` is how long rows stay that were sent.
    """

    def __init__(
        self,
        transaction: Transaction,
        *,
        table: str = "ferryman_outbox",
        interval: timedelta | float | str = 1.0,
        claim: timedelta | float | str = "10s",
        keep: timedelta | float | str = "24h",
    ) -> None:
        self.table = table
        self._transaction = transaction
        self._interval = parse_duration(interval).total_seconds()
        self._claim, self._keep = parse_duration(claim), parse_duration(keep)
        self._client: AsyncClient | None = None
        self._sending: asyncio.Task[None] | None = None

    def bound(self, open: AsyncOpen, events: EventBus) -> Self:
        """Say where jobs are sent to."""
        self._events = events
        self._client = AsyncClient(open, events=events)
        self._report = Report("outbox", Outage(SystemClock(), events))
        return self

    async def put(self, job: NewJob) -> Inserted:
        """Write a job down in the transaction that it carries.  Raises InvalidJob when there is none."""
        hand, job = async_hand_of(job.tx), _with_id(job)
        refuse_without_transaction(await hand.has_transaction())
        said = statement(await hand.dialect(), self.table, "put")
        await hand.fetch(said.text, said.bind(_row(job)))
        return Inserted(_ref(job), state=job.state)

    def put_sync(self, job: NewJob) -> Inserted:
        """Write a job down from code that is not async."""
        hand, job = hand_of(job.tx), _with_id(job)
        refuse_without_transaction(hand.has_transaction())
        said = statement(hand.dialect, self.table, "put")
        hand.fetch(said.text, said.bind(_row(job)))
        return Inserted(_ref(job), state=job.state)

    async def send(self) -> int:
        """Send what waits, the oldest first, and say how many.  Raises StorageUnavailable, or what the database says.

        What somebody else is sending does not wait any more.
        """
        if self._client is None:
            raise ConfigError("This outbox belongs to no Ferryman. Write: jobs = Ferryman(…, outbox=outbox).")
        sent = 0
        while rows := await self._claimed():
            sent += await self._send(rows)
        return sent

    def send_soon(self) -> None:
        """Send what waits while the caller goes on; call it when you have committed.  Does nothing off Redis."""
        if self._client is not None and (self._sending is None or self._sending.done()):
            self._sending = asyncio.create_task(self._try_to_send())

    @asynccontextmanager
    async def relayed(self) -> AsyncIterator[None]:
        """Send again and again what was left, for as long as the block runs; a worker does so by itself."""
        stopping = asyncio.Event()
        relay = asyncio.create_task(self._relay(stopping))
        try:
            yield
        finally:
            # A transaction that is cut short while it commits leaves its connection open in some libraries.
            stopping.set()
            await asyncio.wait([relay], timeout=_LAST_WAIT)
            relay.cancel()
            await asyncio.wait([relay])

    def beside(
        self, lifespan: Callable[[], AbstractAsyncContextManager[Mapping[type, Any]]]
    ) -> Callable[[], AbstractAsyncContextManager[Mapping[type, Any]]]:
        """Make a lifespan that relays as well."""

        @asynccontextmanager
        async def both() -> AsyncIterator[Mapping[type, Any]]:
            async with lifespan() as state, self.relayed():
                yield state

        return both

    async def waiting(self) -> Waiting:
        """Count what is not sent yet."""
        ((count, oldest),) = await self._run("waiting")
        return Waiting(count, None if oldest is None else datetime.fromtimestamp(oldest, UTC))

    async def clean(self) -> int:
        """Delete rows whose jobs were sent long ago, and say how many."""
        deleted = 0
        while gone := len(await self._run("clean", before=_now() - self._keep, limit=_BATCH * 10)):
            deleted += gone
        return deleted

    async def _relay(self, stopping: asyncio.Event) -> None:
        ticks = 0
        while not stopping.is_set():
            await self._try_to_send()
            if ticks * self._interval % _CLEANED_EVERY < self._interval:
                await self._try(self.clean)
            ticks += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await stopping.wait()

    async def _try_to_send(self) -> None:
        await self._try(self.send)

    async def _try(self, act: Callable[[], Any]) -> None:
        try:
            await act()
        except Exception as error:  # whatever the application's database raises: it is tried again
            self._report.failed(error)
        else:
            self._report.works()

    async def _claimed(self) -> Rows:
        now = _now()
        return sorted(await self._run("claim", now=now, lapsed=now - self._claim, limit=_BATCH))

    async def _send(self, rows: Rows) -> int:
        """Send these jobs, write down what became of each, and return how many were sent."""
        results = await asyncio.gather(*(self._store(job) for _, _, job in rows), return_exceptions=True)
        sent, away, refused = _sorted_out(rows, results)
        await self._settle(sent, [id for id, _ in away], [(id, error) for id, _, error in refused])
        if sent:
            self._events.publish(OutboxSent(len(sent)))
        for _, ref, error in refused:
            self._events.publish(OutboxRefused(ref, str(error)))
        if away:
            raise away[0][1]
        return len(sent)

    async def _store(self, text: str) -> None:
        assert self._client is not None
        try:
            await self._client.enqueue(msgspec.json.decode(text, type=NewJob))
        except DuplicateJob:
            return  # it was sent before, by somebody who died before he could say so

    async def _settle(self, sent: list[int], away: list[int], refused: list[tuple[int, BaseException]]) -> None:
        changes: list[tuple[str, dict[str, Any]]] = []
        if sent:
            changes.append(("sent", {"now": _now(), "ids": sent}))
        if away:
            changes.append(("give_back", {"ids": away}))
        changes += [("refused", {"id": id, "error": str(error)}) for id, error in refused]
        await self._run_all(changes)

    async def _run(self, name: str, **values: Any) -> Rows:
        return (await self._run_all([(name, values)]))[0]

    async def _run_all(self, changes: Sequence[tuple[str, dict[str, Any]]]) -> list[Rows]:
        """Run statements in a transaction of their own."""
        scope = self._transaction()
        if isinstance(scope, AbstractContextManager):
            return await asyncio.to_thread(self._run_blocking, scope, changes)
        async with scope as tx:
            hand = async_hand_of(tx)
            dialect = await hand.dialect()
            return [
                await hand.fetch((said := statement(dialect, self.table, name)).text, said.bind(written(values)))
                for name, values in changes
            ]

    def _run_blocking(
        self, scope: AbstractContextManager[Any], changes: Sequence[tuple[str, dict[str, Any]]]
    ) -> list[Rows]:
        with scope as tx:
            hand = hand_of(tx)
            return [
                hand.fetch((said := statement(hand.dialect, self.table, name)).text, said.bind(written(values)))
                for name, values in changes
            ]


Away = list[tuple[int, StorageUnavailable]]
Refused = list[tuple[int, str, BaseException]]


def _sorted_out(rows: Rows, results: Sequence[BaseException | None]) -> tuple[list[int], Away, Refused]:
    """Tell the jobs that were sent from those that can be when the storage is back, and from those that never can."""
    sent: list[int] = []
    away: Away = []
    refused: Refused = []
    for (id, ref, _), result in zip(rows, results, strict=True):
        if result is None:
            sent.append(id)
        elif isinstance(result, StorageUnavailable):
            away.append((id, result))
        elif isinstance(result, FerrymanError | msgspec.MsgspecError):
            refused.append((id, ref, result))
        else:
            raise result
    return sent, away, refused


def _with_id(job: NewJob) -> NewJob:
    """Give a job the id by which sending it twice is seen, and have it known for long enough."""
    if job.tx is None:
        raise InvalidJob("tx is missing. The outbox takes jobs in a transaction: using(tx=…).")
    retention = max(job.retention or 0.0, _KNOWN_FOR)
    return msgspec.structs.replace(job, id=job.id or str(uuid4()), retention=retention, tx=None)


def _row(job: NewJob) -> dict[str, Any]:
    text = msgspec.json.encode(job).decode()
    return written({"ref": str(_ref(job)), "kind": job.kind, "job": text, "now": _now()})


def _ref(job: NewJob) -> JobRef:
    return JobRef(str(job.id), job.queue)


def _now() -> datetime:
    return datetime.now(UTC)
