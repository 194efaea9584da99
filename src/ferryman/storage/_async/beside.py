"""What stands beside jobs, queues and workers: groups of jobs, and the notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ferryman.aggregation import GroupRules
from ferryman.job import Inserted, NewJob
from ferryman.storage.values import Gathered, Note

__all__ = ["AsyncGroups", "AsyncNotebook"]


class AsyncGroups(Protocol):
    """Jobs that are gathered and made into one."""

    async def gather(self, queue: str, rules: GroupRules, *, now: datetime | None = None) -> list[Gathered]:
        """Set aside the jobs of each group of this queue that is due."""
        ...

    async def replace(self, gathered: Gathered, job: NewJob, *, now: datetime | None = None) -> Inserted:
        """Store the job that a group was made into, and delete those it was made from."""
        ...


class AsyncNotebook(Protocol):
    """Notes of ferryman's own, which Go's tools neither read nor write (design.md 3).

    A page of the notebook holds notes by name.  All of them may be gone at any moment,
    and nothing but what they say may be lost with them.  Where a database has no place for
    notes, everything here raises SchemaOutOfDate, but for `prune`.
    """

    async def read(self, pages: Sequence[str], *, now: datetime | None = None) -> Sequence[Mapping[str, str]]:
        """Return the notes of each of these pages, by name."""
        ...

    async def write(self, notes: Sequence[Note], *, now: datetime | None = None) -> None:
        """Write notes, each in the place of the one that had its name."""
        ...

    async def claim(self, note: Note, *, now: datetime | None = None) -> str:
        """Write a note unless there is one of its name, and return what is written there now."""
        ...

    async def erase(self, page: str, names: Sequence[str]) -> None:
        """Strike out notes of a page."""
        ...

    async def prune(self, *, now: datetime | None = None) -> None:
        """Throw away notes past their time."""
        ...
