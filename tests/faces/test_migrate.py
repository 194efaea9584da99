"""`ferryman migrate`: on a schema that fits, and on ones that do not."""

from __future__ import annotations

from contextlib import closing

import pysqlite3.dbapi2 as sqlite3
import pytest

from faces.there import There
from faces.typed import Typed


def test_status_of_a_new_file_says_what_is_missing(ferryman: Typed) -> None:
    answer = ferryman("migrate status")

    assert answer.code == 0
    assert [row.split() for row in answer.lines] == [
        ["LINE", "VERSION", "NEWEST", "MISSING"],
        ["main", "0", "8", "1", "2", "3", "4", "5", "6", "7", "8"],
        ["ferryman", "0", "3", "1", "2", "3"],
    ]
    assert "ferryman migrate up" in answer.err


def test_check_fails_while_something_is_missing(ferryman: Typed) -> None:
    assert ferryman("migrate status --check").code == 1

    ferryman("migrate up")

    assert ferryman("migrate status --check").code == 0


def test_up_applies_every_line_and_then_has_nothing_to_do(ferryman: Typed) -> None:
    answer = ferryman("migrate up --json")

    assert [done["line"] for done in answer.data] == ["main"] * 8 + ["ferryman"] * 3
    assert [line["pending"] for line in ferryman("migrate status --json").data] == [[], []]
    again = ferryman("migrate up")
    assert (again.code, again.out, again.err) == (0, "", "Nothing to do.\n")


def test_up_may_stop_early(ferryman: Typed) -> None:
    assert len(ferryman("migrate up --line main --to 3").lines) == 1 + 3
    assert len(ferryman("migrate up --line main --max-steps 2").lines) == 1 + 2
    assert ferryman("migrate status --json").data[0]["version"] == 5


def test_a_schema_that_is_too_old_is_refused_and_migrated(ferryman: Typed) -> None:
    ferryman("migrate up --line main --to 5")

    for command in ("job list", "enqueue report", "queue list", "failed", "workers"):
        answer = ferryman(command)
        assert (answer.code, answer.out) == (1, "")
        assert answer.err == (
            "error: The database is at River migration 5 and ferryman needs 7. Run: ferryman migrate up\n"
        )
    assert ferryman("job list --json").error["code"] == "schema_out_of_date"

    ferryman("migrate up")
    assert ferryman("job list").code == 0


def test_a_schema_that_is_too_new_is_refused_by_every_command(ferryman: Typed) -> None:
    ferryman("migrate up")
    with sqlite3.connect("ferryman.db") as database:
        database.execute("insert into river_migration (line, version) values ('main', 99)")
    database.close()

    for command in ("job list", "enqueue report", "migrate up", "migrate down --yes"):
        answer = ferryman(command)
        assert (answer.code, answer.out) == (1, "")
        assert "has version 99 of migration line main" in answer.err
    assert ferryman("migrate status --json").data[0]["version"] == 99


def test_down_reverts_one_step_once_it_is_confirmed(ferryman: Typed) -> None:
    ferryman("migrate up")

    refused = ferryman("migrate down")
    assert (refused.code, refused.out) == (6, "")
    assert "Revert migration 8 of line main?" in refused.err
    assert ferryman("migrate status --json").data[0]["version"] == 8

    assert ferryman("migrate down --yes").lines[1].split()[:2] == ["main", "008"]
    assert ferryman("migrate status --json").data[0]["version"] == 7


def test_a_dry_run_says_what_would_be_done_and_does_nothing(ferryman: Typed) -> None:
    up = ferryman("migrate up --line main --to 2 --dry-run")
    assert [line.split()[:2] for line in up.lines[1:]] == [["main", "001"], ["main", "002"]]
    assert "Nothing was changed" in up.err
    ferryman("migrate up")

    down = ferryman("migrate down --to 7 --dry-run")

    assert [line.split()[:2] for line in down.lines[1:]] == [["main", "008"]]
    assert ferryman("migrate up --dry-run").out == ""
    assert ferryman("migrate status --json").data[0]["version"] == 8


def test_every_migration_is_listed_with_whether_it_is_there(ferryman: Typed) -> None:
    ferryman("migrate up --line main --to 2")

    rows = ferryman("migrate list --json").data

    assert [row["applied"] for row in rows] == [True, True] + [False] * 9
    assert [row["line"] for row in rows] == ["main"] * 8 + ["ferryman"] * 3


def test_down_says_what_would_be_lost(ferryman: Typed) -> None:
    ferryman("migrate up")
    ferryman("migrate down --line ferryman --to 0 --yes")

    answer = ferryman("migrate down --to 0")

    assert "Revert migrations 8 to 1 of line main? This loses every job." in answer.err
    assert ferryman("migrate down --to 0 --yes").code == 0
    assert ferryman("migrate status --json").data[0]["version"] == 0


def test_down_with_nothing_to_revert_asks_nothing(ferryman: Typed) -> None:
    answer = ferryman("migrate down")

    assert (answer.code, answer.out, answer.err) == (0, "", "Nothing to do.\n")


def test_the_printed_sql_makes_what_migrating_makes(ferryman: Typed) -> None:
    ferryman("migrate up")
    with closing(sqlite3.connect("other.db")) as other, closing(sqlite3.connect("ferryman.db")) as migrated:
        other.executescript(ferryman("migrate sql").out)
        tables = "select name, sql from sqlite_master order by name"
        assert other.execute(tables).fetchall() == migrated.execute(tables).fetchall()
        record = "select line, version from river_migration order by line, version"
        assert other.execute(record).fetchall() == migrated.execute(record).fetchall()

        other.executescript(ferryman("migrate sql --down").out)
        assert other.execute("select name from sqlite_master where name <> 'sqlite_sequence'").fetchall() == []


def test_sql_is_printed_for_one_version_of_postgres_in_a_schema(ferryman: Typed) -> None:
    answer = ferryman("migrate sql --dialect postgres --line main --version 3 --down --schema Jobs")

    assert answer.lines[0] == "-- Migration 003 of line main, down: river job tags non null."
    assert answer.lines[1] == 'delete from "Jobs".river_migration where version = 3;'
    assert answer.lines[3] == 'alter table "Jobs".river_job'


def test_sql_is_printed_for_the_database_and_the_schema_of_the_url(ferryman: Typed) -> None:
    url = "postgresql+psycopg://ada@localhost/app?schema=jobs"

    assert ferryman("migrate", "sql", "--url", url).lines[2] == 'create table "jobs".river_migration ('
    assert ferryman("migrate", "sql", "--url", url, "--schema", "b").lines[2] == 'create table "b".river_migration ('


def test_sql_is_printed_in_the_order_to_run_it(ferryman: Typed) -> None:
    up = ferryman("migrate sql --dialect postgres -o ids").lines
    assert up == [*(f"main {version:03d}" for version in range(1, 9)), "ferryman 001", "ferryman 002", "ferryman 003"]
    assert ferryman("migrate sql --dialect postgres -o ids --down").lines == up[::-1]

    version, *_ = ferryman("migrate sql --line ferryman --json").data
    assert (version["line"], version["version"], version["way"]) == ("ferryman", 1, "up")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("sql --version 3", "Name it: --line main"),
        ("sql --line main --version 99", "has no version 99. It has 1 to 8."),
        ("sql --schema 1st", '--schema is "1st"'),
        ("sql --url postgres://localhost/app?schema=1st", 'schema in the URL is "1st"'),
        ("sql --url redis://:secret@localhost", "redis://:***@localhost has no tables"),
        ("up --to 3", "Name it: --line main"),
        ("up --line main --to 99", "has no version 99"),
        ("up --line mian", "'mian' is not one of"),
        ("up --line main --to -1", "--to"),
        ("down --max-steps 0", "--max-steps"),
        ("sideways", "No such command 'sideways'"),
    ],
)
def test_wrong_versions_and_lines_are_refused(words: str, complaint: str, ferryman: Typed, there: There) -> None:
    answer = ferryman(f"migrate {words}")

    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err
