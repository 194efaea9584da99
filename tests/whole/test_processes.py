"""Real worker processes: started, fed from outside, killed, asked to stop, cut off from their storage."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ferryman import Ferryman, JobRef, State
from ferryman.storage.river.sqlite.library import library
from whole.fleet import Sail, sailing, until

pytestmark = pytest.mark.slow


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/jobs.db?synchronous=normal"


@pytest.fixture
async def jobs(url: str) -> AsyncIterator[Ferryman]:
    """This process, which enqueues and looks."""
    async with Ferryman(url) as jobs:
        await jobs.connections.storage()
        yield jobs


@pytest.fixture
def sail(url: str) -> Sail:
    return sailing(url)


def runs(folder: Path) -> Counter[str]:
    """Count the lines that jobs of `note` have left."""
    return Counter((folder / "runs.txt").read_text().splitlines())


async def put(jobs: Ferryman, kind: str, **args: Any) -> JobRef:
    return (await jobs.kind(kind).enqueue(args)).ref


async def test_what_one_process_enqueues_another_works(jobs: Ferryman, sail: Sail) -> None:
    async with sail() as ferry:
        await ferry.hears("ready")

        ref = await put(jobs, "effect")

        assert await ferry.hears("finished") == ["finished", ref.id, "completed"]


async def test_a_job_whose_worker_was_killed_is_finished_by_another(jobs: Ferryman, sail: Sail) -> None:
    ref = await put(jobs, "block_once")
    async with sail(settings={"lead": False}) as first:
        await first.hears("started", ref.id)
        first.tell(signal.SIGKILL)
        assert await first.ends() == -signal.SIGKILL

    async with sail(settings={"rescue_after": 0.2}) as second:
        await second.hears("finished", ref.id, "completed")

    job = await jobs.admin.jobs.get(ref)
    assert (job.state, job.attempt, job.metadata["output"]) == (State.COMPLETED, 2, "attempt 2")
    assert [error.error for error in job.errors] == ["Stuck job rescued by JobRescuer"]
    assert len(job.attempted_by) == 2


async def test_a_killed_worker_is_found_dead_by_its_silence(jobs: Ferryman, sail: Sail) -> None:
    ref = await put(jobs, "block_once")
    async with sail(settings={"lead": False, "heartbeat_interval": 0.1}) as first:
        await first.hears("started", ref.id)
        await until(jobs.admin.workers.list)
        first.tell(signal.SIGKILL)
        assert await first.ends() == -signal.SIGKILL

    async with sail(settings={"rescue_silent": 0.5, "heartbeat_interval": 0.1}) as second:
        await second.hears("finished", ref.id, "completed")

    job = await jobs.admin.jobs.get(ref)
    assert (job.state, job.attempt) == (State.COMPLETED, 2)
    assert [error.error for error in job.errors] == ["Stuck job rescued by JobRescuer"]


async def test_a_worker_that_dies_between_doing_and_writing_has_its_job_done_again(jobs: Ferryman, sail: Sail) -> None:
    ref = await put(jobs, "effect")
    async with sail(settings={"lead": False}, dies_before_writing=True) as first:
        await first.hears("effect", 1)
        assert await first.ends() == -signal.SIGKILL
    assert (await jobs.admin.jobs.get(ref)).state is State.RUNNING

    async with sail(settings={"rescue_after": 0.2}) as second:
        await second.hears("effect", 2)
        await second.hears("finished", ref.id, "completed")


async def test_sigterm_lets_a_running_job_end_and_takes_no_other(jobs: Ferryman, sail: Sail) -> None:
    async with sail() as ferry:
        ref = await put(jobs, "hold")
        await ferry.hears("started", ref.id)

        ferry.tell(signal.SIGTERM)
        assert await ferry.hears("stopping") == ["stopping", 1, "SIGTERM"]
        later = await put(jobs, "effect")
        ferry.tell(signal.SIGUSR1)

        assert await ferry.ends() == 0
        assert ferry.said[-2:] == [["finished", ref.id, "completed"], ["stopped", 0]]
    assert (await jobs.admin.jobs.get(later)).state is State.AVAILABLE


async def test_what_does_not_end_in_time_goes_back_unharmed_and_another_takes_it(jobs: Ferryman, sail: Sail) -> None:
    async with sail(settings={"shutdown_timeout": 0.05}) as first:
        ref = await put(jobs, "hold")
        await first.hears("started", ref.id)
        first.tell(signal.SIGTERM)
        assert await first.ends() == 0
        assert first.said[-1] == ["stopped", 1]
    job = await jobs.admin.jobs.get(ref)
    assert (job.state, job.attempt, job.errors) == (State.AVAILABLE, 0, ())

    async with sail() as second:
        await second.hears("started", ref.id)
        second.tell(signal.SIGUSR1)
        await second.hears("finished", ref.id, "completed")
    assert (await jobs.admin.jobs.get(ref)).attempt == 1


async def test_when_the_leader_stops_another_leads_from_the_next_election(jobs: Ferryman, sail: Sail) -> None:
    # On SQLite nobody says that he steps down, as with River: but the lease of 15 s need not run out.
    tells, settings = ["LeaderChanged", "JobFinished"], {"elect_interval": 0.1, "poll_interval": 3600}
    async with sail(tells=tells, settings={**settings, "queues": "elsewhere"}) as first:
        await first.hears("leads")
        async with sail(tells=tells, settings=settings) as second:
            for _ in range(2):  # the second job is only found by listening
                await put(jobs, "effect")
                await second.hears("finished")

            first.tell(signal.SIGTERM)

            await second.hears("leads")


async def test_a_task_that_blocks_its_loop_is_told_of_and_its_worker_counts_as_alive(
    jobs: Ferryman, sail: Sail
) -> None:
    async with sail(settings={"heartbeat_interval": 0.1}, tells=["JobStarted", "LoopBlocked"]) as ferry:
        ref = await put(jobs, "block_once")
        await ferry.hears("started", ref.id)
        await ferry.hears("blocked")

        async def says_what_it_runs() -> bool:
            (worker,) = await jobs.admin.workers.list()
            return [(each.ref, each.kind) for each in worker.running] == [(ref, "block_once")]

        await until(says_what_it_runs)


async def test_a_worker_outlives_a_database_that_somebody_keeps_locked(
    jobs: Ferryman, sail: Sail, tmp_path: Path
) -> None:
    tells = ["WorkerStarted", "StorageLost", "StorageBack", "JobFinished"]
    async with sail(tells=tells, busy_seconds=0.05) as ferry:
        await ferry.hears("ready")
        ref = await put(jobs, "effect")
        await ferry.hears("finished", ref.id)

        connection = library().connect(tmp_path / "jobs.db", isolation_level=None)
        connection.execute("begin immediate")
        await ferry.hears("lost")
        connection.execute("rollback")
        connection.close()
        await ferry.hears("back")

        ref = await put(jobs, "effect")
        await ferry.hears("finished", ref.id, "completed")


async def test_two_workers_run_none_of_ten_thousand_jobs_twice(jobs: Ferryman, sail: Sail, tmp_path: Path) -> None:
    note, count = jobs.kind("note"), 10_000
    said = {"log": str(tmp_path / "runs.txt"), "tells": ["WorkerStarted"], "settings": {"concurrency": 100}}
    async with sail(**said) as first, sail(**said) as second:
        await first.hears("ready")
        await second.hears("ready")
        await jobs.enqueue_many([note.job({"number": number}) for number in range(count)])

        async def all_are_done() -> bool:
            return await jobs.admin.jobs.count() == {State.COMPLETED: count}

        await until(all_are_done)
        for ferry in (first, second):
            ferry.tell(signal.SIGTERM)
            assert await ferry.ends() == 0

    assert runs(tmp_path) == Counter(f"{number} 1" for number in range(count))
    assert len(workers(tmp_path)) == 2


def workers(folder: Path) -> list[str]:
    """Return who has taken jobs."""
    connection = library().connect(folder / "jobs.db")
    try:
        return [row[0] for row in connection.execute("select distinct json(attempted_by) from river_job")]
    finally:
        connection.close()
