"""Works bulk operations that were begun from here; how far each is, is written down beside the jobs."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from ferryman.admin._async.operations import AsyncKeptBulkAdmin
from ferryman.admin.operations import BulkInfo
from ferryman.errors import FerrymanError
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action
from ferryman.web.refusals import Refusal

__all__ = ["Bulks"]

_LOGGER = logging.getLogger("ferryman.dashboard")
_PER_PERSON, _PER_STORAGE = 1, 3


class Bulks:
    """The bulk operations of one storage, and the tasks that work them."""

    def __init__(self, admin: AsyncKeptBulkAdmin) -> None:
        self.admin = admin
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(
        self, action: Action, which: JobFilter, expected: int, rate: float | None, actor: str, reason: str = ""
    ) -> BulkInfo:
        """Begin one; if the same is under way, return that.  Raises Refusal when too many are."""
        live = [each for each in await self.admin.list() if each.is_live]
        mine = sum(each.actor == actor for each in live)
        info = await self.admin.start(action, which, expected=expected, rate=rate, actor=actor, reason=reason)
        if info.id in {each.id for each in live}:
            return info
        if mine >= _PER_PERSON or len(live) >= _PER_STORAGE:
            await self.admin.leave(info.id)
            raise Refusal(
                429, "too_many_bulks", "Other bulk operations are under way. Wait for one to end, or stop it."
            )
        self._work(info)
        return info

    async def resume(self, id: str) -> BulkInfo:
        """Go on with one that was stopped or interrupted."""
        info = await self.admin.resume(id)
        self._work(info)
        return info

    async def close(self) -> None:
        """Leave what is under way: it can be continued."""
        ids, tasks = list(self._tasks), list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for id in ids:
            with suppress(FerrymanError):
                await self.admin.leave(id)

    def _work(self, info: BulkInfo) -> None:
        self._tasks[info.id] = asyncio.create_task(self._run(info.id), name=f"ferryman-bulk-{info.id}")

    async def _run(self, id: str) -> None:
        try:
            async for _ in self.admin.work(id):
                pass
        except FerrymanError as error:
            _LOGGER.warning("the bulk operation %s stopped: %s", id, error)
        finally:
            del self._tasks[id]
