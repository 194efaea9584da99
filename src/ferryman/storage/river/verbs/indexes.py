"""Rebuilding indexes, which grow with every job that ends (spec/river.md 6.7)."""

from __future__ import annotations

import re

from ferryman.storage.river.bundle import bundle, in_schema
from ferryman.storage.river.steps import Query, Script, Verb

__all__ = ["drop", "list_indexes", "mending", "rebuild"]

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


def mending(name: str, *, is_there: bool, schema: str | None) -> str:
    """Return the statement that makes an index of the jobs' table valid on Postgres, while others work.

    It is empty for an index that no migration names, as that of a primary key.
    """
    if is_there:
        return _about(_REBUILD["postgres"], name, schema) + ";"
    texts = "\n".join(text for migration in bundle("postgres")["main"] for text in migration.up)
    made = re.findall(rf"create (unique )?index (?:if not exists )?{name}\s+(on [^;]+);", texts)
    if not made:
        return ""
    unique, rest = made[-1]
    return in_schema(f"create {unique}index concurrently {name} {' '.join(rest.split())};", schema)


def _about(command: str, name: str, schema: str | None) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return in_schema(f"{command} /* schema */{quoted}", schema)
