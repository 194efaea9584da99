"""Workers of both sides on one queue: every job is worked once, and what one lost the other takes back."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from pathlib import Path

from ferryman import Ferryman
from programs import Asker, Enqueue, Work, until
from servers import Servers

LEASE, MANY = 30, 10_000


async def test_of_20_000_jobs_none_is_lost_and_none_is_run_twice(
    work: Work, go: Asker, jobs: Ferryman, tmp_path: Path
) -> None:
    logs = {side: tmp_path / side for side in ("go", "python")}

    async with (
        work("go", concurrency=20, log=str(logs["go"])),
        work("python", concurrency=20, log=str(logs["python"])),
    ):
        await asyncio.gather(
            go.ask("enqueue_many", count=MANY, id="go ", job={"kind": "count"}),
            jobs.enqueue_many(jobs.kind("count").job(b"python %d" % n) for n in range(MANY)),
        )
        await until(lambda: is_empty(jobs))

    ran = {side: log.read_text().splitlines() for side, log in logs.items()}
    assert Counter(ran["go"] + ran["python"]) == Counter(f"{side} {n}" for side in ran for n in range(MANY))
    assert min(len(ran["go"]), len(ran["python"])) > MANY // 20
    queue = await go.ask("queue", queue="default")
    assert (queue["ProcessedTotal"], queue["FailedTotal"], queue["Size"]) == (2 * MANY, 0, 0)


async def test_of_jobs_that_wait_for_their_time_and_for_a_second_attempt_each_has_two(
    work: Work, go: Asker, jobs: Ferryman, tmp_path: Path
) -> None:
    log, few = tmp_path / "ran", MANY // 10
    await asyncio.gather(
        go.ask("enqueue_many", count=few, id="go ", job={"kind": "twice", "delay": "1s"}),
        jobs.enqueue_many(jobs.kind("twice").using(delay="1s").job(b"python %d" % n) for n in range(few)),
    )

    async with work("go", concurrency=20, log=str(log)), work("python", concurrency=20, log=str(log)):
        await until(lambda: is_empty(jobs))

    names = [f"{side} {n}" for side in ("go", "python") for n in range(few)]
    expected = Counter(f"{name} attempt {attempt}" for name in names for attempt in (1, 2))
    assert Counter(log.read_text().splitlines()) == expected
    queue = await go.ask("queue", queue="default")
    assert (queue["ProcessedTotal"], queue["FailedTotal"]) == (4 * few, 2 * few)


async def test_a_job_whose_worker_is_killed_is_taken_back_by_the_other_side(
    enqueue: Enqueue, work: Work, client: str, worker: str, redis: Servers, go: Asker
) -> None:
    id = await enqueue("hold-once", b"precious", retention="1h")
    async with work(worker) as program:
        first = await program.hears("seen", id=id)
        await program.kill()
    with redis.client() as inside:
        assert inside.zscore("asynq:{default}:lease", id) <= time.time() + LEASE
        # A minute later, in effect: its lease has run out, and half a minute more for clocks that differ.
        inside.zadd("asynq:{default}:lease", {id: int(time.time()) - LEASE})
    (orphan,) = await go.ask("list", queue="default", state="active", size=10)

    async def is_done() -> bool:
        return bool((await go.ask("job", queue="default", id=id))["state"] == "completed")

    async with work(client) as program:
        second = await program.hears("seen", id=id)
        await until(is_done)

    assert orphan["orphaned"]
    assert (first["attempt"], second["attempt"], second["payload"]) == (1, 2, b"precious")
    kept = await go.ask("job", queue="default", id=id)
    assert (kept["error"], kept["retried"]) == ("asynq: task lease expired", 1)


async def test_no_job_of_a_worker_that_is_killed_at_full_speed_is_lost(
    work: Work, client: str, worker: str, redis: Servers, jobs: Ferryman, tmp_path: Path
) -> None:
    log, lease = tmp_path / "ran", "asynq:{default}:lease"
    names = {str(n) for n in range(MANY)}
    many = [jobs.kind("count").job(name.encode()) for name in names]
    many.insert(MANY // 2, jobs.kind("pull-the-plug").job())
    async with work(worker, concurrency=50, log=str(log)) as program:
        await jobs.enqueue_many(many)
        assert await program.ends() == -signal.SIGKILL
    done_before = set(log.read_text().split())
    with redis.client() as inside:
        held = {id: int(time.time()) - LEASE for id in inside.zrange(lease, 0, -1)}
        if held:
            inside.zadd(lease, held)

    async with work(client, concurrency=50, log=str(log)):
        await until(lambda: is_empty(jobs))

    ran = Counter(log.read_text().split())
    assert set(ran) == names
    assert 0 < len(done_before) < len(names)
    assert sum(ran.values()) - len(names) <= len(held)


async def is_empty(jobs: Ferryman) -> bool:
    return not (await jobs.admin.queues.get("default")).counts


async def test_a_job_that_runs_keeps_its_lease(enqueue: Enqueue, work: Work, worker: str, redis: Servers) -> None:
    id = await enqueue("hold", b"")

    async with work(worker) as program:
        await program.hears("seen", id=id)
        with redis.client() as inside:
            began = inside.zscore("asynq:{default}:lease", id)

            async def is_longer() -> bool:
                return bool(inside.zscore("asynq:{default}:lease", id) > began)

            await until(is_longer)


async def test_a_worker_that_stops_gives_its_job_to_the_other_side(
    enqueue: Enqueue, work: Work, client: str, worker: str
) -> None:
    id = await enqueue("hold", b"precious", retries=0)

    async with work(worker) as program:
        await program.hears("seen", id=id)
    async with work(client) as program:
        again = await program.hears("seen", id=id)

    assert (again["attempt"], again["payload"]) == (1, b"precious")
