"""Every error that ferryman raises, chosen by what the caller would do next.

    FerrymanError
    ├── ConfigError               a setting is missing or wrong; says which, and where it came from
    ├── MissingExtra              an optional package is not installed; says what to type   (also ImportError)
    ├── InvalidJob                these arguments or options cannot be enqueued             (also ValueError)
    ├── InvalidArguments          a stored job's arguments do not fit its task              (also ValueError)
    ├── DuplicateJob              a unique job is already there; carries it
    ├── WrongState                the job is in a state that does not allow this; nothing changed
    ├── JobNotFound, QueueNotFound, ScheduleNotFound, BulkNotFound                          (also LookupError)
    ├── UnknownTask               no task of that kind here; lists the ones there are       (also LookupError)
    ├── StorageError              the store said no
    │   ├── StorageUnavailable    … or did not answer: worth trying again
    │   ├── Forbidden             … to whom the URL names: a right is missing
    │   └── SchemaOutOfDate       run the migration it names
    └── Unsupported               this storage cannot keep such an option; says which can

Every message says what happened, the value, and what to do next.  The values are on
the error too, so that code never reads the sentence.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "BulkNotFound",
    "ConfigError",
    "DuplicateJob",
    "FerrymanError",
    "Forbidden",
    "InvalidArguments",
    "InvalidJob",
    "JobNotFound",
    "MissingExtra",
    "QueueNotFound",
    "ScheduleNotFound",
    "SchemaOutOfDate",
    "StorageError",
    "StorageUnavailable",
    "UnknownTask",
    "Unsupported",
    "WrongState",
]


class FerrymanError(Exception):
    """The root: catch it to catch everything that ferryman raises on purpose."""


class ConfigError(FerrymanError):
    """A setting, a URL or a task declaration is missing or wrong."""


class MissingExtra(FerrymanError, ImportError):
    """An optional package is not installed."""

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(f'{what} Run: pip install "ferryman[{extra}]"')
        self.extra = extra


class InvalidJob(FerrymanError, ValueError):
    """These arguments or options cannot be enqueued; nothing was stored."""


class InvalidArguments(FerrymanError, ValueError):
    """The arguments that a stored job carries do not fit the task of its kind."""


class DuplicateJob(FerrymanError):
    """A job with this id is already there."""

    def __init__(self, message: str, *, ref: object) -> None:
        super().__init__(message)
        self.ref = ref


class WrongState(FerrymanError):
    """The job is in a state that does not allow this; nothing was changed."""

    def __init__(self, message: str, *, state: str) -> None:
        super().__init__(message)
        self.state = state


class JobNotFound(FerrymanError, LookupError):
    """No job has this address."""

    def __init__(self, ref: object) -> None:
        super().__init__(f"There is no job {ref}. It may have been deleted, or cleaned up after its retention.")
        self.ref = ref


class QueueNotFound(FerrymanError, LookupError):
    """No queue has this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = sorted(known)
        there = f"There are: {', '.join(self.known)}." if self.known else "No queue has been used yet."
        super().__init__(f'There is no queue "{name}". {there}')


class ScheduleNotFound(FerrymanError, LookupError):
    """Nothing of this id is enqueued by the clock."""

    def __init__(self, id: str, known: Iterable[str]) -> None:
        self.id = id
        self.known = sorted(known)
        there = f"There are: {', '.join(self.known)}." if self.known else "No worker that is alive has any."
        super().__init__(f'There is no schedule "{id}". {there}')


class BulkNotFound(FerrymanError, LookupError):
    """No bulk operation has this id."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(f'There is no bulk operation "{id}". They are kept for seven days; see: ferryman bulk list')


class UnknownTask(FerrymanError, LookupError):
    """No task of this kind is registered here."""

    def __init__(self, kind: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.known = sorted(known)
        names = f"It knows {', '.join(self.known)}." if self.known else "It knows no task at all."
        super().__init__(f'No task is called "{kind}" in this program. {names} Import the module that defines it.')


class StorageError(FerrymanError):
    """The store refused or failed; trying the same again is not expected to help."""


class StorageUnavailable(StorageError):
    """The store did not answer; trying again later is worth it."""


class Forbidden(StorageError):
    """The user that logs in to the storage lacks a right."""


class SchemaOutOfDate(StorageError):
    """The database's schema is older or newer than this version of ferryman needs."""


class Unsupported(FerrymanError):
    """This storage cannot keep what was asked; nothing was stored."""
