"""What the README shows of transactions is true on a real server, in each library."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import psycopg
import pytest
from stacks import ASYNC_STACKS, STACKS, django_connection

from storage.places import PLACES

README = Path(__file__).parents[3] / "README.md"


@pytest.fixture
def url(tmp_path: Path, shared: Path) -> Iterator[str]:
    with PLACES["river-postgres18"](tmp_path, shared) as place:
        yield place.location.url


@pytest.fixture
def shown(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The README's code, as a module of a program whose jobs are kept where its users are."""
    monkeypatch.setenv("FERRYMAN_URL", url)
    found = [code for code in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL) if "tx=" in code]
    (tmp_path / "shown.py").write_text(found[0])
    spec = spec_from_file_location("shown", tmp_path / "shown.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def db(url: str) -> Iterator[psycopg.Connection]:
    """A look at both tables, of the jobs and of the program."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table users (name text)")
        yield connection
        connection.execute("drop table users")


ROWS = "select (select count(*) from users), (select count(*) from river_job where kind = 'email:welcome')"


@pytest.mark.parametrize(
    ("function", "stack"),
    [
        ("with_psycopg", "psycopg"),
        ("with_sqlalchemy", "session-psycopg"),
        ("with_sqlalchemy", "session-psycopg2"),
        ("with_sqlalchemy", "scoped-session"),
        ("with_sqlalchemy", "connection-psycopg"),
    ],
)
def test_code_that_blocks_stores_both_or_none(shown: ModuleType, db, url: str, function: str, stack: str) -> None:
    with STACKS[stack](url) as mine:
        getattr(shown, function)(mine.tx)
    shown.jobs.sync.close()

    assert db.execute(ROWS).fetchone() == (1, 1)


@pytest.mark.parametrize(
    ("function", "stack"),
    [
        ("with_async_sqlalchemy", "session-psycopg"),
        ("with_async_sqlalchemy", "session-asyncpg"),
        ("with_async_sqlalchemy", "connection-asyncpg"),
        ("with_asyncpg", "asyncpg"),
        ("with_asyncpg", "asyncpg-pool-own-json"),
    ],
)
async def test_async_code_stores_both_or_none(shown: ModuleType, db, url: str, function: str, stack: str) -> None:
    async with ASYNC_STACKS[stack](url) as mine, shown.jobs:
        await getattr(shown, function)(mine.tx)
        if function == "with_asyncpg":
            await mine.commit()  # the stack has begun one around it

    assert db.execute(ROWS).fetchone() == (1, 1)


def test_django_stores_both_or_none(shown: ModuleType, db, url: str) -> None:
    connection = django_connection(url)
    shown.with_django()
    connection.close()
    shown.jobs.sync.close()

    assert db.execute(ROWS).fetchone() == (1, 1)


def test_every_function_that_is_shown_is_tried(shown: ModuleType) -> None:
    named = {name for name, _ in inspect.getmembers(shown, inspect.isfunction) if name.startswith("with_")}

    assert named == {"with_psycopg", "with_sqlalchemy", "with_async_sqlalchemy", "with_asyncpg", "with_django"}
