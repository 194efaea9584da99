"""The way to a SQLite file: its folder, the file, and whether it opens as a database."""

from __future__ import annotations

import os
from contextlib import closing
from functools import partial
from pathlib import Path

from ferryman.errors import StorageError
from ferryman.storage.river.sqlite.failures import translated
from ferryman.storage.river.sqlite.location import Location
from ferryman.storage.way import Blocked, Step, walk

__all__ = ["way"]


def way(location: Location) -> list[Step]:
    """Take the way to the file, as far as it goes; there is none to what is in memory."""
    if not location.path:
        return []
    file = Path(location.path)
    folder, there, opened = partial(_folder, file.parent), partial(_file, file), partial(_open, location)
    return walk([("folder", folder), ("file", there), ("open", opened)])


def _folder(folder: Path) -> str:
    shown = folder.resolve()
    if not folder.is_dir():
        raise Blocked(f"there is no folder {shown}", f"mkdir -p {shown}")
    # SQLite makes two more files beside the database.
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Blocked(f"we may not write into the folder {shown}", f"ls -ld {shown}")
    return str(shown)


def _file(file: Path) -> str:
    if not file.exists():
        return f"{file.name} is not there yet, and is made when it is used"
    if not file.is_file():
        raise Blocked(f"{file.resolve()} is no file")
    if not os.access(file, os.R_OK | os.W_OK):
        raise Blocked(f"we may not read and write {file.resolve()}", f"ls -l {file.resolve()}")
    return f"{file.name}, {file.stat().st_size:,} bytes"


def _open(location: Location) -> str:
    if not Path(location.path).exists():
        return "nothing to open yet"
    try:
        with closing(location.open()) as connection, translated(location):
            (tables,) = connection.execute("select count(*) from sqlite_schema where type = 'table'").fetchone()
    except StorageError as error:
        raise Blocked(str(error)) from error
    return f"a database of {tables} tables"
