"""Loads the SQL files: named statements, a file per topic, a folder per database.

A statement starts at `-- name: fetch` and its parameters are written `:name`.  The
loader turns each into the numbered placeholder that the database wants and remembers the
order, so that callers bind by name.  Strings, comments and `::casts` are left alone.  What several
statements of a file share stands at `-- part: full_row`, and where they say `/* full_row */`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from ferryman.storage.river.bundle import in_schema

__all__ = ["Statement", "named", "statements"]

_NAME = re.compile(r"^-- (name|part): (\w+)$", re.MULTILINE)
_PART = re.compile(r"/\* (\w+) \*/")
_TOKEN = re.compile(r"'(?:[^']|'')*'|--[^\n]*|::|:([a-z_][a-z0-9_]*)")
_SIGNS = {"sqlite": "?", "postgres": "$"}


class Statement(msgspec.Struct, frozen=True):
    """One named statement, and its parameters in the order of their numbers."""

    name: str
    text: str
    parameters: tuple[str, ...]

    def bind(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Put values in the order that the statement wants.  Raises KeyError for one that is missing."""
        return tuple([values[name] for name in self.parameters])


@cache
def statements(dialect: str, schema: str | None = None) -> Mapping[str, Statement]:
    """Return every statement of one database by name, addressed to a schema if there is one."""
    found: dict[str, Statement] = {}
    folder = resources.files("ferryman.storage.river") / "sql" / dialect
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        for name, body in _blocks(file.read_text("utf-8")):
            if name in found:
                raise ValueError(f"two statements are called {name}; the second is in {file.name}")
            found[name] = _statement(name, in_schema(body, schema), _SIGNS[dialect])
    return found


def named(text: str) -> Mapping[str, Statement]:
    """Return the statements of one text by name, their parameters numbered as Postgres does."""
    return {name: _statement(name, body, _SIGNS["postgres"]) for name, body in _blocks(text)}


def _blocks(text: str) -> list[tuple[str, str]]:
    _, *found = _NAME.split(text)
    parts: dict[str, str] = {}
    blocks = []
    for what, name, body in zip(found[::3], found[1::3], found[2::3], strict=True):
        whole = _PART.sub(lambda match: parts.get(match.group(1), match.group(0)), body)
        if what == "part":
            parts[name] = whole
        else:
            blocks.append((name, whole))
    return blocks


def _statement(name: str, body: str, sign: str) -> Statement:
    order: list[str] = []

    def placeholder(match: re.Match[str]) -> str:
        parameter = match.group(1)
        if parameter is None:
            return "" if match.group(0).startswith("--") else match.group(0)
        if parameter not in order:
            order.append(parameter)
        return f"{sign}{order.index(parameter) + 1}"

    text = _TOKEN.sub(placeholder, body)
    return Statement(name, " ".join(text.split()), tuple(order))
