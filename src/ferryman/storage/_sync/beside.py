# Generated from src/ferryman/storage/_async/beside.py by tools/unasync.py: change that file and run `make sync`.
"""What stands beside jobs, queues and workers: groups of jobs, the notebook, the tables and their health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ferryman.aggregation import GroupRules
from ferryman.facts import Fact
from ferryman.findings import Finding
from ferryman.job import Inserted, NewJob
from ferryman.storage.values import Gathered, LineStatus, Note, Retention
from ferryman.storage.way import Step

__all__ = ["Groups", "Health", "Notebook", "Schema", "Semaphores"]


class Groups(Protocol):
    """Jobs that are gathered and made into one."""

    def gather(self, queue: str, rules: GroupRules, *, now: datetime | None = None) -> list[Gathered]:
        """Set aside the jobs of each group of this queue that is due."""
        ...

    def replace(self, gathered: Gathered, job: NewJob, *, now: datetime | None = None) -> Inserted:
        """Store the job that a group was made into, and delete those it was made from."""
        ...


class Semaphores(Protocol):
    """Tokens that running jobs hold, so many of each scope."""

    def acquire(self, scope: str, holder: str, *, most: int, until: datetime, now: datetime | None = None) -> bool:
        """Take one of `most` tokens until then, or keep the one that this holder has; False when none is free."""
        ...

    def release(self, scope: str, holder: str) -> None:
        """Give a token back; nothing happens where this holder has none."""
        ...


class Notebook(Protocol):
    """Notes of ferryman's own, which Go's tools neither read nor write (design.md 3).

    A page of the notebook holds notes by name.  All of them may be gone at any moment,
    and nothing but what they say may be lost with them.  Where a database has no place for
    notes, everything here raises SchemaOutOfDate, but for `prune`.
    """

    def read(self, pages: Sequence[str], *, now: datetime | None = None) -> Sequence[Mapping[str, str]]:
        """Return the notes of each of these pages, by name."""
        ...

    def write(self, notes: Sequence[Note], *, now: datetime | None = None) -> None:
        """Write notes, each in the place of the one that had its name."""
        ...

    def claim(self, note: Note, *, now: datetime | None = None) -> str:
        """Write a note unless there is one of its name, and return what is written there now."""
        ...

    def erase(self, page: str, names: Sequence[str]) -> None:
        """Strike out notes of a page."""
        ...

    def prune(self, *, now: datetime | None = None) -> None:
        """Throw away notes past their time."""
        ...


class Schema(Protocol):
    """The tables, where there are any."""

    def status(self) -> list[LineStatus]:
        """Say where each line of migrations stands."""
        ...

    def migrate(
        self,
        line: str,
        *,
        up: bool,
        target: int | None = None,
        max_steps: int | None = None,
        statement_timeout: float | None = None,
    ) -> list[str]:
        """Apply or revert migrations, each in its own transaction, and name those that were.  Raises ConfigError.

        A statement that takes longer than `statement_timeout` seconds is ended, where the database can do that;
        0 is no limit, None the session's own.
        """
        ...

    def indexes(self) -> Sequence[str]:
        """Return the names of all indexes beside the jobs."""
        ...

    def reindex(self, name: str) -> None:
        """Build an index anew, without keeping others from it where the database can.  Raises StorageError."""
        ...

    def drop_index(self, name: str) -> None:
        """Drop an index, such as one that a rebuild left half done."""
        ...

    def check(self) -> None:
        """Raise SchemaOutOfDate when this version of ferryman cannot work here."""
        ...


class Health(Protocol):
    """How the storage is, for whoever has to run it."""

    def check_queue(self, name: str) -> None:
        """Raise InvalidJob for a name that the format's clients refuse, though workers and jobs may be there."""
        ...

    def way(self) -> Sequence[Step]:
        """Say what came of each step on the way to it, over connections of its own, up to the first that fails."""
        ...

    def check(self, *, production: bool, keep: Retention | None = None, now: datetime | None = None) -> list[Finding]:
        """Look for what may lose, delay or hide jobs; what is not allowed to be looked at is a warning.

        `keep` is how long whoever asks believes that jobs are kept; without, as long as by default.
        """
        ...

    def facts(self) -> list[Fact]:
        """Return what the storage says of itself; what may not be read says so, and keeps nothing else back."""
        ...
