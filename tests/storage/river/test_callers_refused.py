"""Transactions on Postgres that cannot carry jobs, and what is said of them; nothing is stored by halves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import psycopg2
import pytest
import sqlalchemy
from django.db.transaction import atomic
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from stacks import ASYNC_STACKS, STACKS, django_connection, spelled

from ferryman.errors import InvalidJob, SchemaOutOfDate, StorageError, Unsupported
from ferryman.job import State
from ferryman.options import unique_for
from ferryman.storage.river.postgres._async.storage import AsyncPostgresStorage
from ferryman.storage.river.postgres._sync.storage import PostgresStorage
from servers import PostgresServer, postgres, postgres15, postgres_programs
from storage._async import acts as waiting
from storage._sync.acts import states, store
from storage.places import PLACES, OnPostgres
from storage.samples import mail

NO_TRANSACTION = r"without an open transaction\. Begin one first"
FAILED_BEFORE = r"failed already\. Roll it back, and enqueue in a new one"
NONE_OF_OURS = r"tx is a .*\. On Postgres it takes a connection of psycopg.* or Django's connection"


@pytest.fixture
def place(tmp_path: Path, shared: Path) -> Iterator[OnPostgres]:
    with PLACES["river-postgres18"](tmp_path, shared) as place:
        yield place


@pytest.fixture
def url(place: OnPostgres) -> str:
    return place.location.url


@pytest.fixture
def storage(place: OnPostgres) -> Iterator[PostgresStorage]:
    with place.open() as storage:
        yield storage


@pytest.fixture
async def waiting_storage(place: OnPostgres) -> AsyncIterator[AsyncPostgresStorage]:
    async with place.async_open() as storage:
        yield storage


def refused(storage: PostgresStorage, tx: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        store(storage, mail(tx=tx))
    assert states(storage) == {}


async def waiting_refused(storage: AsyncPostgresStorage, tx: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        await waiting.store(storage, mail(tx=tx))
    assert await waiting.states(storage) == {}


# Without a transaction


def test_a_connection_that_commits_by_itself_is_refused(storage: PostgresStorage, url: str) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        refused(storage, connection, InvalidJob, NO_TRANSACTION)
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        refused(storage, connection, InvalidJob, NO_TRANSACTION)


def test_a_session_that_commits_by_itself_is_refused(storage: PostgresStorage, url: str) -> None:
    for driver in ("psycopg", "psycopg2"):
        engine = sqlalchemy.create_engine(spelled(driver, url), isolation_level="AUTOCOMMIT")
        with Session(engine) as session:
            refused(storage, session, InvalidJob, NO_TRANSACTION)
        engine.dispose()


def test_django_outside_atomic_is_refused(storage: PostgresStorage, url: str) -> None:
    connection = django_connection(url)

    refused(storage, connection, InvalidJob, NO_TRANSACTION)
    connection.close()


async def test_async_code_outside_a_transaction_is_refused(waiting_storage: AsyncPostgresStorage, url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await waiting_refused(waiting_storage, connection, InvalidJob, NO_TRANSACTION)
    theirs = await asyncpg.connect(spelled("", url))
    await waiting_refused(waiting_storage, theirs, InvalidJob, NO_TRANSACTION)
    await theirs.close()
    engine = create_async_engine(spelled("asyncpg", url), isolation_level="AUTOCOMMIT")
    async with AsyncSession(engine) as session:
        await waiting_refused(waiting_storage, session, InvalidJob, NO_TRANSACTION)
    await engine.dispose()


# In a transaction that fails, or has failed

READ_ONLY = "set transaction read only"
ROLL_BACK = r"cannot execute .* in a read-only transaction\. Roll your transaction back"


@pytest.mark.parametrize("name", [name for name in STACKS if name != "session-streaming"])
def test_an_error_says_that_the_transaction_is_lost_and_the_next_one_that_it_was(
    storage: PostgresStorage, url: str, name: str
) -> None:
    with STACKS[name](url) as mine:
        execute(mine.tx, READ_ONLY)
        refused(storage, mine.tx, StorageError, ROLL_BACK)
        refused(storage, mine.tx, InvalidJob, FAILED_BEFORE)

        mine.rollback()


def test_django_says_so_too(storage: PostgresStorage, url: str) -> None:
    connection = django_connection(url)
    with atomic():
        connection.cursor().execute(READ_ONLY)
        refused(storage, connection, StorageError, ROLL_BACK)
        refused(storage, connection, InvalidJob, FAILED_BEFORE)
        connection.set_rollback(True)
        refused(storage, connection, InvalidJob, FAILED_BEFORE)
    connection.close()


@pytest.mark.parametrize("name", ASYNC_STACKS)
async def test_async_code_is_told_too(waiting_storage: AsyncPostgresStorage, url: str, name: str) -> None:
    async with ASYNC_STACKS[name](url) as mine:
        await execute(mine.tx, READ_ONLY)
        await waiting_refused(waiting_storage, mine.tx, StorageError, ROLL_BACK)
        await waiting_refused(waiting_storage, mine.tx, InvalidJob, FAILED_BEFORE)

        await mine.rollback()


def test_a_session_whose_transaction_was_cut_says_so_as_well(storage: PostgresStorage, url: str) -> None:
    with STACKS["session-psycopg"](url) as mine:
        mine.tx.connection().invalidate()
        refused(storage, mine.tx, InvalidJob, FAILED_BEFORE)


def test_tables_that_went_away_are_asked_for(storage: PostgresStorage, url: str) -> None:
    with closing(psycopg.connect(url)) as connection:
        connection.execute("alter table river_job drop column tags cascade")
        refused(storage, connection, SchemaOutOfDate, "migrate up .*Roll your transaction back")


def test_a_connection_that_broke_says_so(storage: PostgresStorage, url: str) -> None:
    for connect in (psycopg.connect, psycopg2.connect):
        with closing(connect(url)) as connection:
            connection.close()
            refused(storage, connection, StorageError, "closed.*Roll your transaction back")


def execute(tx: Any, statement: str) -> Any:
    """Run a statement as users of each library do."""
    if type(tx).__module__.startswith("sqlalchemy"):
        return tx.execute(sqlalchemy.text(statement))
    if type(tx).__module__.startswith("psycopg2"):
        return tx.cursor().execute(statement)
    return tx.execute(statement)


# Elsewhere


def test_a_transaction_on_another_database_is_refused(storage: PostgresStorage) -> None:
    with postgres().database() as other, closing(psycopg.connect(other)) as connection:
        sentence = (
            r"tx is a transaction on the database ferryman_\w+ and jobs are kept in postgres://.*cannot span both"
        )
        refused(storage, connection, Unsupported, sentence)

        assert connection.execute("select 1").fetchone() == (1,)  # their transaction goes on


def test_a_transaction_on_another_server_is_refused(storage: PostgresStorage) -> None:
    with closing(psycopg.connect(postgres15().url)) as connection:
        refused(storage, connection, Unsupported, "the database postgres of another server and jobs are kept in")


def test_a_search_path_that_misses_the_tables_is_refused(storage: PostgresStorage, url: str) -> None:
    with closing(psycopg.connect(url, options="-c search_path=pg_catalog")) as connection:
        refused(storage, connection, Unsupported, r"tx finds no river_job along its search_path.*\?schema=public")


def test_a_schema_in_the_url_is_found_along_any_search_path(url: str) -> None:
    location = f"{url}&schema=public"
    with OnPostgres(location).open() as storage:
        with closing(psycopg.connect(url, options="-c search_path=pg_catalog")) as connection:
            store(storage, mail(tx=connection))
            connection.commit()

        assert states(storage) == {State.AVAILABLE: 1}


@pytest.mark.slow
def test_a_server_that_was_started_anew_is_the_same_place() -> None:
    server = PostgresServer(postgres_programs()).start()
    place = OnPostgres(server.url)
    for line in ("main", "ferryman"):
        place.open().schema.migrate(line, up=True)
    with place.open() as storage:
        for _ in range(2):
            with closing(psycopg.connect(server.url)) as connection:
                store(storage, mail(tx=connection))
                connection.commit()
            server.kill()
            server.start()
        assert states(storage) == {State.AVAILABLE: 2}
    server.stop()


def test_a_session_on_sqlite_is_refused(storage: PostgresStorage) -> None:
    engine = sqlalchemy.create_engine("sqlite://")
    with Session(engine) as session:
        refused(storage, session, Unsupported, "tx is a Session on sqlite and jobs are kept on Postgres")
    engine.dispose()


# Nothing of ours


@pytest.mark.parametrize("nonsense", [object(), "begin", 7, type("AsyncSession", (), {"sync_session": None})()])
async def test_what_is_no_connection_is_named(
    storage: PostgresStorage, waiting_storage: AsyncPostgresStorage, nonsense: object
) -> None:
    refused(storage, nonsense, Unsupported, NONE_OF_OURS)
    await waiting_refused(waiting_storage, nonsense, Unsupported, f"tx is a \\S*{type(nonsense).__name__}")


@pytest.mark.parametrize("name", ASYNC_STACKS)
async def test_code_that_blocks_cannot_wait_for_an_async_connection(
    storage: PostgresStorage, url: str, name: str
) -> None:
    async with ASYNC_STACKS[name](url) as mine:
        refused(storage, mine.tx, Unsupported, r"tx is a .*, which only async code can wait for")
        await mine.rollback()


async def test_what_must_not_block_in_async_code_says_where_to_enqueue(
    waiting_storage: AsyncPostgresStorage, url: str
) -> None:
    connection = await asyncio.to_thread(django_connection, url)
    await waiting_refused(waiting_storage, connection, Unsupported, "Call enqueue_sync in the function that holds")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # SQLAlchemy drops what nobody awaits
async def test_the_inside_of_an_async_session_is_for_run_sync_only(
    waiting_storage: AsyncPostgresStorage, url: str
) -> None:
    async with ASYNC_STACKS["session-asyncpg"](url) as mine:
        inside = mine.tx.sync_session
        await waiting_refused(waiting_storage, inside, Unsupported, "which sync_to_async or run_sync runs")


# What a program may do about an error


def test_a_savepoint_of_ones_own_saves_the_rest(storage: PostgresStorage, url: str) -> None:
    with closing(psycopg.connect(url)) as connection:
        store(storage, mail(tx=connection))
        with pytest.raises(StorageError, match="Roll your transaction back"), connection.transaction():
            store(storage, mail(tx=connection, args=b'{"n":1e999999}'))
        connection.commit()

    assert states(storage) == {State.AVAILABLE: 1}


def test_a_user_who_may_only_enqueue_can(storage: PostgresStorage, url: str) -> None:
    with closing(psycopg.connect(url)) as connection:
        connection.execute("create role enqueuer")
        connection.execute("grant insert, select on river_job to enqueuer")
        connection.execute("grant usage on sequence river_job_id_seq to enqueuer")
        connection.execute("set local role enqueuer")
        store(storage, mail(tx=connection))
        storage.jobs.insert([mail(tx=connection, unique=unique_for(True))] * 2)
        connection.execute("reset role")
        connection.execute("drop owned by enqueuer; drop role enqueuer")
        connection.commit()

    assert states(storage) == {State.AVAILABLE: 2}
