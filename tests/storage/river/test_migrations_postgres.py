"""River's Postgres migrations: equal catalogs, and ways back that lose no job.

Versions 1 to 7, up and down, are compared with catalogs recorded from River itself
(tests/vectors/river); what counts as equal is said in postgres_catalog.py.  Version 8 changes nothing
on Postgres (spec/river-conformance.md 5.3).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from postgres_catalog import catalog, normal
from psycopg.rows import dict_row

from ferryman.storage.river.bundle import (
    LINES,
    Migration,
    bookkeeping_down,
    bookkeeping_up,
    bundle,
    in_schema,
)
from servers import POSTGRES

VECTORS = Path(__file__).parents[2] / "vectors" / "river"
MAIN, SIDE = (bundle("postgres")[line] for line in LINES)
RECORDED = range(1, 8)
STATES = ["available", "cancelled", "completed", "discarded", "pending", "retryable", "running", "scheduled"]

# In None the tables are found through search_path, in "Jobs" only because every statement names it.
SCHEMAS = [None, "Jobs"]

FULL_JOB = """
    insert into {schema}river_job (
        id, state, attempt, max_attempts, attempted_at, created_at, finalized_at, scheduled_at, priority, args,
        attempted_by, errors, kind, metadata, queue, tags
    ) values (
        41, 'completed', 3, 7, '2026-08-07 16:39:17.123Z', '2026-08-07 16:00Z', '2026-08-07 16:39:18.5Z',
        '2026-08-07 16:30Z', 2, '{{"a": 12}}', '{{w1,w2}}', array['{{"attempt": 1}}']::jsonb[], 'mail', '{{"n": null}}',
        'slow', '{{x}}'
    )
"""


@pytest.fixture(params=POSTGRES)
def db(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    with POSTGRES[request.param]().database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute('create schema "Jobs"')
            yield connection


# What is migrated


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_catalog_after_each_version_is_the_recorded_one(db, schema: str | None) -> None:
    for version in RECORDED:
        up(db, [MAIN[version - 1]], schema=schema)

        assert catalog(db, schema or "public") == normal(recorded_up(version)["catalog"])
        assert record(db, schema) == recorded_rows(recorded_up(version)["version"])


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_catalog_after_each_way_back_is_the_recorded_one(db, schema: str | None) -> None:
    up(db, MAIN[:7], schema=schema)

    for step in recorded_down():
        version = step["removed_version"]
        down(db, [MAIN[version - 1]], schema=schema)

        assert catalog(db, schema or "public") == normal(step["catalog"])
        assert version == 1 or record(db, schema) == recorded_rows(version - 1)


def test_version_8_is_recorded_and_changes_nothing(db) -> None:
    up(db, MAIN[:7])
    before = catalog(db)

    up(db, MAIN[7:])
    assert catalog(db) == before
    assert record(db) == recorded_rows(8)

    down(db, MAIN[7:])
    assert catalog(db) == before
    assert record(db) == recorded_rows(7)


def test_a_schema_of_its_own_leaves_the_others_alone(db) -> None:
    up(db, [*MAIN, *SIDE], schema="Jobs")

    assert not any(catalog(db).values())


def test_the_side_line_makes_the_process_registry(db) -> None:
    up(db, [*MAIN, *SIDE])

    found = catalog(db)
    columns = [each for each in found["columns"] if each["table"] == "ferryman_worker"]
    assert {each["name"]: (each["type"], each["not_null"]) for each in columns} == {
        "id": ("text", True),
        "info": ("jsonb", True),
        "started_at": ("timestamp with time zone", True),
        "beat_at": ("timestamp with time zone", True),
        "expires_at": ("timestamp with time zone", True),
    }
    assert [each["definition"] for each in found["indexes"] if each["name"] == "ferryman_worker_expires_at_idx"] == [
        "CREATE INDEX ferryman_worker_expires_at_idx ON public.ferryman_worker USING btree (expires_at)"
    ]


def test_the_side_line_can_be_applied_again_after_another_tool_lost_its_record(db) -> None:
    up(db, [*MAIN, *SIDE])
    db.execute("delete from river_migration where line = 'ferryman'")

    up(db, SIDE)

    assert record(db)[0] == ("ferryman", 1)


# What the functions do


def test_a_bitmask_holds_the_states_in_alphabetical_order_from_the_right(db) -> None:
    up(db, MAIN)

    found = db.execute(
        "select array_agg(state::text order by state::text) filter "
        "(where river_job_state_in_bitmask(mask::bit(8), state::river_job_state)) "
        "from generate_series(0, 255) as mask, unnest(%s::text[]) as state group by mask order by mask",
        [STATES],
    ).fetchall()

    expected = [[state for bit, state in enumerate(STATES) if mask >> bit & 1] for mask in range(256)]
    assert [row[0] or [] for row in found] == expected


def test_a_unique_key_is_held_in_the_states_of_its_mask_only(db) -> None:
    up(db, MAIN)
    insert = "insert into river_job (kind, args, state, unique_key, unique_states) values ('mail', '{}', %s, 'k', %s)"

    db.execute(insert, ["available", "00000001"])
    db.execute(insert, ["running", "00000001"])
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.execute(insert, ["available", "00000001"])


@pytest.mark.parametrize("way", ["up to 3", "down from 4"])
def test_before_version_4_the_database_itself_tells_of_a_new_job(db, way: str) -> None:
    up(db, MAIN[:3])
    if way == "down from 4":
        up(db, [MAIN[3]])
        down(db, [MAIN[3]])
    db.execute("listen river_insert")

    db.execute("insert into river_job (kind, args, max_attempts, state, queue) values ('a', '{}', 1, 'running', 'q')")
    db.execute("insert into river_job (kind, args, max_attempts, queue) values ('a', '{}', 1, 'slow')")

    notices = [json.loads(notice.payload) for notice in db.notifies(timeout=60, stop_after=1)]
    assert notices == [{"queue": "slow"}]


# The ways back


def test_up_down_and_up_again_is_the_same_as_up(db) -> None:
    up(db, [*MAIN, *SIDE])
    once = catalog(db)

    down(db, [*MAIN, *SIDE])
    assert not any(catalog(db).values())
    up(db, [*MAIN, *SIDE])

    assert catalog(db) == once


def test_main_does_not_go_below_5_while_another_line_is_recorded(db) -> None:
    up(db, [*MAIN, *SIDE])
    before = catalog(db)
    down(db, MAIN[5:])

    with pytest.raises(psycopg.errors.RaiseException, match="lines other than main"):
        down(db, [MAIN[4]])

    up(db, MAIN[5:])
    assert record(db) == [("ferryman", 1), ("ferryman", 2), ("ferryman", 3), *recorded_rows(8)]
    assert [each["name"] for each in catalog(db)["tables"]] == [each["name"] for each in before["tables"]]


def test_the_way_down_through_a_lines_version_1_removes_all_its_rows(db) -> None:
    up(db, [*MAIN, *SIDE])
    db.execute("insert into river_migration (line, version) values ('ferryman', 9), ('pro', 1)")

    down(db, SIDE)

    assert record(db) == [*recorded_rows(8), ("pro", 1)]


def test_the_time_of_each_migration_is_kept_when_their_table_is_rebuilt(db) -> None:
    up(db, MAIN[:4])
    db.execute("update river_migration set created_at = '2020-01-01'::timestamptz + version * interval '1 day'")
    times = db.execute("select version, created_at from river_migration order by version").fetchall()

    up(db, [MAIN[4]])
    assert db.execute("select version, created_at from river_migration order by version limit 4").fetchall() == times
    down(db, [MAIN[4]])
    assert db.execute("select version, created_at from river_migration order by version").fetchall() == times


# Jobs and queues on the way


@pytest.mark.parametrize("schema", SCHEMAS)
def test_jobs_survive_every_version_from_2_on_up_and_down(db, schema: str | None) -> None:
    up(db, MAIN[:2], schema=schema)
    db.execute(FULL_JOB.format(schema=in_schema("/* schema */", schema)))
    before = jobs(db, schema)

    for version in range(3, 9):
        up(db, [MAIN[version - 1]], schema=schema)
        assert only(before, jobs(db, schema)) == before
    for version in range(8, 2, -1):
        down(db, [MAIN[version - 1]], schema=schema)
        assert only(before, jobs(db, schema)) == before


def test_a_job_without_args_tags_and_metadata_gets_empty_ones(db) -> None:
    up(db, MAIN[:2])
    db.execute("insert into river_job (kind, max_attempts) values ('mail', 25)")

    up(db, MAIN[2:])

    assert db.execute("select args, tags, metadata from river_job").fetchall() == [({}, [], {})]


def test_a_database_that_came_back_from_4_takes_jobs_without_metadata_up_again(db) -> None:
    up(db, MAIN[:4])
    down(db, [MAIN[3]])
    db.execute("insert into river_job (kind, max_attempts) values ('mail', 25)")

    up(db, MAIN[3:])

    assert db.execute("select metadata from river_job").fetchall() == [({},)]


# Databases that another tool migrated


def test_a_database_without_river_migration_takes_the_other_versions(db) -> None:
    for each in MAIN[1:]:
        run(db, each.up, None)

    assert "river_migration" not in [each["name"] for each in catalog(db)["tables"]]


def test_indexes_that_were_built_before_their_migration_are_kept(db) -> None:
    up(db, MAIN[:4])
    db.execute("alter table river_job add unique_key bytea")
    db.execute(
        "create unique index concurrently river_job_kind_unique_key_idx on river_job (kind, unique_key) "
        "where unique_key is not null"
    )

    up(db, [MAIN[4]])

    assert catalog(db) == normal(recorded_up(5)["catalog"])


# The tools of this file


def up(db: psycopg.Connection[Any], migrations: Iterable[Migration], *, schema: str | None = None) -> None:
    for each in migrations:
        run(db, [*each.up, bookkeeping_up(each)], schema)


def down(db: psycopg.Connection[Any], migrations: Sequence[Migration], *, schema: str | None = None) -> None:
    for each in reversed(migrations):
        run(db, [bookkeeping_down(each), *each.down], schema)


def run(db: psycopg.Connection[Any], steps: Iterable[str], schema: str | None) -> None:
    with db.transaction():
        for sql in steps:
            db.execute(in_schema(sql, schema))


def recorded_up(version: int) -> dict[str, Any]:
    return json.loads((VECTORS / f"schema_pg_up_v{version}.json").read_text(encoding="utf-8"))


def recorded_down() -> list[dict[str, Any]]:
    return json.loads((VECTORS / "schema_pg_down.json").read_text(encoding="utf-8"))["steps"]


def recorded_rows(newest: int) -> list[tuple[str, int]]:
    return [("main", version) for version in range(1, newest + 1)]


def record(db: psycopg.Connection[Any], schema: str | None = None) -> list[tuple[str, int]]:
    found = rows(db, in_schema("select * from /* schema */river_migration", schema))
    return sorted((row.get("line", "main"), row["version"]) for row in found)


def jobs(db: psycopg.Connection[Any], schema: str | None) -> list[dict[str, Any]]:
    return rows(db, in_schema("select * from /* schema */river_job order by id", schema))


def only(like: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with no more columns than those others have."""
    return [{name: row[name] for name in like[0]} for row in found]


def rows(db: psycopg.Connection[Any], sql: str) -> list[dict[str, Any]]:
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql).fetchall()
