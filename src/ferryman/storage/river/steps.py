"""How a verb talks to a database: it yields steps and receives rows.

A verb such as fetch or finish is a generator.  It yields `Query` and `Batch`, a runner
executes each on a connection and sends the rows back in, and what the verb returns is
the answer.  So a verb is written once for async and sync, for our own connection and
for the caller's transaction, and it never sees a driver.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Literal, TypeVar

import msgspec

from ferryman.errors import StorageError, StorageUnavailable

__all__ = [
    "NOW",
    "Batch",
    "Conflict",
    "Marks",
    "OutOfTime",
    "Query",
    "Row",
    "Script",
    "Search",
    "Step",
    "Stream",
    "Values",
    "Verb",
]

T = TypeVar("T")

Row = tuple[Any, ...]

Values = Mapping[str, Any]
"""What a statement is given, by name: text, numbers, bytes, times with a zone, and lists and dicts, which become JSON.

Tuples are what a column is compared with.  Each database writes them in its own way; a verb does not care.
"""


class _Now(Enum):
    NOW = "now"


NOW = _Now.NOW
"""A time that the database's own clock gives: whatever many programs compare must not depend on theirs."""


class Query(msgspec.Struct, frozen=True):
    """Run one named statement; the answer is its rows."""

    name: str
    values: Values = {}
    tells: Sequence[Values] = ()
    """What everybody is told with it, as `notify` has it: by the same statement where the database can."""


class Search(Query, frozen=True):
    """A query whose best plan depends on its values, so that it is planned anew each time."""


class Batch(msgspec.Struct, frozen=True):
    """Run one named statement for each set of values; the answer has one row, or None, for each."""

    name: str
    values: Sequence[Values]
    tells: Sequence[Values] = ()


class Stream(msgspec.Struct, frozen=True):
    """Run one named statement for each of these, made while the one before is under way; the answer is all their rows.

    Without a transaction around it, what comes before a failure has happened.
    """

    name: str
    loads: Iterable[Values]
    tells: Sequence[Values] = ()

    def queries(self) -> Iterator[Query]:
        """Give the statements one by one; the first one tells."""
        tells = self.tells
        for values in self.loads:
            yield Query(self.name, values, tells)
            tells = ()


class Script(msgspec.Struct, frozen=True):
    """Run these texts one after another, outside the named statements: migrations are made of such.

    The answer is the rows of the last, if it gives any.
    """

    texts: Sequence[str]


Marks = Literal["all", "unique", "none"]
"""Which new rows carry a mark by which River's own clients tell them from those that were there."""

Step = Query | Batch | Stream | Script

Verb = Generator[Step, Any, T]
"""What a verb is: yields steps, receives rows, returns its answer."""


class Conflict(StorageError):
    """A unique index refused the row.  Like every StorageError it is raised inside the verb, which may know why."""


class OutOfTime(StorageUnavailable):
    """The server ended a statement: it took longer than it may, or somebody cancelled it."""
