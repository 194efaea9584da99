"""The outbox's table: its statements for Postgres and SQLite, and what they take and give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from ferryman.errors import ConfigError
from ferryman.storage.river.sql import Statement, named

__all__ = ["Waiting", "ddl", "statement", "written"]

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?")


class Waiting(msgspec.Struct, frozen=True):
    """What is in the outbox and not sent yet, and since when the oldest of it is."""

    count: int
    oldest: datetime | None


def ddl(dialect: str, table: str = "ferryman_outbox") -> list[str]:
    """Return the statements that make the table, for your migrations; `dialect` is "postgres" or "sqlite"."""
    return [statement(dialect, table, name).text for name in ("table", "index")]


def statement(dialect: str, table: str, name: str) -> Statement:
    """Return a statement, its parameters numbered $1, $2 …"""
    return _statements(dialect, table)[name]


def written(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as every driver takes them: times and lists are text."""
    return {name: _written(value) for name, value in values.items()}


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return value if isinstance(value, str | int) else _ids(value)


def _ids(ids: Iterable[int]) -> str:
    return msgspec.json.encode(list(ids)).decode()


@cache
def _statements(dialect: str, table: str) -> Mapping[str, Statement]:
    if _NAME.fullmatch(table) is None:
        raise ConfigError(f'The outbox\'s table is "{table}". It takes a plain name, such as ferryman_outbox.')
    if dialect not in ("postgres", "sqlite"):
        raise ConfigError(f'There is no outbox for "{dialect}". There is one for postgres and for sqlite.')
    text = (resources.files("ferryman.outbox") / f"{dialect}.sql").read_text("utf-8")
    return named(text.replace("{table}", table).replace(f"{table}_unsent", f"{table.rpartition('.')[2]}_unsent"))
