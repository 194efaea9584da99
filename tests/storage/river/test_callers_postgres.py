"""The caller's own transaction on Postgres, in each library and framework that can hold one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from django.db.transaction import atomic
from stacks import ASYNC_STACKS, BLOCKING_ONLY, STACKS, AsyncMine, Mine, django_connection

from ferryman.job import State
from ferryman.options import unique_for
from ferryman.storage.river.postgres._async.storage import AsyncPostgresStorage
from ferryman.storage.river.postgres._sync.storage import PostgresStorage
from storage._async import acts as waiting
from storage._sync.acts import answer, states, store
from storage.places import PLACES, OnPostgres
from storage.samples import EVERYTHING, NOW, mail

SCHEMAS = ("river-postgres18", "river-postgres15-schema")
BULK = 20
"""More than are stored one by one."""


@pytest.fixture(params=SCHEMAS)
def place(request: pytest.FixtureRequest, tmp_path: Path, shared: Path) -> Iterator[OnPostgres]:
    """An empty database, with River's tables where they are by default, and in a schema of their own."""
    with PLACES[request.param](tmp_path, shared) as place:
        yield place


@pytest.fixture
def storage(place: OnPostgres) -> Iterator[PostgresStorage]:
    with place.open() as storage:
        yield storage


@pytest.fixture(params=STACKS | BLOCKING_ONLY)
def mine(request: pytest.FixtureRequest, place: OnPostgres) -> Iterator[Mine]:
    """A transaction in each way of code that blocks."""
    with (STACKS | BLOCKING_ONLY)[request.param](place.location.url) as mine:
        yield mine


@pytest.fixture
async def waiting_storage(place: OnPostgres) -> AsyncIterator[AsyncPostgresStorage]:
    async with place.async_open() as storage:
        yield storage


@pytest.fixture(params=ASYNC_STACKS)
async def async_mine(request: pytest.FixtureRequest, place: OnPostgres) -> AsyncIterator[AsyncMine]:
    """A transaction in each way of async code."""
    async with ASYNC_STACKS[request.param](place.location.url) as mine:
        yield mine


# Every way of code that blocks


def test_a_job_exists_once_its_transaction_commits(storage: PostgresStorage, mine: Mine) -> None:
    ref = store(storage, mail(tx=mine.tx, tags=("abc", "def-g"), metadata={"näme": "Ada $1 %s"}))
    assert states(storage) == {}

    mine.commit()

    job = storage.jobs.get(ref)
    assert (job.args, job.tags, job.metadata["näme"]) == (b'{"to": "ada@example.com"}', ("abc", "def-g"), "Ada $1 %s")


def test_a_job_of_a_transaction_that_rolls_back_never_was(storage: PostgresStorage, mine: Mine) -> None:
    store(storage, mail(tx=mine.tx))

    mine.rollback()

    assert states(storage) == {}


def test_many_are_told_from_those_that_they_repeat(storage: PostgresStorage, mine: Mine) -> None:
    older = answer(storage, mail(unique=unique_for(True)))
    jobs = [mail(tx=mine.tx, unique=unique_for(True), args=b'{"n":%d}' % (n % 2)) for n in range(3)]

    found = storage.jobs.insert([mail(tx=mine.tx, unique=unique_for(True)), *jobs], now=NOW)
    mine.commit()

    assert [each.duplicate for each in found] == [True, False, False, True]
    assert (found[0].ref, found[3].ref) == (older.ref, found[1].ref)
    assert states(storage) == {State.AVAILABLE: 3}


def test_the_fast_way_takes_part(storage: PostgresStorage, mine: Mine) -> None:
    assert storage.jobs.insert_fast([mail(tx=mine.tx, tags=("abc",))] * BULK, now=NOW) == BULK
    assert states(storage) == {}

    mine.commit()

    assert states(storage) == {State.AVAILABLE: BULK}


# Every way of async code


async def test_async_a_job_exists_once_its_transaction_commits(
    waiting_storage: AsyncPostgresStorage, async_mine: AsyncMine
) -> None:
    ref = await waiting.store(waiting_storage, mail(tx=async_mine.tx, metadata={"näme": "Ada $1 %s"}))
    assert await waiting.states(waiting_storage) == {}

    await async_mine.commit()

    assert (await waiting_storage.jobs.get(ref)).metadata["näme"] == "Ada $1 %s"


async def test_async_a_job_of_a_transaction_that_rolls_back_never_was(
    waiting_storage: AsyncPostgresStorage, async_mine: AsyncMine
) -> None:
    await waiting.store(waiting_storage, mail(tx=async_mine.tx))

    await async_mine.rollback()

    assert await waiting.states(waiting_storage) == {}


async def test_async_many_are_told_from_those_that_they_repeat(
    waiting_storage: AsyncPostgresStorage, async_mine: AsyncMine
) -> None:
    older = await waiting.answer(waiting_storage, mail(unique=unique_for(True)))
    jobs = [mail(tx=async_mine.tx, unique=unique_for(True), args=b'{"n":%d}' % (n % 2)) for n in range(3)]

    found = await waiting_storage.jobs.insert([mail(tx=async_mine.tx, unique=unique_for(True)), *jobs], now=NOW)
    await async_mine.commit()

    assert [each.duplicate for each in found] == [True, False, False, True]
    assert (found[0].ref, found[3].ref) == (older.ref, found[1].ref)


async def test_async_the_fast_way_takes_part(waiting_storage: AsyncPostgresStorage, async_mine: AsyncMine) -> None:
    assert await waiting_storage.jobs.insert_fast([mail(tx=async_mine.tx)] * BULK, now=NOW) == BULK
    assert await waiting.states(waiting_storage) == {}

    await async_mine.commit()

    assert await waiting.states(waiting_storage) == {State.AVAILABLE: BULK}


@pytest.mark.parametrize("name", STACKS)
async def test_what_blocks_can_be_used_in_async_code(
    waiting_storage: AsyncPostgresStorage, place: OnPostgres, name: str
) -> None:
    with STACKS[name](place.location.url) as mine:
        await waiting.store(waiting_storage, mail(tx=mine.tx))
        mine.commit()

    assert await waiting.states(waiting_storage) == {State.AVAILABLE: 1}


# What each library has of its own


def test_a_block_of_psycopg_is_a_transaction(storage: PostgresStorage, place: OnPostgres) -> None:
    with closing(psycopg.connect(place.location.url, autocommit=True)) as connection:
        with connection.transaction():
            store(storage, mail(tx=connection))
            assert states(storage) == {}
        assert states(storage) == {State.AVAILABLE: 1}

        with connection.pipeline(), connection.transaction():
            store(storage, mail(tx=connection))
        assert states(storage) == {State.AVAILABLE: 2}


def test_atomic_of_django_is_a_transaction_and_so_is_one_within(storage: PostgresStorage, place: OnPostgres) -> None:
    connection = django_connection(place.location.url)
    with atomic():
        store(storage, mail(tx=connection))
        with suppress(ZeroDivisionError), atomic():
            store(storage, mail(tx=connection, queue="undone"))
            _ = 1 / 0
        assert states(storage) == {}
    connection.close()

    assert [job.queue for job in storage.jobs.list(EVERYTHING).items] == ["default"]


def test_a_savepoint_of_a_session_that_rolls_back_takes_its_jobs_along(
    storage: PostgresStorage, place: OnPostgres
) -> None:
    with STACKS["session-psycopg"](place.location.url) as mine:
        store(storage, mail(tx=mine.tx))
        inner = mine.tx.begin_nested()
        store(storage, mail(tx=mine.tx))
        inner.rollback()
        mine.commit()

    assert states(storage) == {State.AVAILABLE: 1}


async def test_code_that_blocks_may_run_inside_an_async_session(storage: PostgresStorage, place: OnPostgres) -> None:
    async with ASYNC_STACKS["session-asyncpg"](place.location.url) as mine:
        await mine.tx.run_sync(lambda session: store(storage, mail(tx=session)))
        await mine.commit()

    assert states(storage) == {State.AVAILABLE: 1}


# What others hear


@pytest.mark.parametrize("name", ["psycopg", "psycopg2", "session-psycopg", "django"])
def test_others_hear_of_a_job_when_it_is_committed_and_of_no_other(
    storage: PostgresStorage, place: OnPostgres, name: str
) -> None:
    with listening(place) as heard, (STACKS | BLOCKING_ONLY)[name](place.location.url) as mine:
        store(storage, mail(tx=mine.tx, queue="undone"))
        mine.rollback()
        store(storage, mail(tx=mine.tx))
        assert heard(0) == []

        mine.commit()

        assert heard(1) == ['{"queue": "default"}']


@pytest.mark.parametrize("name", ASYNC_STACKS)
async def test_async_others_hear_of_a_job_when_it_is_committed(
    waiting_storage: AsyncPostgresStorage, place: OnPostgres, name: str
) -> None:
    with listening(place) as heard:
        async with ASYNC_STACKS[name](place.location.url) as undone:
            await waiting.store(waiting_storage, mail(tx=undone.tx, queue="undone"))
            await undone.rollback()
        async with ASYNC_STACKS[name](place.location.url) as mine:
            await waiting.store(waiting_storage, mail(tx=mine.tx))
            assert heard(0) == []

            await mine.commit()

            assert heard(1) == ['{"queue": "default"}']


@contextmanager
def listening(place: OnPostgres) -> Iterator[Callable[[int], list[str]]]:
    """Give what returns the notices of new jobs: all that are there, or waits for so many."""
    with closing(psycopg.connect(place.location.url, autocommit=True)) as ear:
        ear.execute(f'listen "{place.location.schema or "public"}.river_insert"'.encode())

        def heard(wanted: int) -> list[str]:
            ear.execute("select 1")  # what was committed before this has arrived after it
            return [notice.payload for notice in ear.notifies(timeout=20 if wanted else 0, stop_after=wanted or None)]

        yield heard
