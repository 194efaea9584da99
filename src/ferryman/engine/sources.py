"""Asks where schedules come from what they are by now, and takes over what has changed.

What was said before and is said again stays as it is: an interval that has begun is not
begun anew.  A source that fails has said nothing, and what it said last stands.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from ferryman.errors import FerrymanError
from ferryman.scheduled import Fixed, PeriodicEntry, Scheduled, Source
from ferryman.task import Tasks

__all__ = ["Resync"]


@dataclass(frozen=True)
class Resync:
    """Keeps the schedules of one source as it says."""

    source: Source
    tasks: Tasks

    async def tick(self) -> None:
        """Ask once.  What is wrong by itself is left out, and raised when the rest is taken over."""
        wanted: list[PeriodicEntry] = []
        wrong: FerrymanError | None = None
        for each in await self._asked():
            try:
                entry = each.entry()
                # Its job is made now: a task's would never equal that of the time before.
                wanted.append(replace(entry, task=Fixed.of(entry.task.job())))
            except FerrymanError as error:
                wrong = wrong or error
        self.tasks.exchange(self.source, wanted)
        if wrong is not None:
            raise wrong

    async def _asked(self) -> Iterable[Scheduled]:
        find = self.source.find
        said = find() if inspect.iscoroutinefunction(find) else await asyncio.to_thread(find)
        return await said if inspect.isawaitable(said) else said
