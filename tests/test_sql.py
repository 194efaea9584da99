"""Every SQL statement can be prepared and is used, and every one that is used is there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ferryman.storage.river._sync.storage import SqliteStorage
from ferryman.storage.river.sql import Statement, statements
from ferryman.storage.river.sqlite import Location

VERBS = Path(__file__).parent.parent / "src" / "ferryman" / "storage" / "river" / "verbs"
STATEMENTS = statements("sqlite")


def words() -> Iterator[tuple[str, bool]]:
    """Give every text in the verbs, and whether it stands where a statement is named."""
    for path in sorted(VERBS.glob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value, False
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Query", "Batch"):
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


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_statement_is_used(name: str) -> None:
    assert name in {word for word, _ in words()}


def test_every_statement_that_is_used_is_there() -> None:
    assert {word for word, names_one in words() if names_one} <= STATEMENTS.keys()


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_no_parameter_is_left_over(statement: Statement) -> None:
    """A placeholder that SQLite does not know would take its value from the wrong place."""
    numbers = {f"?{number}" for number in range(1, len(statement.parameters) + 1)}

    assert all(number in statement.text for number in numbers)
    assert f"?{len(numbers) + 1}" not in statement.text
