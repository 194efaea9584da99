"""The outbox: from an application's own database to Redis, whatever dies on the way."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import asyncpg
import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from ferryman import Ferryman, InvalidJob, JobRef
from ferryman.events import JobFinished, OutboxRefused, OutboxSent, ServiceBack, ServiceFailed
from ferryman.outbox import Outbox, ddl
from ferryman.testing import Recorder, run_until_empty
from servers import Server, postgres, program, valkey

pytestmark = pytest.mark.slow

Program = tuple[Ferryman, list[int]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An application's own SQLite file, opened by Python's own library, with an outbox in it."""
    with sqlite3.connect(tmp_path / "app.db") as connection:
        for statement in ddl("sqlite"):
            connection.execute(statement)
    connection.close()
    return tmp_path / "app.db"


@pytest.fixture
def database() -> Iterator[str]:
    """A Postgres database with an outbox in it."""
    with postgres().database() as url:
        with psycopg.connect(url) as connection:
            for statement in ddl("postgres"):
                connection.execute(statement.encode())
        yield url


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(file, timeout=10)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


@asynccontextmanager
async def using(outbox: Outbox, url: str | None = None) -> AsyncIterator[Program]:
    """Open a program with an outbox and one task, which notes that it ran."""
    if url is None:
        valkey().flush()
    ran: list[int] = []
    async with Ferryman(url or valkey().url, outbox=outbox, poll_interval=0.05) as jobs:

        @jobs.task("note")
        async def note(number: int) -> None:
            ran.append(number)

        yield jobs, ran


async def test_a_job_is_sent_if_and_only_if_its_transaction_was_committed(file: Path) -> None:
    async with using(Outbox(lambda: opened(file))) as (jobs, ran):
        note = jobs.tasks["note"]
        with opened(file) as tx:
            stored = await note.using(tx=tx).enqueue(1)
        with opened(file) as tx:
            note.using(tx=tx).enqueue_sync(2)
            tx.rollback()

        assert await jobs.outbox.send() == 1
        await run_until_empty(jobs)

        assert ran == [1]
        assert (await jobs.admin.jobs.get(stored.ref)).kind == "note"


POSTGRES: dict[str, Callable[[str], Any]] = {
    "psycopg": lambda url: _psycopg(url),
    "async psycopg": lambda url: _async_psycopg(url),
    "asyncpg": lambda url: _asyncpg(url),
    "sqlalchemy": lambda url: _sqlalchemy(url.replace("postgresql://", "postgresql+psycopg://")),
    "async sqlalchemy": lambda url: _async_sqlalchemy(url.replace("postgresql://", "postgresql+asyncpg://")),
}


@contextmanager
def _psycopg(url: str) -> Iterator[Any]:
    with psycopg.connect(url) as connection:
        yield connection


@asynccontextmanager
async def _async_psycopg(url: str) -> AsyncIterator[Any]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield connection


@asynccontextmanager
async def _asyncpg(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            yield connection
    finally:
        await connection.close()


@contextmanager
def _sqlalchemy(url: str) -> Iterator[Any]:
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@asynccontextmanager
async def _async_sqlalchemy(url: str) -> AsyncIterator[Any]:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


@pytest.mark.parametrize("library", POSTGRES)
async def test_it_works_through_every_library_on_postgres(database: str, library: str) -> None:
    begin = POSTGRES[library]
    async with using(Outbox(lambda: begin(database))) as (jobs, ran):
        scope, note = begin(database), jobs.tasks["note"]
        if hasattr(scope, "__aenter__"):
            async with scope as tx:
                await jobs.enqueue_many([note.using(tx=tx).job(number) for number in range(3)])
        else:
            with scope as tx:
                jobs.sync.enqueue_many([note.using(tx=tx).job(number) for number in range(3)])
        assert (await jobs.outbox.waiting()).count == 3

        assert await jobs.outbox.send() == 3
        await run_until_empty(jobs)

        assert sorted(ran) == [0, 1, 2]
        assert (await jobs.outbox.waiting()).count == 0


async def test_a_relay_that_is_stopped_ends_the_transaction_that_it_is_in(file: Path) -> None:
    committing, may_commit, ends = asyncio.Event(), asyncio.Event(), []

    @asynccontextmanager
    async def slow() -> AsyncIterator[Any]:
        with opened(file) as tx:
            yield tx
        try:
            committing.set()
            await may_commit.wait()
            ends.append("committed")
        except asyncio.CancelledError:
            ends.append("cut short")
            raise

    async with using(Outbox(slow)) as (jobs, _), asyncio.timeout(60):
        async with jobs.outbox.relayed():
            await committing.wait()
            asyncio.get_running_loop().call_soon(may_commit.set)  # once the relay is being stopped

    assert set(ends) == {"committed"}


async def test_on_sqlite_it_works_through_sqlalchemy_too(file: Path) -> None:
    engine = create_engine(f"sqlite:///{file}")
    async with using(Outbox(engine.begin)) as (jobs, ran):
        with engine.begin() as tx:
            tx.execute(text("create table mine (n integer)"))
            jobs.tasks["note"].using(tx=tx).enqueue_sync(1)
        assert await jobs.outbox.send() == 1
        await run_until_empty(jobs)
        assert ran == [1]
    engine.dispose()


KILLED = """
    import asyncio, os, signal, sqlite3, sys
    from contextlib import contextmanager
    from ferryman import Ferryman
    from ferryman.outbox import Outbox

    @contextmanager
    def begin():
        with sqlite3.connect({file!r}, timeout=10) as tx:
            yield tx

    class Dying(Outbox):
        async def _settle(self, sent, away, refused):  # Redis has them, and nobody was told
            os.kill(os.getpid(), signal.SIGKILL)

    async def main():
        async with Ferryman({redis!r}, outbox=Dying(begin)) as jobs:
            await jobs.outbox.send()

    asyncio.run(main())
"""


async def test_a_relay_that_is_killed_before_it_notes_what_it_sent_loses_nothing_and_doubles_nothing(
    file: Path,
) -> None:
    outbox = Outbox(lambda: opened(file), claim=0.1, interval=0.05)
    async with using(outbox) as (jobs, ran):
        for number in range(150):
            with opened(file) as tx:
                await jobs.tasks["note"].using(tx=tx).enqueue(number)
        script = dedent(KILLED).format(file=str(file), redis=valkey().url)
        dead = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script], timeout=60)
        assert dead.returncode == -9
        assert (await outbox.waiting()).count == 150  # though a hundred of them are on Redis

        with Recorder(jobs.events) as seen:
            async with jobs.worker(concurrency=20):
                sent = 0
                while sent < 150:
                    sent += (await seen.wait_for(OutboxSent, within=30)).count
                await outbox.send()
                for _ in range(150):
                    await seen.wait_for(JobFinished, within=30)

        assert Counter(ran) == Counter(range(150))


async def test_while_redis_is_away_jobs_wait_in_their_order_and_it_is_said_once(file: Path) -> None:
    server = Server(program()).start()
    outbox = Outbox(lambda: opened(file), interval=0.02)
    async with using(outbox, server.url) as (jobs, _):
        server.kill()
        with opened(file) as tx:
            for number in range(3):
                await jobs.tasks["note"].using(tx=tx).enqueue(number)
        before = datetime.now(UTC) - timedelta(seconds=60)
        with Recorder(jobs.events) as seen:
            async with outbox.relayed():
                await seen.wait_for(ServiceFailed, lambda event: event.service == "outbox", within=30)
                waiting = await outbox.waiting()
                assert waiting.count == 3
                assert waiting.oldest
                assert waiting.oldest > before
                server.start()
                assert (await seen.wait_for(OutboxSent, within=30)).count == 3
                await seen.wait_for(ServiceBack, lambda event: event.service == "outbox", within=30)
            assert len(seen.of(ServiceFailed)) == 1
    server.kill()


async def test_a_job_that_redis_refuses_keeps_nobody_waiting(file: Path) -> None:
    outbox = Outbox(lambda: opened(file))
    async with using(outbox) as (jobs, _):
        with opened(file) as tx:
            refused = await jobs.tasks["note"].using(tx=tx, priority=2).enqueue(1)
            await jobs.tasks["note"].using(tx=tx).enqueue(2)
        with Recorder(jobs.events) as seen:
            assert await outbox.send() == 1
        assert await outbox.send() == 0
        (told,) = seen.of(OutboxRefused)
        assert told.ref == str(refused.ref)
        assert "priority=2" in told.why
        with opened(file) as tx:
            assert tx.execute("select job_ref, tries from ferryman_outbox where last_error is not null").fetchall() == [
                (told.ref, 1)
            ]


async def test_rows_that_were_sent_long_ago_are_deleted(file: Path) -> None:
    outbox = Outbox(lambda: opened(file), keep="1h")
    async with using(outbox) as (jobs, _):
        with opened(file) as tx:
            for number in range(3):
                await jobs.tasks["note"].using(tx=tx).enqueue(number)
        await outbox.send()
        with opened(file) as tx:
            tx.execute("update ferryman_outbox set sent_at = '2020-01-01T00:00:00.000+00:00' where id < 3")
        assert await outbox.clean() == 2


async def test_without_a_transaction_a_job_is_refused_and_with_its_own_database_nothing_is_in_between(
    file: Path, tmp_path: Path
) -> None:
    outbox = Outbox(lambda: opened(file))
    async with using(outbox) as (jobs, _):
        loose = sqlite3.connect(file, isolation_level=None)
        with pytest.raises(InvalidJob, match="without an open transaction"):
            await jobs.tasks["note"].using(tx=loose).enqueue(1)
        loose.close()
        assert isinstance((await jobs.tasks["note"].enqueue(1)).ref, JobRef)  # without tx it goes to Redis at once
    async with using(outbox, f"sqlite:///{tmp_path}/jobs.db") as (jobs, _):
        assert jobs.outbox is None
