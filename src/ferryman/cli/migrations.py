"""The migrations: which there are, which would be run, and their SQL for another tool to run.

It holds the record of each migration too, so that ferryman and River's own tools know
afterwards what the database has (spec/river.md 1.4 and 1.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from ferryman.cli.output import Listing, Row
from ferryman.cli.times import Times
from ferryman.errors import ConfigError
from ferryman.redaction import without_password
from ferryman.storage.river.bundle import (
    Migration,
    bookkeeping_down,
    bookkeeping_up,
    in_schema,
    line_of,
    to_apply,
    to_revert,
)
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.rules import check_schema
from ferryman.storage.values import LineStatus

__all__ = ["DIALECTS", "SQL", "known", "place_of", "planned", "texts", "with_schema"]

DIALECTS = ("postgres", "sqlite")


def _lines(text: Row, times: Times) -> Iterator[str]:
    yield f"-- Migration {text['version']:03d} of line {text['line']}, {text['way']}: {text['name']}."
    yield f"{text['sql']}\n"


SQL = Listing[Row](lambda text: text, lambda text: f"{text['line']} {text['version']:03d}", lines=_lines)


def known(url: str, lines: Sequence[LineStatus]) -> Iterator[tuple[str, str, bool]]:
    """Return every migration of these lines with its name, and whether the database has it."""
    for line in lines:
        for each in line_of(place_of(url)[0], line.line):
            yield line.line, _title(each), each.version not in line.pending


def planned(
    url: str, line: LineStatus, *, up: bool, target: int | None, max_steps: int | None
) -> list[tuple[str, str]]:
    """Return what migrating would do, in its order.  Raises as migrating does."""
    there = line_of(place_of(url)[0], line.line)
    applied = {each.version for each in there if each.version not in line.pending} | ({line.version} - {0})
    choose = to_apply if up else to_revert
    return [(line.line, _title(each)) for each in choose(there, applied, target=target, max_steps=max_steps)]


def _title(migration: Migration) -> str:
    return f"{migration.version:03d} {migration.name}"


def place_of(url: str) -> tuple[str, str | None]:
    """Return the dialect of the database that a URL names, and its schema.  Raises ConfigError without tables."""
    scheme = url.partition("://")[0].partition("+")[0]
    if scheme == "sqlite":
        return "sqlite", None
    if scheme in ("postgres", "postgresql"):
        return "postgres", Location.parse(url).schema
    raise ConfigError(
        f"{without_password(url)} has no tables, and so no migrations. "
        f"Say of which database: --dialect {' or '.join(DIALECTS)}."
    )


def with_schema(url: str, schema: str) -> str:
    """Return the URL of the same database, with the tables in this schema.  Raises ConfigError."""
    check_schema(schema, "--schema")
    if place_of(url)[0] != "postgres":
        raise ConfigError(f"--schema is for Postgres, and jobs are kept in {without_password(url)}. Leave it out.")
    parts = urlsplit(url)
    options = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "schema"]
    return parts._replace(query=urlencode([*options, ("schema", schema)], quote_via=quote)).geturl()


def texts(
    dialect: str, lines: Sequence[str], versions: Sequence[int], *, down: bool, schema: str | None
) -> Iterator[Row]:
    """Return each migration's SQL in the order to run it; no versions means all.  Raises ConfigError."""
    for name in reversed(lines) if down else lines:
        for migration in _chosen(line_of(dialect, name), versions, down=down):
            yield {
                "line": name,
                "version": migration.version,
                "name": migration.name,
                "way": "down" if down else "up",
                "sql": in_schema("\n\n".join(_down(migration) if down else _up(migration)), schema),
            }


def _chosen(line: Sequence[Migration], versions: Sequence[int], *, down: bool) -> Sequence[Migration]:
    unknown = sorted(set(versions) - {each.version for each in line})
    if unknown:
        raise ConfigError(
            f"Migration line {line[0].line} has no version {unknown[0]}. "
            f"It has {line[0].version} to {line[-1].version}."
        )
    chosen = [each for each in line if not versions or each.version in versions]
    return chosen[::-1] if down else chosen


def _up(migration: Migration) -> list[str]:
    return [*migration.up, f"{bookkeeping_up(migration)};"]


def _down(migration: Migration) -> list[str]:
    return [f"{bookkeeping_down(migration)};", *migration.down]
