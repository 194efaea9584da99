"""Every SQL statement can be prepared and is used, and every one that is used is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ferryman.storage.river.postgres._sync.storage import PostgresStorage
from ferryman.storage.river.postgres.location import Location as PostgresLocation
from ferryman.storage.river.sql import Statement, statements
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from ferryman.storage.river.sqlite.location import Location
from servers import postgres

RIVER = Path(__file__).parent.parent / "src" / "ferryman" / "storage" / "river"
STATEMENTS = statements("sqlite")
POSTGRES = statements("postgres", "jobs")


def words() -> Iterator[tuple[str, bool]]:
    """Give every text in the verbs, and whether it stands where a statement is named."""
    for path in sorted([*RIVER.glob("verbs/*.py"), *RIVER.glob("postgres/*.py"), *RIVER.glob("sqlite/*.py")]):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value, False
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("Query", "Batch", "Stream")
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield first.value, True


@pytest.fixture(scope="module")
def database() -> Iterator[Any]:
    with SqliteStorage(Location("")) as storage:
        yield storage.held.connection


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_every_statement_can_be_prepared(statement: Statement, database) -> None:
    with closing(database.cursor()) as cursor:
        cursor.execute(f"explain {statement.text}", statement.bind(dict.fromkeys(statement.parameters)))


@pytest.mark.parametrize("name", ["list_upwards", "list_downwards"])
def test_a_page_begins_where_the_one_before_ended_without_walking_there(name: str, database) -> None:
    statement = STATEMENTS[name]
    values = {**dict.fromkeys(statement.parameters), "after": 1_000_000, "max": 10}

    plan = database.execute(f"explain query plan {statement.text}", statement.bind(values)).fetchall()

    assert "SEARCH river_job USING INTEGER PRIMARY KEY (rowid" in plan[0][3]


@pytest.mark.parametrize("name", ["list_by_end_upwards", "list_by_end_downwards"])
def test_jobs_are_listed_by_their_end_without_sorting_them_all(name: str, database) -> None:
    statement = STATEMENTS[name]
    values = {**dict.fromkeys(statement.parameters), "state": "discarded", "max": 10}

    plan = database.execute(f"explain query plan {statement.text}", statement.bind(values)).fetchall()

    outermost = [text for _, parent, _, text in plan if parent == 0 and "SUBQUERY" not in text]
    (only,) = outermost  # a sort would be a second step
    assert "river_job_state_and_finalized_at_index (state=? AND finalized_at" in only


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() | POSTGRES.keys()))
def test_every_statement_is_used(name: str) -> None:
    assert name in {word for word, _ in words()}


def test_every_statement_that_is_used_is_there() -> None:
    assert {word for word, names_one in words() if names_one} <= STATEMENTS.keys() | POSTGRES.keys()


def test_only_what_one_database_needs_is_missing_for_the_other() -> None:
    assert STATEMENTS.keys() - POSTGRES.keys() == {"last_notice", "notices", "prune_notices"}
    assert POSTGRES.keys() - STATEMENTS.keys() == {
        "place",
        "schema_listened_to",
        "server_version",
        "valid_indexes",
        "date_style",
        "oldest_transaction",
        "dead_rows",
        "slot_that_holds",
        "schemas_found",
        "server_clock",
        "missing_grants",
        "about_server",
        "database_size",
        "connections",
        "oldest_open",
        "notification_queue",
        "tables",
    }


def test_every_statement_can_be_prepared_by_postgres() -> None:
    with postgres().database() as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create schema jobs")
        storage = PostgresStorage(PostgresLocation.parse(f"{url}?schema=jobs"))
        for line in ("main", "ferryman"):
            storage.schema.migrate(line, up=True)
        storage.__exit__(None, None, None)
        for number, statement in enumerate(POSTGRES.values()):
            connection.execute(f"prepare statement_{number} as {statement.text}".encode())


@pytest.mark.parametrize("statement", POSTGRES.values(), ids=POSTGRES)
def test_every_table_is_addressed_in_its_schema(statement: Statement) -> None:
    """Whatever is not would be looked for along the search path."""
    assert not re.search(
        r"""(?<!"jobs"\.)\b(river_(job|queue|leader|migration)|ferryman_worker|ferryman_schedule|ferryman_note)\b(?!_)""",
        statement.text,
    )


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_no_parameter_is_left_over(statement: Statement) -> None:
    """A placeholder that SQLite does not know would take its value from the wrong place."""
    numbers = {f"?{number}" for number in range(1, len(statement.parameters) + 1)}

    assert all(number in statement.text for number in numbers)
    assert f"?{len(numbers) + 1}" not in statement.text
