# Generated from src/ferryman/storage/river/_async/runner.py by tools/unasync.py: change that file and run `make sync`.
"""What runs verbs: one connection in a thread on SQLite, a few of them on Postgres."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ferryman.storage.river.steps import Marks, Verb

__all__ = ["InTransaction", "Runner"]

T = TypeVar("T")


class Runner(Protocol):
    """Runs verbs on one database.  Everything raises StorageError."""

    dialect: str
    """Which database it is: the folder of its statements."""

    def read(self, verb: Verb[T]) -> T:
        """Run a verb that changes nothing."""
        ...

    def each(self, verb: Verb[T]) -> T:
        """Run a verb of which every statement may stand alone."""
        ...

    def write(self, verb: Verb[T]) -> T:
        """Run a verb in a transaction of its own."""
        ...

    def marks(self) -> Marks:
        """Say which new rows River's own clients look for a mark in."""
        ...

    def within(self, tx: Any, verb: Verb[T]) -> T:
        """Run a verb in the caller's own transaction.  Raises Unsupported for what is none of this database."""
        ...


class InTransaction:
    """Runs every verb in one transaction of the caller's."""

    def __init__(self, runner: Runner, tx: Any) -> None:
        self.dialect = runner.dialect
        self._runner = runner
        self._tx = tx

    def read(self, verb: Verb[T]) -> T:
        """Run a verb in the transaction."""
        return self._runner.within(self._tx, verb)

    def each(self, verb: Verb[T]) -> T:
        """Run a verb in the transaction."""
        return self._runner.within(self._tx, verb)

    def write(self, verb: Verb[T]) -> T:
        """Run a verb in the transaction, whose end is the caller's business."""
        return self._runner.within(self._tx, verb)

    def marks(self) -> Marks:
        """Say which new rows River's own clients look for a mark in."""
        return self._runner.marks()

    def within(self, tx: Any, verb: Verb[T]) -> T:
        """Run a verb in another transaction of the caller's."""
        return self._runner.within(tx, verb)
