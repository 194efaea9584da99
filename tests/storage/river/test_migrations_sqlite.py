"""River's SQLite migrations: equal catalogs, and ways back that lose no job.

Versions 1 to 7 are compared with catalogs recorded from River itself (tests/vectors/river), version 8
with spec/river-conformance.md 5.3 in words.  What counts as equal is said in sqlite_catalog.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite3
import pytest
from sqlite_catalog import catalog, normal, rows

from ferryman.storage.river.bundle import (
    LINES,
    Migration,
    bookkeeping_down,
    bookkeeping_up,
    bundle,
    in_schema,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "river"
MAIN, SIDE = (bundle("sqlite")[line] for line in LINES)
RECORDED = range(1, 8)

JSON_COLUMNS = ["args", "attempted_by", "errors", "metadata", "tags"]
COLUMNS_AT_8 = {  # name: (type, not null, default), in this order
    "id": ("integer", False, None),
    "args": ("blob", True, "jsonb ( '{}' )"),
    "attempt": ("integer", True, "0"),
    "attempted_at": ("timestamp", False, None),
    "attempted_by": ("blob", False, None),
    "created_at": ("timestamp", True, "current_timestamp"),
    "errors": ("blob", False, None),
    "finalized_at": ("timestamp", False, None),
    "kind": ("text", True, None),
    "max_attempts": ("integer", True, "25"),
    "metadata": ("blob", True, "jsonb ( '{}' )"),
    "priority": ("integer", True, "1"),
    "queue": ("text", True, "'default'"),
    "state": ("text", True, "'available'"),
    "scheduled_at": ("timestamp", True, "current_timestamp"),
    "tags": ("blob", True, "jsonb ( '[]' )"),
    "unique_key": ("blob", False, None),
    "unique_states": ("integer", False, None),
}

# A job with something in every column.  Its args are text bound as bytes, as Go programs do.
FULL_JOB = {
    "id": 41,
    "args": b'{"a":12}',
    "attempt": 3,
    "attempted_at": "2026-08-07 16:39:17.123",
    "attempted_by": '["w1","w2"]',
    "created_at": "2026-08-07 16:00:00.000",
    "errors": '[{"attempt":1,"error":"no"}]',
    "finalized_at": "2026-08-07 16:39:18.5",
    "kind": "mail",
    "max_attempts": 7,
    "metadata": '{"river:unique_nonce":"00","n":null}',
    "priority": 2,
    "queue": "slow",
    "state": "completed",
    "scheduled_at": "2026-08-07 16:30:00",
    "tags": '["x"]',
    "unique_key": b"\x00\xff",
    "unique_states": 245,
}
SMALL_JOB = {"id": 7, "kind": "mail", "max_attempts": 25}


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


# What is migrated


@pytest.mark.parametrize("version", RECORDED)
def test_the_catalog_after_each_version_is_the_recorded_one(db, version: int) -> None:
    up(db, MAIN[:version])

    assert catalog(db) == normal(recorded(version)["catalog"])


@pytest.mark.parametrize("version", RECORDED)
def test_the_record_after_each_version_is_the_recorded_one(db, version: int) -> None:
    up(db, MAIN[:version])

    rows = recorded(version)["river_migration_rows"]
    assert record(db) == [(row.get("line", "main"), row["version"]) for row in rows]


def test_version_8_has_these_columns_in_this_order(db) -> None:
    up(db, MAIN)

    columns = catalog(db)["tables"]["river_job"]["columns"]
    assert [(c["name"], (c["type"], bool(c["notnull"]), c["dflt_value"])) for c in columns] == list(
        COLUMNS_AT_8.items()
    )
    assert [c["name"] for c in columns if c["pk"]] == ["id"]
    assert "id integer primary key autoincrement ," in sql_of(db, "river_job")


def test_version_8_keeps_checks_and_indexes_and_every_other_table(db) -> None:
    up(db, MAIN[:7])
    before, checks = without_columns(catalog(db)), checks_of_jobs(db)

    up(db, MAIN[7:])

    assert without_columns(catalog(db)) == before
    assert checks_of_jobs(db) == checks
    assert len(re.findall("constraint", checks)) == 5


def test_from_version_8_on_the_id_of_a_deleted_job_is_not_given_again(db) -> None:
    up(db, MAIN[:7])
    insert(db, {"id": 7, "kind": "mail"})
    up(db, MAIN[7:])

    db.execute("delete from river_job")
    db.execute("insert into river_job (kind) values ('mail')")

    assert db.execute("select id from river_job").fetchall() == [(8,)]


@pytest.mark.parametrize("thing", ["river_job_sequence", "river_job_workflow_scheduling", "river_workflow"])
@pytest.mark.parametrize("way", ["up", "down"])
def test_version_8_refuses_where_river_pro_is_and_changes_nothing(db, thing: str, way: str) -> None:
    up(db, MAIN if way == "down" else MAIN[:7])
    db.execute(f"create table {thing} (id integer primary key)")
    before = catalog(db)

    with pytest.raises(sqlite3.IntegrityError, match=r"Migration 008 .* River Pro"):
        up(db, MAIN[7:]) if way == "up" else down(db, MAIN[7:])

    assert catalog(db) == before
    assert db.execute("select name from sqlite_temp_master").fetchall() == []


def test_the_side_line_makes_the_process_registry(db) -> None:
    up(db, [*MAIN, *SIDE])

    table = catalog(db)["tables"]["ferryman_worker"]
    assert [(c["name"], c["type"], c["notnull"], c["pk"]) for c in table["columns"]] == [
        ("id", "text", 1, 1),
        ("info", "blob", 1, 0),
        ("started_at", "timestamp", 1, 0),
        ("beat_at", "timestamp", 1, 0),
        ("expires_at", "timestamp", 1, 0),
    ]
    assert table["indexes"]["ferryman_worker_expires_at_idx"]["columns"][0]["name"] == "expires_at"


def test_the_side_line_can_be_applied_again_after_another_tool_lost_its_record(db) -> None:
    up(db, [*MAIN, *SIDE])
    down(db, MAIN[4:])  # as River's own migrator does, which does not ask for other lines

    up(db, [*MAIN[4:], *SIDE])

    assert record(db)[0] == ("ferryman", 1)


# The ways back


@pytest.mark.parametrize("version", range(1, 8))
def test_each_way_back_brings_the_catalog_of_the_version_before(db, version: int) -> None:
    up(db, MAIN[: version - 1])
    before = catalog(db)

    up(db, MAIN[version - 1 : version])
    down(db, MAIN[version - 1 : version])

    assert catalog(db) == before


def test_the_way_back_from_8_differs_from_7_only_in_the_place_of_max_attempts(db) -> None:
    up(db, MAIN[:7])
    seven, checks = catalog(db), checks_of_jobs(db)

    up(db, MAIN[7:])
    down(db, MAIN[7:])

    assert without_columns(catalog(db)) == without_columns(seven)
    assert checks_of_jobs(db) == checks
    assert "id integer primary key ," in sql_of(db, "river_job")
    assert list(columns_of_jobs(catalog(db))) == list(COLUMNS_AT_8)
    assert columns_of_jobs(catalog(db)) == columns_of_jobs(seven)


@pytest.mark.parametrize("version", range(1, 9))
def test_up_down_and_up_again_is_the_same_as_up(db, version: int) -> None:
    up(db, MAIN[:version])
    once = catalog(db)

    down(db, MAIN[version - 1 : version])
    up(db, MAIN[version - 1 : version])

    assert catalog(db) == once


def test_all_the_way_down_leaves_nothing(db) -> None:
    up(db, [*MAIN, *SIDE])

    down(db, [*MAIN, *SIDE])

    assert catalog(db) == {"sqlite_master": [], "tables": {}}


def test_the_way_down_removes_one_record_at_a_time(db) -> None:
    up(db, MAIN)

    for version in range(8, 1, -1):
        down(db, MAIN[version - 1 : version])
        assert record(db) == [("main", left) for left in range(1, version)]


def test_the_way_down_through_a_lines_version_1_removes_all_its_rows(db) -> None:
    up(db, [*MAIN, *SIDE])
    db.execute("insert into river_migration (line, version) values ('ferryman', 9), ('pro', 1)")

    down(db, SIDE)

    assert record(db) == [*(("main", version) for version in range(1, 9)), ("pro", 1)]


def test_the_time_of_each_migration_is_kept_when_their_table_is_rebuilt(db) -> None:
    up(db, MAIN[:4])
    db.execute("update river_migration set created_at = '2020-01-0' || version")
    times = db.execute("select version, created_at from river_migration order by version").fetchall()

    up(db, MAIN[4:5])
    assert db.execute("select version, created_at from river_migration limit 4").fetchall() == times
    down(db, MAIN[4:5])
    assert db.execute("select version, created_at from river_migration").fetchall() == times


# Jobs and queues on the way


def test_jobs_survive_7_and_8_up_and_down(db) -> None:
    up(db, MAIN[:6])
    insert(db, FULL_JOB)
    insert(db, SMALL_JOB)
    before = jobs(db)

    up(db, MAIN[6:])
    assert jobs(db) == before
    down(db, MAIN[6:])
    assert jobs(db) == before


def test_nothing_but_jsonb_is_in_a_job_from_7_on_and_nothing_but_text_before(db) -> None:
    up(db, MAIN[:6])
    insert(db, FULL_JOB)

    up(db, MAIN[6:])
    assert types_of_json(db) == {"blob"}
    assert db.execute("select json_valid(args, 8) from river_job").fetchall() == [(1,)]  # 8: strictly JSONB
    down(db, MAIN[6:])
    assert types_of_json(db) == {"text"}


def test_the_columns_of_a_job_keep_their_very_bytes_in_8_up_and_down(db) -> None:
    up(db, MAIN[:7])
    insert(db, FULL_JOB | {"args": '{"text": "left as it was"}'})
    exact = f"select {', '.join(COLUMNS_AT_8)} from river_job"
    before = db.execute(exact).fetchall()

    up(db, MAIN[7:])
    assert db.execute(exact).fetchall() == before
    down(db, MAIN[7:])
    assert db.execute(exact).fetchall() == before


def test_a_queue_survives_7_up_and_down(db) -> None:
    up(db, MAIN[:6])
    queue = ("slow", "2026-08-07 16:00:00.000", '{"a":1}', None, "2026-08-07 16:02:00.000")
    db.execute("insert into river_queue values (?, ?, ?, ?, ?)", queue)
    read = "select name, created_at, json(metadata), paused_at, updated_at, typeof(metadata) from river_queue"

    up(db, MAIN[6:7])
    assert db.execute(read).fetchall() == [(*queue, "blob")]
    down(db, MAIN[6:7])
    assert db.execute(read).fetchall() == [(*queue, "text")]


# Schemas


def test_an_attached_schema_gets_the_same_catalog_and_nothing_else_is_touched(db) -> None:
    up(db, [*MAIN, *SIDE])
    expected = catalog(db)
    down(db, [*MAIN, *SIDE])
    db.execute("attach ':memory:' as Jobs")
    db.execute("create table river_workflow (id integer)")  # River Pro, but in another schema

    up(db, [*MAIN, *SIDE], schema="Jobs")
    assert catalog(db, "Jobs") == expected
    down(db, [*MAIN, *SIDE], schema="Jobs")

    assert catalog(db, "Jobs") == {"sqlite_master": [], "tables": {}}
    assert list(catalog(db)["tables"]) == ["river_workflow"]


# The tools of this file


def up(db: sqlite3.Connection, migrations: Iterable[Migration], *, schema: str | None = None) -> None:
    for each in migrations:
        run(db, [*each.up, bookkeeping_up(each)], schema)


def down(db: sqlite3.Connection, migrations: Sequence[Migration], *, schema: str | None = None) -> None:
    for each in reversed(migrations):
        run(db, [bookkeeping_down(each), *each.down], schema)


def run(db: sqlite3.Connection, steps: Iterable[str], schema: str | None) -> None:
    db.execute("begin immediate")
    try:
        for sql in steps:
            db.execute(in_schema(sql, schema))
    except sqlite3.Error:
        db.execute("rollback")
        raise
    db.execute("commit")


def recorded(version: int) -> dict[str, Any]:
    return json.loads((VECTORS / f"schema_sqlite_up_v{version}.json").read_text(encoding="utf-8"))


def record(db: sqlite3.Connection) -> list[tuple[str, int]]:
    found = rows(db, "select * from river_migration order by version")
    return sorted((row.get("line", "main"), row["version"]) for row in found)


def sql_of(db: sqlite3.Connection, name: str) -> str:
    return next(each["sql"] for each in catalog(db)["sqlite_master"] if each["name"] == name)


def checks_of_jobs(db: sqlite3.Connection) -> str:
    return re.search("constraint .*", sql_of(db, "river_job"))[0]  # type: ignore[index]


def columns_of_jobs(catalog: dict[str, Any]) -> dict[str, Any]:
    return {column["name"]: column | {"cid": None} for column in catalog["tables"]["river_job"]["columns"]}


def without_columns(catalog: dict[str, Any]) -> dict[str, Any]:
    """The catalog without what tells the order of river_job's columns."""
    master = [each for each in catalog["sqlite_master"] if (each["type"], each["name"]) != ("table", "river_job")]
    indexes = {
        name: each | {"columns": [column | {"cid": None} for column in each["columns"]]}
        for name, each in catalog["tables"]["river_job"]["indexes"].items()
    }
    return {"sqlite_master": master, "tables": catalog["tables"] | {"river_job": indexes}}


def insert(db: sqlite3.Connection, job: Mapping[str, object]) -> None:
    db.execute(f"insert into river_job ({', '.join(job)}) values ({', '.join('?' * len(job))})", [*job.values()])


def jobs(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every job, its JSON as text whatever form it is stored in."""
    columns = [f"json({name}) as {name}" if name in JSON_COLUMNS else name for name in COLUMNS_AT_8]
    return rows(db, f"select {', '.join(columns)} from river_job order by id")


def types_of_json(db: sqlite3.Connection) -> set[str]:
    types = ", ".join(f"typeof({name})" for name in JSON_COLUMNS)
    return {each for row in db.execute(f"select {types} from river_job").fetchall() for each in row}
