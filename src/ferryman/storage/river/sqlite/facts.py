"""What a SQLite file says of itself: how it is written, and how large it is."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from ferryman.facts import Fact, Unit
from ferryman.storage.river.sqlite.location import Location
from ferryman.storage.river.steps import Script, Verb
from ferryman.storage.river.verbs.facts import leader, migrations

__all__ = ["facts"]

_SYNCHRONOUS = ("off", "normal", "full", "extra")


def facts(location: Location) -> Verb[list[Fact]]:
    """Return what is known of a file, on the connection that writes."""
    version = yield from _said("select sqlite_version()")
    busy = yield from _said("pragma busy_timeout")
    journal = yield from _said("pragma journal_mode")
    synchronous = yield from _said("pragma synchronous")
    pages, size = (yield from _said("pragma page_count")), (yield from _said("pragma page_size"))
    free = yield from _said("pragma freelist_count")
    return [
        Fact("server", "version", f"SQLite {version}"),
        *(yield from leader()),
        Fact("file", "journal mode", journal),
        Fact("file", "synchronous", _SYNCHRONOUS[synchronous]),
        Fact("file", "busy timeout", busy / 1000, Unit.SECONDS),
        Fact("file", "database", pages * size, Unit.BYTES),
        *_written_ahead(location),
        Fact("file", "free pages", free, most=pages),
        *(yield from migrations("sqlite")),
    ]


def _said(text: str) -> Verb[Any]:
    ((answer,),) = yield Script([text])
    return answer


def _written_ahead(location: Location) -> list[Fact]:
    """Return how large the write-ahead log is; what is in memory has none."""
    if not location.path:
        return []
    size = 0
    with suppress(FileNotFoundError):  # SQLite takes it away when the last connection closes
        size = Path(f"{location.path}-wal").stat().st_size
    return [Fact("file", "WAL", size, Unit.BYTES)]
