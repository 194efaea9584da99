"""How a verb talks to a database: it yields steps and receives rows.

A verb such as fetch or finish is a generator.  It yields `Query` and `Batch`, a runner
executes each on a connection and sends the rows back in, and what the verb returns is
the answer.  So a verb is written once for async and sync, for our own connection and
for the caller's transaction, and it never sees a driver.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from ferryman.errors import StorageError

__all__ = ["Batch", "Conflict", "Query", "Row", "Script", "Verb"]

T = TypeVar("T")

Row = tuple[Any, ...]


class Query(msgspec.Struct, frozen=True):
    """Run one named statement; the answer is its rows."""

    name: str
    values: Mapping[str, Any] = {}


class Batch(msgspec.Struct, frozen=True):
    """Run one named statement for each set of values; the answer has one row, or None, for each."""

    name: str
    values: Sequence[Mapping[str, Any]]


class Script(msgspec.Struct, frozen=True):
    """Run these texts one after another, outside the named statements: migrations are made of such.

    The answer is the rows of the last.
    """

    texts: Sequence[str]
    values: Mapping[str, Any] = {}


Verb = Generator[Query | Batch | Script, Any, T]
"""What a verb is: yields steps, receives rows, returns its answer."""


class Conflict(StorageError):
    """A unique index refused the row.  Like every StorageError it is raised inside the verb, which may know why."""
