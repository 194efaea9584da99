"""Migrating, and refusing to work on a schema that does not fit (spec/river.md 1.4)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ferryman.errors import SchemaOutOfDate, StorageError
from ferryman.storage.river.bundle import (
    LINES,
    Migration,
    bookkeeping_down,
    bookkeeping_up,
    bundle,
    in_schema,
    line_of,
    refuse_to_lose_lines,
    to_apply,
    to_revert,
)
from ferryman.storage.river.steps import OutOfTime, Query, Row, Script, Verb
from ferryman.storage.values import LineStatus

__all__ = ["OLDEST", "applied", "apply_next", "check", "create", "revert_next", "status"]

OLDEST = 7
"""The version of River's line that our statements need; 8 is as good."""


def applied() -> Verb[dict[str, list[int]]]:
    """Return the versions that each line has; a database without any is empty."""
    if not (yield Query("has_migrations")):
        return {}
    lines = yield Query("has_lines")
    rows: list[Row] = yield Query("migrations" if lines else "old_migrations")
    found: dict[str, list[int]] = {}
    for line, version in rows:
        found.setdefault(line, []).append(version)
    return found


def status(dialect: str) -> Verb[list[LineStatus]]:
    """Say where each of our lines stands."""
    there = yield from applied()
    found = []
    for line in LINES:
        versions, known = there.get(line, []), bundle(dialect)[line]
        pending = tuple(each.version for each in known if each.version not in versions)
        found.append(LineStatus(line, max(versions, default=0), known[-1].version, pending))
    return found


def check(dialect: str) -> Verb[None]:
    """Raise SchemaOutOfDate unless our statements fit what is there."""
    there = yield from applied()
    main = there.get("main", [])
    to_apply(bundle(dialect)["main"], main)  # refuses versions that nobody here knows
    if not main:
        raise SchemaOutOfDate("The database has no tables for jobs yet. Run: ferryman migrate up")
    if max(main) < OLDEST:
        raise SchemaOutOfDate(
            f"The database is at River migration {max(main)} and ferryman needs {OLDEST}. Run: ferryman migrate up"
        )


def create(dialect: str) -> Verb[None]:
    """Give a new database its tables, all in one transaction: whoever else opens it meets none of them or all.

    Not on Postgres, where these migrations cannot share a transaction (spec/river.md 1.4).
    """
    if (yield from applied()):
        return
    for line in LINES:
        while (yield from apply_next(dialect, line, target=None)):
            pass


def apply_next(
    dialect: str, line: str, *, target: int | None, schema: str | None = None, statement_timeout: float | None = None
) -> Verb[Migration | None]:
    """Apply the next missing migration, if there is one; run it in a transaction of its own."""
    yield Query("lock_migrations")
    there = yield from applied()
    missing = to_apply(line_of(dialect, line), there.get(line, []), target=target, max_steps=1)
    if not missing:
        return None
    (migration,) = missing
    texts = [in_schema(text, schema) for text in (*migration.up, bookkeeping_up(migration))]
    yield from _run(migration, [*_limit(dialect, statement_timeout), *texts])
    return migration


def revert_next(
    dialect: str, line: str, *, target: int | None, schema: str | None = None, statement_timeout: float | None = None
) -> Verb[Migration | None]:
    """Revert the newest migration above the target, if there is one; run it in a transaction of its own."""
    yield Query("lock_migrations")
    there = yield from applied()
    above = to_revert(line_of(dialect, line), there.get(line, []), target=target, max_steps=1)
    if not above:
        return None
    (migration,) = above
    refuse_to_lose_lines([migration], there)
    texts = [in_schema(text, schema) for text in (bookkeeping_down(migration), *migration.down)]
    yield from _run(migration, [*_limit(dialect, statement_timeout), *texts])
    return migration


def _limit(dialect: str, statement_timeout: float | None) -> list[str]:
    """Return what limits the statements that follow: waiting for another migrator before them is no fault of theirs."""
    if statement_timeout is None or dialect != "postgres":
        return []
    return [f"set local statement_timeout = {math.ceil(statement_timeout * 1000)}"]


def _run(migration: Migration, texts: Sequence[str]) -> Verb[None]:
    try:
        yield Script(texts)
    except OutOfTime as error:
        raise StorageError(
            f"Migration {migration.version:03d} of line {migration.line} was undone: one of its statements took too "
            f"long, or waited too long for whoever uses the tables. {error} "
            "Give it more time with --statement-timeout 10m; 0 is no limit."
        ) from error
