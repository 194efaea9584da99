"""River's tables, as SQL sees them."""

from __future__ import annotations

import json
from typing import Any

from ferryman.job import JobRef
from ferryman.storage.river.sqlite.library import library

__all__ = ["change", "connected", "decoded", "notifications", "row"]


def connected(path: str) -> Any:
    """Return a connection as another program has it; rows are mappings, and each statement commits."""
    connection = library().connect(path, isolation_level=None)
    connection.row_factory = library().Row
    return connection


def row(db: Any, ref: JobRef) -> dict[str, Any]:
    """Return a job's columns as they are stored."""
    return dict(db.execute("select * from river_job where id = ?", (ref.id,)).fetchone())


def decoded(db: Any, ref: JobRef, column: str) -> Any:
    """Return what a JSON column holds."""
    (text,) = db.execute(f"select json({column}) from river_job where id = ?", (ref.id,)).fetchone()
    return None if text is None else json.loads(text)


def change(db: Any, ref: JobRef, **columns: Any) -> None:
    """Write columns of a job as another program might: a value that is a str or bytes goes in as it is."""
    for name, value in columns.items():
        db.execute(f"update river_job set {name} = ? where id = ?", (value, ref.id))


def notifications(db: Any) -> list[tuple[str, Any]]:
    """Return topic and payload of all that was told, in order."""
    rows = db.execute("select topic, payload from river_notification order by id")
    return [(topic, json.loads(payload)) for topic, payload in rows]
