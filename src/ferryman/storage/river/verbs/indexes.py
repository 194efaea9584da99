"""Rebuilding indexes, which grow with every job that ends (spec/river.md 6.7)."""

from __future__ import annotations

from ferryman.storage.river.bundle import in_schema
from ferryman.storage.river.steps import Query, Script, Verb

__all__ = ["drop", "list_indexes", "rebuild"]

_REBUILD = {"postgres": "reindex index concurrently", "sqlite": "reindex"}
_DROP = {"postgres": "drop index concurrently if exists", "sqlite": "drop index if exists"}


def list_indexes() -> Verb[list[str]]:
    """Return the names of the indexes beside the jobs."""
    rows = yield Query("indexes")
    return [row[0] for row in rows]


def rebuild(dialect: str, name: str, *, schema: str | None) -> Verb[None]:
    """Build an index anew.  On Postgres this must stand outside any transaction."""
    yield Script([_about(_REBUILD[dialect], name, schema)])


def drop(dialect: str, name: str, *, schema: str | None) -> Verb[None]:
    """Drop an index, if it is there.  On Postgres this must stand outside any transaction."""
    yield Script([_about(_DROP[dialect], name, schema)])


def _about(command: str, name: str, schema: str | None) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return in_schema(f"{command} /* schema */{quoted}", schema)
