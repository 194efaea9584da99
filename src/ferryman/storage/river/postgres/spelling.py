"""A step of a verb in the words of Postgres: one statement, its values, and what its rows mean.

Whatever is many travels as one JSON value: psycopg's arrays took 30 % of the worker
(measured; design.md 3), and a batch is one statement.  Its rows begin with the place of
what they answer.  Only what a filter names is an array, of which the planner knows how rare it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ferryman.storage.river.postgres.abilities import abilities
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.sql import statements
from ferryman.storage.river.steps import NOW, Batch, Query, Row

__all__ = ["answer", "spell"]

_encode = msgspec.json.Encoder().encode
_ESCAPED = re.compile(r'["\\]')


def spell(step: Query | Batch, location: Location) -> tuple[str, tuple[Any, ...]]:
    """Return the text of a step and its values, in the order of their numbers."""
    statement = statements("postgres", location.schema)[step.name]
    tells = list(step.tells) if abilities(location).notifies else []
    values: Mapping[str, Any] = {"schema": location.schema, "tells": tells}
    if isinstance(step, Batch):
        values = {**values, "rows": [{"n": place, **row} for place, row in enumerate(step.values)]}
    else:
        values = {**values, **step.values}
    return statement.text, tuple([_written(value) for value in statement.bind(values)])


def answer(step: Query | Batch, rows: Sequence[Row]) -> list[Any]:
    """Return what the verb is to receive."""
    if isinstance(step, Query):
        return list(rows)
    answers: list[Row | None] = [None] * len(step.values)
    for place, *row in rows:
        answers[place] = tuple(row)
    return answers


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return _array(value)
    if isinstance(value, list | dict):
        return _encode(value).decode()
    return None if value is NOW else value


def _array(values: Sequence[str | int]) -> str:
    """Write what Postgres reads as an array, each value in quotation marks: `{"a","b"}`."""
    return "{" + ",".join('"' + _ESCAPED.sub(r"\\\g<0>", str(value)) + '"' for value in values) + "}"
