"""What SQLite's errors mean to us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ferryman.errors import SchemaOutOfDate, StorageError, StorageUnavailable
from ferryman.storage.river.sqlite.library import BUSY_SECONDS, library
from ferryman.storage.river.steps import Conflict

__all__ = ["translated"]


@contextmanager
def translated(where: object = "the database") -> Iterator[None]:
    """Turn the driver's errors into ours."""
    sqlite = library()
    try:
        yield
    except sqlite.IntegrityError as error:
        if "UNIQUE" in str(error):
            raise Conflict(f"SQLite refused a second row of the same key: {error}.") from error
        raise StorageError(f"SQLite refused the row: {error}. Nothing was stored.") from error
    except sqlite.OperationalError as error:
        raise _operational(error, where) from error
    except (sqlite.Error, sqlite.Warning) as error:
        other = " Name another file, or one that is not there yet." if "not a database" in str(error) else ""
        raise StorageError(f"SQLite failed on {where}: {error}.{other}") from error


def _operational(error: Exception, where: object) -> StorageError:
    text = str(error)
    if "no such table" in text or "no such column" in text:
        return SchemaOutOfDate(
            f"The database has not the tables that ferryman needs ({text}). Run: ferryman migrate up"
        )
    if "malformed JSON" in text:
        return StorageError(f"SQLite met a value that is not JSON ({text}). Nothing was changed.")
    if "unable to open" in text:
        return StorageUnavailable(f"{where} cannot be opened: {text}. Is there such a folder, and may we write to it?")
    if "readonly" in text:
        return StorageUnavailable(
            f"SQLite may only read {where} ({text}). Let the user that runs this write the file and its folder."
        )
    if "locked" in text or "busy" in text:
        return StorageUnavailable(
            f"{where} was kept locked for over {BUSY_SECONDS:.0f} s by a transaction, of another program or this one "
            f"({text}). End it sooner; and before the first one make the tables: ferryman migrate up"
        )
    return StorageUnavailable(f"SQLite failed on {where}: {text}.")
