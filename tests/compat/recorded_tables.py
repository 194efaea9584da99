"""River's tables, recorded and ours, as plain values that can be compared.

What differs from run to run is taken out: times are equal when they are near, a nonce is
known by its place, of a trace only its presence counts.  All else must be the same, the
types that SQLite stores included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ferryman.storage.river.times import parse_time

__all__ = ["JSON_COLUMNS", "Row", "Tables", "differences", "plain"]

Row = dict[str, Any]
Tables = dict[str, list[Row]]
"""Table → rows → column → the value, JSON decoded.

Arguments are compared as they are stored, in SQLite's bytes or Postgres' text: the recording rounded
large numbers when it decoded them.
"""

JSON_COLUMNS = frozenset({"attempted_by", "errors", "metadata", "tags"})
"""What SQLite stores as blobs that are decoded here; Postgres has types for it."""

_KEYS = {"river_job": "id", "river_leader": "name", "river_notification": "id", "river_queue": "name"}
_SQLITE_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")
_POSTGRES_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00")
_JSON_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
_NONCE = re.compile(r"[0-9a-f]{16}")


def plain(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Tables:
    """Return recorded tables as plain values."""
    return {
        table: [{name: _recorded_value(name, cell) for name, cell in _cells(row)} for row in rows]
        for table, rows in tables.items()
    }


def _cells(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "json" not in row:
        return iter(row.items())
    return ((name, {"postgres": value, "text": row["text"][name]}) for name, value in row["json"].items())


def _recorded_value(name: str, cell: Mapping[str, Any]) -> Any:
    if "postgres" in cell:
        return cell["text"] if name == "args" else cell["postgres"]
    match cell["typeof"]:
        case "integer":
            return int(cell["text"])
        case "blob":
            return cell["jsonb_as_json"] if name in JSON_COLUMNS else bytes.fromhex(cell["hex"])
    return cell["text"]


def differences(ours: Tables, theirs: Tables, *, within: timedelta, shift: timedelta = timedelta(0)) -> str:
    """Say, a line for each, where stored tables differ from recorded ones; nothing when they do not.

    The recorded times, shifted, are equal to any that are this near.  What was recorded of a table
    decides whether it is looked at.
    """
    mine, expected = _Reader(_written_time), _Reader(lambda text: _Near(parse_time(text), shift, within))
    return "\n".join(
        line
        for table in _KEYS
        if table in theirs
        for line in _differences(table, mine.rows(table, ours[table]), expected.rows(table, theirs[table]))
    )


def _differences(table: str, ours: dict[Any, Row], theirs: dict[Any, Row]) -> Iterator[str]:
    if ours.keys() != theirs.keys():
        yield f"{table} has {sorted(ours)}, recorded is {sorted(theirs)}"
    for key, row in theirs.items():
        mine = ours.get(key, row)
        for column in sorted({*row, *mine}):
            we, they = mine.get(column), row.get(column)
            if we != they or (type(we) is not type(they) and not isinstance(they, _Near)):
                yield f"{table} {key} {column} is {we!r}, recorded is {they!r}"


def _written_time(text: str) -> datetime | str | None:
    """Read a time that we wrote; in any other shape than River's since 0.44 it stays text, equal to no time.

    SQLite's columns have three fraction digits (spec/river-conformance.md 5.1), JSON has RFC 3339 in UTC.
    """
    known = any(shape.fullmatch(text) for shape in (_SQLITE_TIME, _POSTGRES_TIME, _JSON_TIME))
    return parse_time(text) if known else text


class _Near:
    """A recorded time, equal to what is near enough."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, at: datetime | None, shift: timedelta, within: timedelta) -> None:
        assert at is not None
        self.at = at + shift
        self.within = within

    def __eq__(self, other: object) -> bool:
        return isinstance(other, datetime) and abs(self.at - other) <= self.within

    def __repr__(self) -> str:
        return f"{self.at} ± {self.within}"


class _Reader:
    """Reads rows in the order of their keys."""

    def __init__(self, time: Callable[[str], Any]) -> None:
        self._time = time
        self._nonces: list[str] = []

    def rows(self, table: str, rows: list[Row]) -> dict[Any, Row]:
        found = {row[_KEYS[table]]: row for row in rows}
        return {key: {name: self._value(name, value) for name, value in found[key].items()} for key in sorted(found)}

    def _value(self, name: str, value: Any) -> Any:
        if value is None:
            return None
        if name.endswith("_at"):
            return self._time(value)
        if name == "metadata":
            return {key: self._metadata(key, inner) for key, inner in value.items()}
        if name == "errors":
            return [{**error, "at": self._time(error["at"]), "trace": bool(error["trace"])} for error in value]
        return value

    def _metadata(self, key: str, value: Any) -> Any:
        if key == "cancel_attempted_at":
            return self._time(value)
        if key == "river:unique_nonce" and _NONCE.fullmatch(value):
            # All jobs of one call share one: the first that is seen is 0, the next 1.
            if value not in self._nonces:
                self._nonces.append(value)
            return self._nonces.index(value)
        return value
