"""What ferryman keeps beside the jobs is deleted while a worker works, tables and all: nothing else breaks."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from ferryman import Ferryman
from ferryman.events import JobFinished, ServiceFailed
from ferryman.storage.river.sqlite.library import library
from ferryman.testing import Recorder
from servers import postgres, valkey

TABLES = ("ferryman_note", "ferryman_worker", "ferryman_schedule")
Deletion = Callable[[], None]


def in_sqlite(path: Path) -> None:
    connection: sqlite3.Connection = library().connect(path)
    connection.executescript(";".join(f"drop table {table}" for table in TABLES))
    connection.close()


def in_postgres(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(f"drop table {table}")  # type: ignore[arg-type]


def in_redis() -> None:
    redis = valkey().client()
    for key in redis.scan_iter("ferryman:*"):
        redis.delete(key)


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Deletion]]:
    """Where jobs are, and how to delete all that is beside them."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/jobs.db?synchronous=normal", lambda: in_sqlite(tmp_path / "jobs.db")
    elif request.param == "redis":
        valkey().flush()
        yield valkey().url, in_redis
    else:
        with postgres().database() as url:
            yield url, lambda: in_postgres(url)


async def test_all_side_data_may_be_deleted_while_a_worker_works(
    place: tuple[str, Deletion], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.chores.COUNTED", 0.05)
    url, delete = place
    jobs = Ferryman(url, heartbeat_interval=0.05)

    @jobs.every("1h", on_start=True)
    @jobs.task("count")
    async def count() -> None: ...

    @jobs.every("1s", on_start=True)
    @jobs.task("tick")
    async def tick() -> None: ...

    def counted(event: JobFinished) -> bool:
        return event.job.kind == "count"

    seen = Recorder(jobs.events)
    await jobs.admin.storage.migrate_all()
    async with jobs, jobs.worker():
        await seen.wait_for(JobFinished, counted)

        await asyncio.to_thread(delete)
        stored = await asyncio.gather(*(count.enqueue() for _ in range(20)))
        for _ in stored:
            await seen.wait_for(JobFinished, counted, within=60)
        await seen.wait_for(JobFinished, lambda event: event.job.kind == "tick" and event.seconds, within=60)

        there = await jobs.admin.snapshot()
        series = await jobs.admin.stats.series(timedelta(hours=1))

    assert there.missing == {}
    assert [queue.name for queue in there.queues or ()] == ["default"]
    assert len(series.lines) == 1
    assert seen.of(ServiceFailed) == []
