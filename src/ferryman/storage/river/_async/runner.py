"""What runs verbs: one connection in a thread on SQLite, a few of them on Postgres."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ferryman.storage.river.steps import Verb

__all__ = ["AsyncRunner"]

T = TypeVar("T")


class AsyncRunner(Protocol):
    """Runs verbs on one database.  Everything raises StorageError."""

    dialect: str
    """Which database it is: the folder of its statements."""

    async def read(self, verb: Verb[T]) -> T:
        """Run a verb that changes nothing."""
        ...

    async def each(self, verb: Verb[T]) -> T:
        """Run a verb of which every statement may stand alone."""
        ...

    async def write(self, verb: Verb[T]) -> T:
        """Run a verb in a transaction of its own."""
        ...

    async def within(self, tx: Any, verb: Verb[T]) -> T:
        """Run a verb in the caller's own transaction.  Raises Unsupported for what is none of this database."""
        ...
