# Generated from src/ferryman/storage/river/_async/runner.py by tools/unasync.py: change that file and run `make sync`.
"""What runs verbs: one connection in a thread on SQLite, a few of them on Postgres."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ferryman.storage.river.steps import Verb

__all__ = ["Runner"]

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

    def within(self, tx: Any, verb: Verb[T]) -> T:
        """Run a verb in the caller's own transaction.  Raises Unsupported for what is none of this database."""
        ...
