"""River's migrations: reads them, and says which to run.

A line is a series of versions with a name; the table river_migration says which of them a
database has (spec/river.md 1.1 to 1.4).  Line main is River's own, line ferryman holds our
side tables.  Nothing here touches a database.  Whoever does runs each migration in a
transaction of its own, and the record lies outermost, so that it always meets the form of
river_migration that it was written for:

    up      the statements of `up`, then bookkeeping_up
    down    bookkeeping_down, then the statements of `down`

Every statement, the bookkeeping included, goes through in_schema first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from sqlite3 import complete_statement
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from ferryman.errors import ConfigError, SchemaOutOfDate

__all__ = [
    "LINES",
    "Migration",
    "bookkeeping_down",
    "bookkeeping_up",
    "bundle",
    "in_schema",
    "line_of",
    "refuse_to_lose_lines",
    "to_apply",
    "to_revert",
]

LINES = ("main", "ferryman")

# The version of main from which on river_migration has a column for the line.
_LINES_SINCE = 5

_SCHEMA = "/* schema */"


class Migration(msgspec.Struct, frozen=True):
    """One version of a line, with the statements that lead to it and back."""

    line: str
    version: int
    name: str
    up: tuple[str, ...]
    down: tuple[str, ...]


@cache
def bundle(dialect: str) -> Mapping[str, tuple[Migration, ...]]:
    """Return every line of a dialect ("sqlite" or "postgres"), its migrations in ascending order."""
    root = files("ferryman.storage.river") / "migrations" / dialect
    split = _SPLIT[dialect]
    return MappingProxyType({line: _read(line, root if line == "main" else root / line, split) for line in LINES})


def line_of(dialect: str, name: str) -> tuple[Migration, ...]:
    """Return one line by its name; raises ConfigError, with the nearest name, where there is none."""
    lines = bundle(dialect)
    if name in lines:
        return lines[name]
    near = get_close_matches(name, LINES, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(LINES)}."
    raise ConfigError(f'There is no migration line "{name}". {hint}')


def in_schema(statement: str, schema: str | None) -> str:
    """Address a statement's tables in a schema, or wherever the connection finds them if it is None."""
    return statement.replace(_SCHEMA, f'"{schema}".' if schema else "")


def to_apply(
    line: Sequence[Migration],
    existing: Collection[int],
    *,
    target: int | None = None,
    max_steps: int | None = None,
) -> list[Migration]:
    """Return what to apply, in order: what is missing up to `target`, at most `max_steps` of it.

    `existing` are the versions that the database has.  No target means the newest version,
    no steps or −1 means no limit; a target that the database has is nothing to do.  Raises
    SchemaOutOfDate for an existing version that this bundle lacks, ConfigError for such a
    target (spec/river.md 1.4, steps 3 and 4).
    """
    _refuse_unknown_versions(line, existing)
    if target is None:
        target = line[-1].version
    _refuse_unknown_target(line, target, also=())
    if target in existing:
        return []
    missing = [each for each in line if each.version not in existing and each.version <= target]
    return _at_most(max_steps, missing)


def to_revert(
    line: Sequence[Migration],
    existing: Collection[int],
    *,
    target: int | None = None,
    max_steps: int | None = None,
) -> list[Migration]:
    """Return what to revert, newest first: one step, unless `target` or `max_steps` says otherwise.

    The target itself stays; 0 or −1 means everything, as −1 does for steps.  With a target and
    no steps there is no limit.  Raises as to_apply does (spec/river.md 1.4, steps 3 and 5).
    """
    _refuse_unknown_versions(line, existing)
    if target is None:
        target, max_steps = 0, 1 if max_steps is None else max_steps
    _refuse_unknown_target(line, target, also=(-1, 0))
    applied = [each for each in reversed(line) if each.version in existing and each.version > target]
    return _at_most(max_steps, applied)


def refuse_to_lose_lines(reverting: Iterable[Migration], recorded: Iterable[str]) -> None:
    """Raise ConfigError if these steps would lose what is recorded of a line other than main.

    `recorded` are the lines that river_migration has rows of.  Below version 5 of main it has
    no column for them: their tables would stay and nobody would know.  Postgres refuses this by
    itself, SQLite does not (spec/river.md 1.3).
    """
    others = sorted(set(recorded) - {"main"})
    if others and any(each.line == "main" and each.version == _LINES_SINCE for each in reverting):
        raise ConfigError(
            f"Reverting version {_LINES_SINCE} of line main would lose what is recorded of "
            f"{', '.join(others)}: the older river_migration has no place for other lines. Revert "
            "them first, with the tool that applied them; "
            "for ours run: ferryman migrate down --line ferryman --to 0"
        )


def bookkeeping_up(migration: Migration) -> str:
    """Return the statement that records a migration; run it after `up`."""
    line, version = migration.line, migration.version
    if line == "main" and version < _LINES_SINCE:
        return f"insert into {_SCHEMA}river_migration (version) values ({version})"
    return f"insert into {_SCHEMA}river_migration (line, version) values ('{line}', {version})"


def bookkeeping_down(migration: Migration) -> str:
    """Return the statement that removes a migration's record; run it before `down`."""
    line, version = migration.line, migration.version
    if line == "main" and version < _LINES_SINCE:
        return f"delete from {_SCHEMA}river_migration where version = {version}"
    if version == 1:
        # Nothing of the line is left then, so neither is any row (River 0.48, #1378).
        return f"delete from {_SCHEMA}river_migration where line = '{line}'"
    return f"delete from {_SCHEMA}river_migration where line = '{line}' and version = {version}"


def _read(line: str, folder: Traversable, split: _Split) -> tuple[Migration, ...]:
    ups = sorted(file.name for file in folder.iterdir() if file.name.endswith(".up.sql"))
    return tuple(_migration(line, folder, name.removesuffix(".up.sql"), split) for name in ups)


def _migration(line: str, folder: Traversable, stem: str, split: _Split) -> Migration:
    version, _, name = stem.partition("_")
    up, down = (split((folder / f"{stem}.{way}.sql").read_text(encoding="utf-8")) for way in ("up", "down"))
    return Migration(line, int(version), name.replace("_", " "), up, down)


def _each_statement(text: str) -> tuple[str, ...]:
    """Split at the semicolons that end a statement, which those inside a trigger do not."""
    found: list[str] = []
    pending = ""
    for row in text.splitlines(keepends=True):
        pending += row
        if complete_statement(pending):
            found.append(pending.strip())
            pending = ""
    return tuple(found)


def _all_at_once(text: str) -> tuple[str, ...]:
    """Leave a file whole: Postgres takes several statements in one text, and semicolons in functions besides."""
    return (text.strip(),)


_Split: TypeAlias = Callable[[str], tuple[str, ...]]

_SPLIT: Mapping[str, _Split] = {"sqlite": _each_statement, "postgres": _all_at_once}


def _refuse_unknown_versions(line: Sequence[Migration], existing: Collection[int]) -> None:
    unknown = sorted(set(existing) - {each.version for each in line})
    if unknown:
        raise SchemaOutOfDate(
            f"The database has version {unknown[-1]} of migration line {line[0].line}, and this ferryman "
            f"knows {line[0].version} to {line[-1].version}. A newer River or ferryman migrated it: "
            "upgrade ferryman."
        )


def _refuse_unknown_target(line: Sequence[Migration], target: int, *, also: Collection[int]) -> None:
    if target not in also and target not in {each.version for each in line}:
        raise ConfigError(
            f"Migration line {line[0].line} has no version {target} to stop at. "
            f"It has {line[0].version} to {line[-1].version}."
        )


def _at_most(max_steps: int | None, migrations: list[Migration]) -> list[Migration]:
    return migrations if max_steps is None or max_steps < 0 else migrations[:max_steps]
