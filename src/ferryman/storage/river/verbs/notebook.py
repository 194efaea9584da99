"""The notebook, in a side table of our own; a database that only River's own tools have migrated is without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from ferryman.errors import SchemaOutOfDate
from ferryman.storage.river.steps import Batch, Query, Row, Verb
from ferryman.storage.values import Note

__all__ = ["claim", "erase", "prune_notes", "read", "write"]


def read(pages: Sequence[str], *, now: datetime | None) -> Verb[list[Mapping[str, str]]]:
    """Return the notes of each of these pages."""
    rows: list[Row] = yield Query("notes", {"pages": list(pages), "now": now or datetime.now(UTC)})
    found: dict[str, dict[str, str]] = {page: {} for page in pages}
    for page, name, text in rows:
        found[page][name] = text
    return [found[page] for page in pages]


def write(notes: Sequence[Note], *, now: datetime | None) -> Verb[None]:
    """Write notes, each in the place of the one before."""
    at = now or datetime.now(UTC)
    yield Batch("note", [_values(note, at) for note in notes])


def claim(note: Note, *, now: datetime | None) -> Verb[str]:
    """Write a note unless there is one."""
    at = now or datetime.now(UTC)
    rows: list[Row] = yield Query("claim_note", {**_values(note, at), "now": at})
    return str(rows[0][0])


def erase(page: str, names: Sequence[str]) -> Verb[None]:
    """Strike out notes."""
    yield Query("erase_notes", {"page": page, "names": list(names)})


def prune_notes(*, now: datetime | None) -> Verb[None]:
    """Throw away what nobody reads any more."""
    with suppress(SchemaOutOfDate):
        yield Query("prune_notes", {"now": now or datetime.now(UTC)})


def _values(note: Note, at: datetime) -> dict[str, Any]:
    return {"page": note.page, "name": note.name, "text": note.text, "expires_at": at + note.keep}
