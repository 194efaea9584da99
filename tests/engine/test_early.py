"""A job that its task completes in a transaction of its own: done if, and only if, that commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ferryman import (
    Ferryman,
    checkpoint,
    complete,
    complete_sync,
    cursor_step,
    record_output,
    set_metadata,
    step,
)
from ferryman.errors import FerrymanError, Unsupported, WrongState
from ferryman.events import JobFinished
from ferryman.job import Job, State
from ferryman.outcome import Completed, Retry
from ferryman.storage.river.postgres._async.storage import AsyncPostgresStorage
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.sqlite.library import library
from ferryman.testing import Recorder
from servers import postgres


class OnSqlite:
    """A file with a table of the program's own beside the jobs."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "jobs.db")
        self.url = f"sqlite:///{self.path}?synchronous=normal"

    def connect(self) -> Any:
        return closing(library().connect(self.path))

    async def make_tables(self) -> None:
        """Do nothing: a new file gets its tables when it is opened."""


class OnPostgres:
    def __init__(self, url: str) -> None:
        self.url = url

    def connect(self) -> Any:
        return closing(psycopg.connect(self.url))

    async def make_tables(self) -> None:
        storage = AsyncPostgresStorage(Location.parse(self.url))
        await storage.schema.migrate("main", up=True)
        await storage.__aexit__()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "sqlite":
        yield OnSqlite(tmp_path)
    else:
        with postgres().database() as url:
            yield OnPostgres(url)


@pytest.fixture
async def jobs(place: Any) -> AsyncIterator[Ferryman]:
    """A program that keeps a table of letters beside its jobs."""
    await place.make_tables()
    async with Ferryman(place.url) as jobs:
        with place.connect() as connection:
            connection.cursor().execute("create table letter (job text)")
            connection.commit()
        yield jobs


@pytest.fixture
def seen(jobs: Ferryman) -> Recorder:
    return Recorder(jobs.events)


def letters(place: Any) -> int:
    with place.connect() as connection:
        cursor = connection.cursor()
        cursor.execute("select count(*) from letter")
        return int(cursor.fetchone()[0])


async def worked(jobs: Ferryman, seen: Recorder, task: Any) -> tuple[JobFinished, Job]:
    """Run a job of this task, and return what was told of it and how it is stored."""
    await task.enqueue()
    async with jobs.worker(poll_interval=0.02):
        told = await seen.wait_for(JobFinished)
    storage = await jobs.connections.storage()
    return told, await storage.jobs.get(told.job.ref)


def write(connection: Any) -> None:
    connection.cursor().execute("insert into letter values ('dear ada')")


async def test_its_work_and_its_end_are_committed_together(jobs: Ferryman, seen: Recorder, place: Any) -> None:
    during: list[State] = []

    @jobs.task("mail")
    async def mail(job: Job) -> None:
        storage = await jobs.connections.storage()
        with place.connect() as connection:
            write(connection)
            record_output({"sent": 1})
            await complete(connection)
            during.append((await storage.jobs.get(job.ref)).state)
            connection.commit()
        during.append((await storage.jobs.get(job.ref)).state)
        set_metadata("later", True)

    told, stored = await worked(jobs, seen, mail)

    assert during == [State.RUNNING, State.COMPLETED]
    assert letters(place) == 1
    assert (told.state, told.outcome, stored.state) == (State.COMPLETED, Completed(None), State.COMPLETED)
    assert (stored.metadata["output"], stored.metadata["later"]) == ({"sent": 1}, True)


async def test_what_is_rolled_back_leaves_the_job_as_it_was(jobs: Ferryman, seen: Recorder, place: Any) -> None:
    @jobs.task("mail", backoff="1h")
    async def mail() -> None:
        with place.connect() as connection:
            write(connection)
            await complete(connection)
            connection.rollback()
            raise ValueError("no stamps")

    told, stored = await worked(jobs, seen, mail)

    assert letters(place) == 0
    assert (type(told.outcome), stored.state) == (Retry, State.RETRYABLE)


async def test_who_fails_after_the_commit_has_completed_all_the_same(
    jobs: Ferryman, seen: Recorder, place: Any
) -> None:
    @jobs.task("mail")
    async def mail() -> None:
        with place.connect() as connection:
            await complete(connection)
            connection.commit()
        raise ValueError("too late to matter")

    told, stored = await worked(jobs, seen, mail)

    assert (told.state, told.outcome) == (State.COMPLETED, Completed(None))
    assert (stored.state, stored.errors) == (State.COMPLETED, ())


async def test_a_plain_function_completes_its_job_from_its_thread(jobs: Ferryman, seen: Recorder, place: Any) -> None:
    @jobs.task("mail")
    def mail() -> None:
        with place.connect() as connection:
            write(connection)
            complete_sync(connection)
            connection.commit()

    told, stored = await worked(jobs, seen, mail)

    assert (told.state, stored.state, letters(place)) == (State.COMPLETED, State.COMPLETED, 1)


async def test_a_job_that_somebody_else_has_takes_nothing_along(jobs: Ferryman, seen: Recorder, place: Any) -> None:
    refused: list[WrongState] = []

    @jobs.task("mail")
    async def mail(job: Job) -> None:
        storage = await jobs.connections.storage()
        lost = await storage.jobs.get(job.ref)
        await storage.jobs.rescue([_given_up(lost)])
        with place.connect() as connection:
            write(connection)
            try:
                await complete(connection)
            except WrongState as error:
                refused.append(error)
                connection.rollback()

    told, stored = await worked(jobs, seen, mail)

    assert "no longer this attempt's" in str(refused[0])
    assert (told.state, stored.state, letters(place)) == (None, State.DISCARDED, 0)


def _given_up(job: Job) -> Any:
    from ferryman.job import AttemptError
    from ferryman.outcome import Discarded, Finished

    assert job.attempted_at is not None
    return Finished(job, Discarded(AttemptError(job.attempted_at, job.attempt, "given up for dead")))


# Where it cannot be


async def test_outside_a_task_there_is_nothing_to_complete() -> None:
    with pytest.raises(FerrymanError, match="outside a running task"):
        await complete(object())
    with pytest.raises(FerrymanError, match="outside a running task"):
        complete_sync(object())


async def test_jobs_in_memory_cannot_share_a_transaction() -> None:
    said: list[str] = []
    async with Ferryman("sqlite://") as jobs:
        seen = Recorder(jobs.events)

        @jobs.task("mail")
        async def mail() -> None:
            with closing(library().connect(":memory:")) as connection:
                try:
                    await complete(connection)
                except Unsupported as error:
                    said.append(str(error))

        await mail.enqueue()
        async with jobs.worker():
            await seen.wait_for(JobFinished)

    assert "memory" in said[0]


async def test_many_jobs_complete_early_at_once(jobs: Ferryman, seen: Recorder, place: Any) -> None:
    @jobs.task("mail")
    def mail() -> None:
        with place.connect() as connection:
            write(connection)
            complete_sync(connection)
            connection.commit()

    await jobs.enqueue_many([mail.job() for _ in range(20)])
    async with jobs.worker(concurrency=5, poll_interval=0.02):
        ended = [await asyncio.wait_for(seen.wait_for(JobFinished), 10) for _ in range(20)]

    assert {event.state for event in ended} == {State.COMPLETED}
    assert letters(place) == 20


# How far it has come


async def test_a_step_and_its_mark_are_committed_together(jobs: Ferryman, seen: Recorder, place: Any) -> None:
    runs: list[str] = []

    @jobs.task("mail", backoff="0s")
    async def mail() -> None:
        async def letter() -> None:
            runs.append("letter")
            with place.connect() as connection:
                write(connection)
                await checkpoint(connection)
                connection.commit()
            raise ValueError("the post office burns")

        await step("letter", letter)
        runs.append("end")

    await mail.enqueue()
    async with jobs.worker(poll_interval=0.02):
        while (await seen.wait_for(JobFinished)).state is not State.COMPLETED:
            pass

    assert (runs, letters(place)) == (["letter", "end"], 1)


async def nothing() -> None: ...


async def test_a_mark_that_is_rolled_back_was_never_there(jobs: Ferryman, seen: Recorder, place: Any) -> None:
    begun: list[Any] = []

    @jobs.task("mail", backoff="0s")
    async def mail() -> None:
        async def rows(cursor: Any) -> None:
            begun.append(cursor)
            for row in range(cursor or 0, 4):
                with place.connect() as connection:
                    write(connection)
                    await checkpoint(connection, cursor=row + 1)
                    if row == 2 and len(begun) == 1:
                        connection.rollback()
                        raise ValueError("no stamps")
                    connection.commit()

        await step("first", nothing)
        await cursor_step("rows", rows)

    await mail.enqueue()
    async with jobs.worker(poll_interval=0.02):
        while (await seen.wait_for(JobFinished)).state is not State.COMPLETED:
            pass

    assert (begun, letters(place)) == ([None, 2], 4)


async def test_outside_a_step_there_is_nothing_to_mark(jobs: Ferryman, seen: Recorder, place: Any) -> None:
    @jobs.task("mail", retries=0)
    async def mail() -> None:
        with place.connect() as connection:
            await checkpoint(connection)

    told, _ = await worked(jobs, seen, mail)

    assert "checkpoint() was called outside a step" in told.outcome.error.error  # type: ignore[union-attr]
