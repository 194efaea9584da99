"""What runs verbs: one connection in a thread on SQLite, a few of them on Postgres."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ferryman.storage.river.steps import Marks, Verb

__all__ = ["AsyncInTransaction", "AsyncRunner"]

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

    async def marks(self) -> Marks:
        """Say which new rows River's own clients look for a mark in."""
        ...

    async def within(self, tx: Any, verb: Verb[T]) -> T:
        """Run a verb in the caller's own transaction.  Raises Unsupported for what is none of this database."""
        ...


class AsyncInTransaction:
    """Runs every verb in one transaction of the caller's."""

    def __init__(self, runner: AsyncRunner, tx: Any) -> None:
        self.dialect = runner.dialect
        self._runner = runner
        self._tx = tx

    async def read(self, verb: Verb[T]) -> T:
        """Run a verb in the transaction."""
        return await self._runner.within(self._tx, verb)

    async def each(self, verb: Verb[T]) -> T:
        """Run a verb in the transaction."""
        return await self._runner.within(self._tx, verb)

    async def write(self, verb: Verb[T]) -> T:
        """Run a verb in the transaction, whose end is the caller's business."""
        return await self._runner.within(self._tx, verb)

    async def marks(self) -> Marks:
        """Say which new rows River's own clients look for a mark in."""
        return await self._runner.marks()

    async def within(self, tx: Any, verb: Verb[T]) -> T:
        """Run a verb in another transaction of the caller's."""
        return await self._runner.within(tx, verb)
