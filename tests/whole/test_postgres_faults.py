"""What becomes of jobs when Postgres, one of our connections, a row or the leader is in trouble.

Each test has a database of its own on a server of its own, which keeps what it committed.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ferryman import Ferryman, State
from ferryman.connect import connect
from ferryman.storage.river.bundle import LINES
from servers import PostgresServer, postgres_programs
from whole.fleet import Ferry, Sail, sailing, until

pytestmark = pytest.mark.slow

TELLS = ["WorkerStarted", "JobFinished", "StorageLost", "StorageBack", "ServiceFailed", "ServiceBack"]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer(postgres_programs(), fsync="on").start()
    yield server
    server.stop()


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    """A database of its own, with all tables."""
    with server.database() as url:
        storage = connect(url).twin()
        for line in LINES:
            storage.schema.migrate(line, up=True)
        storage.__exit__(None, None, None)
        yield url


@pytest.fixture
async def jobs(url: str) -> AsyncIterator[Ferryman]:
    """This process, which enqueues and looks."""
    async with Ferryman(url) as jobs:
        yield jobs


@pytest.fixture
def sail(url: str) -> Sail:
    return sailing(url)


@pytest.fixture
def db(url: str, jobs: Ferryman) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else's session."""
    with psycopg.connect(url, autocommit=True, application_name="other") as connection:
        yield connection


def backends(db: psycopg.Connection[Any]) -> list[int]:
    """Return the server's processes behind ferryman's connections, this process's included."""
    rows = db.execute("select pid from pg_stat_activity where application_name = 'ferryman' order by backend_start")
    return [pid for (pid,) in rows]


async def counted(jobs: Ferryman, expected: dict[State, int]) -> None:
    async def is_so() -> bool:
        return await jobs.admin.jobs.count() == expected

    await until(is_so)


async def land(*ferries: Ferry) -> None:
    for ferry in ferries:
        ferry.tell(signal.SIGTERM)
        assert await ferry.ends() == 0


def completed(*ferries: Ferry) -> Counter[str]:
    """Count how often each job was said to be completed."""
    return Counter(
        line[1] for ferry in ferries for line in ferry.said if line[0] == "finished" and line[2] == "completed"
    )


async def test_a_server_that_is_killed_in_the_middle_of_a_run_loses_no_job_and_completes_none_twice(
    jobs: Ferryman, sail: Sail, server: PostgresServer, tmp_path: Path
) -> None:
    note, count = jobs.kind("note"), 3_000
    settings = {"concurrency": 20, "timeout": 3, "rescue_after": 3}
    said = {"log": str(tmp_path / "runs.txt"), "tells": TELLS, "settings": settings}
    async with sail(**said) as first, sail(**said) as second:
        await first.hears("ready")
        await second.hears("ready")
        await jobs.enqueue_many([note.job({"number": number}) for number in range(count)])
        await first.hears("finished")
        await second.hears("finished")

        server.kill()
        for ferry in (first, second):
            _, why = await ferry.hears("lost")
            assert why.startswith("Postgres failed on postgres://ferryman@127.0.0.1:")
            assert "couldn't get a connection" not in why
        server.start()

        for ferry in (first, second):
            await ferry.hears("back")
        await counted(jobs, {State.COMPLETED: count})
        await land(first, second)

    assert set(completed(first, second).values()) == {1}
    done = {line.split()[0] for line in (tmp_path / "runs.txt").read_text().splitlines()}
    assert done == set(map(str, range(count)))
    for ferry in (first, second):
        told = [line for line in ferry.said if line[0] not in ("ready", "finished")]
        assert [line[0] for line in told if line[0] in ("lost", "back")] == ["lost", "back"], told


async def test_each_connection_may_be_ended_by_an_administrator(
    jobs: Ferryman, sail: Sail, db: psycopg.Connection[Any]
) -> None:
    # Nothing is found by polling: a job is only heard of.
    settings = {"poll_interval": 3600, "heartbeat_interval": 0.1}
    async with sail(tells=[*TELLS, "Listening"], settings=settings) as ferry:
        await ferry.hears("ready")
        ref = (await jobs.kind("effect").enqueue({})).ref
        await ferry.hears("finished", ref.id, "completed")
        ours = set(backends(db))
        await jobs.connections.close()
        pids = [pid for pid in backends(db) if pid in ours]
        assert len(pids) >= 3  # the pool, the one that listens, the heartbeat's

        for pid in pids:
            db.execute("select pg_terminate_backend(%s, 5000)", [pid])
            ref = (await jobs.kind("effect").enqueue({})).ref
            await ferry.hears("finished", ref.id, "completed")
        await land(ferry)

    assert set(completed(ferry).values()) == {1}


async def test_a_row_that_somebody_locks_keeps_no_other_job_from_being_completed_and_ends_when_it_is_let_go(
    jobs: Ferryman, sail: Sail, db: psycopg.Connection[Any], tmp_path: Path
) -> None:
    log = tmp_path / "runs.txt"
    async with sail(tells=[*TELLS, "JobStarted"], log=str(log)) as ferry:
        held = (await jobs.kind("hold").enqueue({})).ref
        await ferry.hears("started", held.id)
        with db.transaction():
            db.execute("select from river_job where id = %s for update", [held.id])
            ferry.tell(signal.SIGUSR1)
            note = jobs.kind("note")
            await jobs.enqueue_many([note.job({"number": number}) for number in range(50)])
            await counted(jobs, {State.COMPLETED: 50, State.RUNNING: 1})
        await counted(jobs, {State.COMPLETED: 51})
        await land(ferry)

    assert set(completed(ferry).values()) == {1}
    assert Counter(log.read_text().splitlines()) == Counter(f"{number} 1" for number in range(50))


async def test_a_lock_that_the_server_gives_up_on_is_said_once_and_the_outcome_is_written_later(
    jobs: Ferryman, sail: Sail, db: psycopg.Connection[Any]
) -> None:
    db.execute(f"alter database {db.info.dbname} set lock_timeout = '50ms'")
    async with sail(tells=[*TELLS, "JobStarted"], settings={"poll_interval": 3600}) as ferry:
        held = (await jobs.kind("hold").enqueue({})).ref
        await ferry.hears("started", held.id)
        with db.transaction():
            db.execute("lock table river_job in exclusive mode")
            ferry.tell(signal.SIGUSR1)
            _, why = await ferry.hears("lost")
            assert "lock timeout" in why
        await ferry.hears("finished", held.id, "completed")
        await land(ferry)

    told = [line[0] for line in ferry.said if line[0] in ("lost", "back", "failed")]
    assert told == ["lost", "back"]


async def test_when_the_leader_is_killed_another_leads_after_its_lease(
    jobs: Ferryman, sail: Sail, db: psycopg.Connection[Any]
) -> None:
    said: dict[str, Any] = {"tells": ["LeaderChanged", "JobFinished"], "lease": 2, "settings": {"elect_interval": 0.1}}
    async with sail(**said) as first:
        await first.hears("leads")
        async with sail(**said) as second:
            first.tell(signal.SIGKILL)
            await first.ends()
            later = await jobs.kind("effect").using(delay=0.5).enqueue({})

            await second.hears("leads")

            await second.hears("finished", later.ref.id, "completed")
            leaders = db.execute("select leader_id from river_leader").fetchall()
            assert len(leaders) == 1
            await land(second)


async def test_a_server_that_refuses_writes_for_a_while_is_waited_for(
    jobs: Ferryman, sail: Sail, db: psycopg.Connection[Any]
) -> None:
    async with sail(tells=[*TELLS, "JobStarted"]) as ferry:
        held = (await jobs.kind("hold").enqueue({})).ref
        await ferry.hears("started", held.id)
        db.execute(f"alter database {db.info.dbname} set default_transaction_read_only = on")
        for pid in backends(db):
            db.execute("select pg_terminate_backend(%s, 5000)", [pid])
        # The end of the connections may be said before; then their successors are back for a moment.
        while "read-only" not in (await ferry.hears("lost"))[1]:
            pass

        ferry.tell(signal.SIGUSR1)
        db.execute("set default_transaction_read_only = off")
        db.execute(f"alter database {db.info.dbname} reset default_transaction_read_only")

        await ferry.hears("back")
        await ferry.hears("finished", held.id, "completed")
        await land(ferry)

    assert set(completed(ferry).values()) == {1}
