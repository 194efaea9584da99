"""Bulk operations that outlive whoever began them: started, looked at, stopped and continued from anywhere.

One process works an operation at a time, whichever it is, and writes down after each step
how far it is and until when it will be heard of again.  Whoever finds that time past may continue.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from msgspec.structs import replace

from ferryman.admin._async.bulk import AsyncBulkAdmin, longest_pause
from ferryman.admin.operations import BULKS, GOING, KEPT, STOPS, BulkInfo, BulkState, new_bulk, read_bulks, runner_page
from ferryman.errors import BulkNotFound, StorageError, WrongState
from ferryman.storage._async.beside import AsyncNotebook
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action, Note

__all__ = ["AsyncKeptBulkAdmin"]

_TRIES = 10
_LONGEST_PAUSE = 5
_RUNNER = "runner"


class AsyncKeptBulkAdmin(AsyncBulkAdmin):
    """Actions on every job that a filter means, and what is known of those of the last seven days."""

    async def start(
        self,
        action: Action,
        which: JobFilter,
        *,
        expected: int | None = None,
        rate: float | None = None,
        actor: str = "",
        reason: str = "",
        now: datetime | None = None,
    ) -> BulkInfo:
        """Write an operation down, for `work` to do; the same one that is under way is returned instead.

        Jobs that fail from now on are not meant.  Raises SchemaOutOfDate where there is no table for it.
        """
        now = now or datetime.now(UTC)
        info = new_bulk(action, which, expected=expected, rate=rate, actor=actor, reason=reason, now=now)
        notebook = await self._notebook()
        going = Note(GOING, info.operation, info.id, KEPT)
        held = await notebook.claim(going, now=now)
        if held != info.id:
            there = (await self._read(now)).get(held)
            if there is not None and there.is_live:
                return there
        await notebook.write([going, info.note()], now=now)
        return info

    async def list(self, *, now: datetime | None = None) -> Sequence[BulkInfo]:
        """Return the operations of the last seven days, the latest first."""
        found = await self._read(now or datetime.now(UTC))
        return sorted(found.values(), key=lambda info: info.started_at, reverse=True)

    async def get(self, id: str, *, now: datetime | None = None) -> BulkInfo:
        """Return one operation.  Raises BulkNotFound."""
        found = await self._read(now or datetime.now(UTC))
        if id not in found:
            raise BulkNotFound(id)
        return found[id]

    async def stop(self, id: str, *, actor: str = "", now: datetime | None = None) -> BulkInfo:
        """Let an operation stop after its step; one that nobody works is stopped at once.  Raises BulkNotFound."""
        info = await self.get(id, now=now)
        notebook = await self._notebook()
        if info.state is BulkState.INTERRUPTED:
            return await self._end(notebook, info, BulkState.STOPPED, now=now)
        if info.state is BulkState.RUNNING:
            await notebook.write([Note(STOPS, id, actor, KEPT)], now=now)
        return await self.get(id, now=now)

    async def resume(self, id: str, *, now: datetime | None = None) -> BulkInfo:
        """Let `work` go on with an operation that stopped or was interrupted, where it was.

        Raises BulkNotFound, and WrongState for one that is done or under way.
        """
        now = now or datetime.now(UTC)
        info = await self.get(id, now=now)
        if info.is_live or info.state is BulkState.DONE:
            raise _wrong(info, "continued")
        notebook = await self._notebook()
        await notebook.erase(STOPS, [id])
        again = replace(info, state=BulkState.RUNNING, ended_at=None, error="").beating(now, timedelta())
        await notebook.write([again.note(), Note(GOING, info.operation, id, KEPT)], now=now)
        return again

    async def work(self, id: str, *, now: datetime | None = None) -> AsyncIterator[BulkInfo]:
        """Do an operation, 200 jobs at a time, and tell after each step how far it is; ends when it is done or stopped.

        Raises BulkNotFound, and WrongState when another works it.  After ten failures of the storage in a row it is
        stopped, keeps its place, and the StorageError is raised.  Who leaves the loop says so to `leave`.
        """
        notebook, token, failures = await self._notebook(), uuid4().hex, 0
        info = await self._take(notebook, id, token, now)
        while info.state is BulkState.RUNNING:
            base, began = info, datetime.now(UTC)
            try:
                async for progress in self.run(
                    info.action,
                    info.which,
                    rate=info.rate,
                    cursor=info.cursor,
                    now=info.started_at,
                    actor=info.actor,
                    reason=info.reason,
                ):
                    info = await self._save(notebook, base.after(progress), token, began, now)
                    failures, began = 0, datetime.now(UTC)
                    yield info
                    if info.state is not BulkState.RUNNING:
                        break
                    base = replace(info, done=base.done, skipped=base.skipped)
            except StorageError as error:
                failures += 1
                if failures == _TRIES:
                    await self._end(notebook, replace(info, error=str(error)), BulkState.STOPPED, now=now)
                    raise
                await asyncio.sleep(min(failures, _LONGEST_PAUSE))

    async def leave(self, id: str, *, now: datetime | None = None) -> BulkInfo:
        """Say that who worked an operation has stopped doing so.  Raises BulkNotFound."""
        info = await self.get(id, now=now)
        return await self._end(await self._notebook(), info, BulkState.STOPPED, now=now) if info.is_live else info

    async def _take(self, notebook: AsyncNotebook, id: str, token: str, now: datetime | None) -> BulkInfo:
        """Become the one who works an operation."""
        at = now or datetime.now(UTC)
        info = await self.get(id, now=at)
        if info.state not in (BulkState.RUNNING, BulkState.INTERRUPTED):
            raise _wrong(info, "worked")
        info = replace(info, state=BulkState.RUNNING).beating(at, timedelta())
        if await notebook.claim(_runner(info, token, at), now=now) != token:
            raise _wrong(info, "worked here: another process does it")
        return info

    async def _save(
        self, notebook: AsyncNotebook, info: BulkInfo, token: str, began: datetime, now: datetime | None
    ) -> BulkInfo:
        """Write down how far it is, and look whether it is to stop."""
        at = now or datetime.now(UTC)
        stops, runner = await notebook.read([STOPS, runner_page(info.id)], now=now)
        if runner.get(_RUNNER, token) != token:
            raise _wrong(info, "worked here any more: another process does it")
        if info.cursor is None:
            return await self._end(notebook, info, BulkState.DONE, now=now)
        if info.id in stops:
            return await self._end(notebook, info, BulkState.STOPPED, now=now)
        pause = timedelta(seconds=longest_pause(info.rate))
        info = info.beating(at, max(datetime.now(UTC) - began, pause))
        await notebook.write([info.note(), _runner(info, token, at)], now=now)
        return info

    async def _end(
        self, notebook: AsyncNotebook, info: BulkInfo, state: BulkState, *, now: datetime | None
    ) -> BulkInfo:
        ended = replace(info, state=state, ended_at=now or datetime.now(UTC))
        await notebook.write([ended.note()], now=now)
        await notebook.erase(STOPS, [info.id])
        await notebook.erase(GOING, [info.operation])
        await notebook.erase(runner_page(info.id), [_RUNNER])
        return ended

    async def _read(self, now: datetime) -> dict[str, BulkInfo]:
        page, stops = await (await self._notebook()).read([BULKS, STOPS], now=now)
        return read_bulks(page, stops, now)

    async def _notebook(self) -> AsyncNotebook:
        return (await self._open()).notebook


def _runner(info: BulkInfo, token: str, at: datetime) -> Note:
    return Note(runner_page(info.id), _RUNNER, token, info.alive_until - at)


def _wrong(info: BulkInfo, what: str) -> WrongState:
    return WrongState(
        f"The bulk operation {info.id} is {info.state} and cannot be {what}. Nothing was changed.", state=info.state
    )
