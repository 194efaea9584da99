"""The caller's own SQLite transaction: which connections can carry jobs, and which cannot (design.md 5.1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from tables import notifications

from ferryman.errors import InvalidJob, Unsupported
from ferryman.job import State
from ferryman.storage.river.sqlite._async.storage import AsyncSqliteStorage
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from ferryman.storage.river.sqlite.library import library
from ferryman.storage.river.sqlite.location import Location
from ferryman.storage.values import JobsAvailable
from storage._sync.acts import states, store, take
from storage.ears import Ear
from storage.samples import NOW, mail


@pytest.fixture
def mine(storage: SqliteStorage) -> Iterator[object]:
    """The caller's connection, as `connect` gives it."""
    with closing(library().connect(storage.where.path)) as connection:
        yield connection


def test_the_users_rows_and_the_job_commit_together(storage: SqliteStorage, mine) -> None:
    mine.execute("create table briefings (title text)")
    mine.execute("insert into briefings values ('Monday')")
    store(storage, mail(tx=mine))
    mine.rollback()
    assert states(storage) == {}

    mine.execute("insert into briefings values ('Tuesday')")
    store(storage, mail(tx=mine))
    mine.commit()
    assert states(storage) == {State.AVAILABLE: 1}
    assert mine.execute("select title from briefings").fetchall() == [("Tuesday",)]


def test_a_transaction_that_was_begun_by_hand_is_one_too(storage: SqliteStorage, mine) -> None:
    mine.isolation_level = None
    mine.execute("begin")
    store(storage, mail(tx=mine))
    assert states(storage) == {}

    mine.execute("commit")
    assert states(storage) == {State.AVAILABLE: 1}


def test_a_connection_that_commits_by_itself_is_refused_outside_a_transaction(storage: SqliteStorage, mine) -> None:
    mine.isolation_level = None

    with pytest.raises(InvalidJob, match=r"without an open transaction\. Begin one first"):
        store(storage, mail(tx=mine))

    assert states(storage) == {}


def test_rows_may_be_whatever_the_caller_likes(storage: SqliteStorage, mine) -> None:
    mine.row_factory = lambda cursor, row: dict.fromkeys([column[0] for column in cursor.description])

    store(storage, mail(tx=mine))
    mine.commit()

    assert states(storage) == {State.AVAILABLE: 1}
    assert mine.execute("select 1 as one").fetchone() == {"one": None}


def test_another_name_of_the_same_file_is_the_same_file(storage: SqliteStorage, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(storage.where.path)
    with closing(library().connect(tmp_path / "link.db")) as mine:
        store(storage, mail(tx=mine))
        mine.commit()

    assert states(storage) == {State.AVAILABLE: 1}


def test_others_hear_of_the_job_when_the_transaction_commits(storage: SqliteStorage, mine, db) -> None:
    with Ear(storage) as ear:
        store(storage, mail(tx=mine))
        assert notifications(db) == []

        mine.commit()
        while ear.next(JobsAvailable) != JobsAvailable("default"):
            pass

    assert notifications(db) == [("river_insert", {"queue": "default"})]


async def test_async_code_takes_part_in_the_same_way(storage: SqliteStorage, mine) -> None:
    async with AsyncSqliteStorage(storage.where) as other:
        await other.jobs.insert([mail(tx=mine)], now=NOW)
        assert states(storage) == {}

        mine.commit()

    assert len(take(storage)) == 1


# What cannot be


@pytest.mark.skipif(library() is sqlite3, reason="Python's own library is the one in use")
def test_a_connection_of_another_library_is_refused_with_the_ways_out(storage: SqliteStorage) -> None:
    with closing(sqlite3.connect(storage.where.path)) as foreign:
        with pytest.raises(Unsupported, match=r"tx is a sqlite3\.Connection, .* works through pysqlite3.*use Postgres"):
            store(storage, mail(tx=foreign))

    assert states(storage) == {}


def test_a_transaction_on_another_file_is_refused(storage: SqliteStorage, tmp_path: Path) -> None:
    with closing(library().connect(tmp_path / "other.db")) as other:
        with pytest.raises(Unsupported, match=r"transaction on \S+other\.db and jobs are kept in \S+jobs\.db"):
            store(storage, mail(tx=other))


def test_a_transaction_in_memory_is_refused(storage: SqliteStorage) -> None:
    with closing(library().connect(":memory:")) as other:
        with pytest.raises(Unsupported, match=r"transaction on memory and jobs are kept in \S+jobs\.db"):
            store(storage, mail(tx=other))


def test_jobs_in_memory_take_part_in_nobodys_transaction(storage: SqliteStorage, mine) -> None:
    with SqliteStorage(Location("")) as memory, closing(library().connect(":memory:")) as other:
        for tx in (mine, other):
            with pytest.raises(Unsupported, match="jobs are kept in memory"):
                store(memory, mail(tx=tx))

        assert states(memory) == {}


@pytest.mark.parametrize("nonsense", [object(), "begin", 7, type("AsyncSession", (), {"sync_session": None})()])
def test_what_is_no_connection_is_named(storage: SqliteStorage, nonsense) -> None:
    with pytest.raises(Unsupported, match=f"tx is a \\S*{type(nonsense).__name__}, and"):
        store(storage, mail(tx=nonsense))


# SQLAlchemy


@pytest.fixture
def engine(storage: SqliteStorage):
    engine = create_engine(f"sqlite+pysqlite:///{storage.where.path}", module=library())
    yield engine
    engine.dispose()


def test_a_session_of_sqlalchemy_carries_jobs(storage: SqliteStorage, engine) -> None:
    with Session(engine) as session:
        session.execute(text("create table briefings (title text)"))
        session.execute(text("insert into briefings values ('Monday')"))
        store(storage, mail(tx=session))
        assert states(storage) == {}

        session.commit()

    assert states(storage) == {State.AVAILABLE: 1}


def test_a_session_that_rolls_back_carries_none(storage: SqliteStorage, engine) -> None:
    with Session(engine) as session:
        store(storage, mail(tx=session))
        session.rollback()

    assert states(storage) == {}


def test_a_connection_of_sqlalchemy_carries_jobs(storage: SqliteStorage, engine) -> None:
    with engine.begin() as connection:
        store(storage, mail(tx=connection))
        assert states(storage) == {}

    assert states(storage) == {State.AVAILABLE: 1}


def test_a_connection_of_sqlalchemy_that_did_nothing_else_commits_them(storage: SqliteStorage, engine) -> None:
    with engine.connect() as connection:
        store(storage, mail(tx=connection))
        connection.commit()

    assert states(storage) == {State.AVAILABLE: 1}


@pytest.mark.skipif(library() is sqlite3, reason="Python's own library is the one in use")
def test_a_session_over_another_library_is_refused(storage: SqliteStorage) -> None:
    engine = create_engine(f"sqlite+pysqlite:///{storage.where.path}", module=sqlite3)
    with Session(engine) as session:
        with pytest.raises(Unsupported, match=r"sqlite3\.Connection"):
            store(storage, mail(tx=session))
    engine.dispose()
