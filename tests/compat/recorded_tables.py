"""River's tables, recorded and ours, as values that can be compared.

What differs from run to run is taken out: times are equal when they are near, a nonce is
known by its place, of a trace only its presence counts.  All else must be the same, the
types that SQLite stores included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ferryman.storage.river.rows import parse_time
from ferryman.storage.river.sqlite import library

__all__ = ["differences"]

Cell = tuple[str, Any]
Row = dict[str, Cell]
Tables = dict[str, dict[Any, Row]]
"""Table → key → column → what `typeof` says, and the value."""

Recorded = Mapping[str, Sequence[Mapping[str, Any]]]

_KEYS = {"river_job": "id", "river_leader": "name", "river_notification": "id", "river_queue": "name"}
_JSON = frozenset({"args", "attempted_by", "errors", "metadata", "tags"})
_TYPES = {int: "integer", float: "real", str: "text", type(None): "null"}
_COLUMN_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")
_JSON_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
_NONCE = re.compile(r"[0-9a-f]{16}")


def differences(path: Path, tables: Recorded, *, within: timedelta, shift: timedelta = timedelta(0)) -> str:
    """Say, a line for each, where a database differs from recorded tables; nothing when it does not.

    The recorded times, shifted, are equal to any that are this near.
    """
    return "\n".join(_differences(_stored(path), _expected(tables, within, shift)))


def _differences(ours: Tables, theirs: Tables) -> Iterator[str]:
    for table in _KEYS:
        if ours[table].keys() != theirs[table].keys():
            yield f"{table} has {sorted(ours[table])}, recorded is {sorted(theirs[table])}"
        for key, row in theirs[table].items():
            mine = ours[table].get(key, row)
            for column in sorted({*row, *mine}):
                if (we := mine.get(column)) != (they := row.get(column)):
                    yield f"{table} {key} {column} is {we}, recorded is {they}"


def _stored(path: Path) -> Tables:
    connection = library().connect(path)
    try:
        reader = _Reader(_written_time)
        return {table: reader.rows(table, _rows(connection, table)) for table in _KEYS}
    finally:
        connection.close()


def _expected(tables: Recorded, within: timedelta, shift: timedelta) -> Tables:
    reader = _Reader(lambda text: _Near(parse_time(text), shift, within))
    return {table: reader.rows(table, [_recorded(row) for row in tables[table]]) for table in _KEYS}


def _rows(connection: Any, table: str) -> list[Row]:
    rows = connection.execute(f"select * from {table}")
    names = [column[0] for column in rows.description]
    return [
        {name: _cell(connection, name, value) for name, value in zip(names, row, strict=True)}
        for row in rows.fetchall()
    ]


def _cell(connection: Any, name: str, value: Any) -> Cell:
    if not isinstance(value, bytes):
        return _TYPES[type(value)], value
    if name in _JSON:
        decoded = json.loads(connection.execute("select json(?)", [value]).fetchone()[0])
        return "blob", _blob(name, value.hex().upper(), decoded)
    return "blob", value.hex().upper()


def _recorded(row: Mapping[str, Any]) -> Row:
    return {name: (cell["typeof"], _recorded_value(name, cell)) for name, cell in row.items()}


def _recorded_value(name: str, cell: Mapping[str, Any]) -> Any:
    match cell["typeof"]:
        case "integer":
            return int(cell["text"])
        case "blob":
            return _blob(name, cell["hex"], cell["jsonb_as_json"])
    return cell["text"]


def _blob(name: str, bytes_in_hex: str, decoded: Any) -> Any:
    # Arguments are compared to the byte: the recording rounded large numbers when it decoded them.
    return decoded if name in _JSON - {"args"} else bytes_in_hex


def _written_time(text: str) -> datetime | str | None:
    """Read a time that we wrote; in any other shape than River's since 0.44 it stays text, equal to no time.

    Columns have three fraction digits (spec/river-conformance.md 5.1), JSON has RFC 3339 in UTC.
    """
    return parse_time(text) if _COLUMN_TIME.fullmatch(text) or _JSON_TIME.fullmatch(text) else text


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
    def __init__(self, time: Callable[[str], Any]) -> None:
        self._time = time
        self._nonces: list[str] = []

    def rows(self, table: str, rows: list[Row]) -> dict[Any, Row]:
        found = {row[_KEYS[table]][1]: row for row in rows}
        return {
            key: {name: (kind, self._value(name, value)) for name, (kind, value) in found[key].items()}
            for key in sorted(found)
        }

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
