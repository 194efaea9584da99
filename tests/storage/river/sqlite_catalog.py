"""The catalog of a SQLite database, in the shape of the recorded files (tests/vectors/river/schema_*).

It holds columns, types, defaults, checks and indexes.  To compare it, every text of both sides is taken
apart into words, signs and string literals: comments and white space fall away, and letter case does,
outside literals.  The table sqlite_sequence is left out: it is SQLite's own, comes with the first
autoincrement and cannot be dropped again.
"""

from __future__ import annotations

import re
from typing import Any

import pysqlite3.dbapi2 as sqlite3


def catalog(db: sqlite3.Connection, schema: str = "main") -> dict[str, Any]:
    """What SQLite says about its tables and indexes, in the shape of the recorded files."""
    master = rows(db, f"select type, name, tbl_name, sql from {schema}.sqlite_master order by type, name")
    tables = [each["name"] for each in master if each["type"] == "table"]
    return normal({"sqlite_master": master, "tables": {name: table(db, schema, name) for name in tables}})


def table(db: sqlite3.Connection, schema: str, name: str) -> dict[str, Any]:
    indexes = rows(db, f"pragma {schema}.index_list({name})")
    return {
        "columns": rows(db, f"pragma {schema}.table_xinfo({name})"),
        "indexes": {
            index["name"]: {
                "columns": rows(db, f"pragma {schema}.index_xinfo({index['name']})"),
                "list": index,
            }
            for index in indexes
        },
    }


def normal(catalog: dict[str, Any]) -> dict[str, Any]:
    master = [each for each in catalog["sqlite_master"] if each["name"] != "sqlite_sequence"]
    tables = {name: each for name, each in catalog["tables"].items() if name != "sqlite_sequence"}
    return plain({"sqlite_master": master, "tables": tables})


def plain(value: Any) -> Any:
    """Take texts apart into words, signs and literals: see the top of this file."""
    match value:
        case str():
            parts = re.findall(r"'(?:[^']|'')*'|\w+|[^\s\w]", re.sub("--.*", "", value))
            return " ".join(part if part.startswith("'") else part.lower() for part in parts)
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case list():
            return [plain(each) for each in value]
    return value


def rows(db: sqlite3.Connection, sql: str) -> list[dict[str, Any]]:
    cursor = db.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
