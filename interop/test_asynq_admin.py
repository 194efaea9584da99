"""Either side looks at what the other has, and acts on it."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ferryman import Ferryman, Job, State
from ferryman.storage.filters import JobFilter
from programs import Asker, Enqueue, Work, until
from servers import Servers

Act = Callable[[str, str], Awaitable[None]]

STATES = {
    "pending": State.AVAILABLE,
    "active": State.RUNNING,
    "scheduled": State.SCHEDULED,
    "retry": State.RETRYABLE,
    "archived": State.DISCARDED,
    "completed": State.COMPLETED,
    "aggregating": State.PENDING,
}


@pytest.fixture
def act(client: str, go: Asker, jobs: Ferryman) -> Act:
    """Does something with a job of the queue "default", from the client's side, in Go's words."""
    ours = {"run": jobs.admin.jobs.retry, "archive": jobs.admin.jobs.discard, "delete": jobs.admin.jobs.delete}
    ours["cancel"] = jobs.admin.jobs.cancel

    async def with_go(what: str, id: str) -> None:
        await go.ask(what, queue="default", id=id)

    async def with_python(what: str, id: str) -> None:
        await ours[what](f"default/{id}")

    return with_go if client == "go" else with_python


async def here(jobs: Ferryman, id: str) -> Job:
    return await jobs.admin.jobs.get(f"default/{id}")


# Running jobs


async def test_a_running_job_is_cancelled_from_the_other_side(
    enqueue: Enqueue, work: Work, worker: str, act: Act, go: Asker, jobs: Ferryman, redis: Servers
) -> None:
    id = await enqueue("hold", b"")
    becomes = {"go": State.RETRYABLE, "python": State.DISCARDED}[worker]

    async def is_over() -> bool:
        return (await here(jobs, id)).state is becomes

    async with work(worker, retry_in=600) as program:
        await program.hears("seen", id=id)
        await until(lambda: somebody_hears(redis))
        await act("cancel", id)
        await program.hears("let go", id=id)
        await until(is_over)

    texts = {"go": "context canceled", "python": "JobCancelError: job cancelled remotely"}
    assert (await go.ask("job", queue="default", id=id))["error"] == texts[worker]


async def somebody_hears(redis: Servers) -> bool:
    """Whether a cancellation reaches anybody: Redis keeps none, and Go takes jobs before it listens."""
    with redis.client() as inside:
        ((_, ears),) = inside.pubsub_numsub("asynq:cancel")
    return bool(ears)


async def test_what_runs_is_seen_from_both_sides(
    enqueue: Enqueue, work: Work, worker: str, go: Asker, jobs: Ferryman
) -> None:
    id = await enqueue("hold", b'{"n":1}', timeout="10m")

    async with work(worker, queues={"default": 3, "low": 1}, strict=True, concurrency=7) as program:
        await program.hears("seen", id=id)
        theirs, ours = await both_see_it_run(go, jobs, id)

    assert (theirs["Host"], theirs["PID"]) == (ours.host, ours.pid) == (socket.gethostname(), program.process.pid)
    assert (theirs["Concurrency"], theirs["Queues"], theirs["StrictPriority"]) == (7, {"default": 3, "low": 1}, True)
    assert (ours.concurrency, ours.queues, ours.strict) == (7, {"default": 3, "low": 1}, True)
    assert (theirs["Status"], ours.status) == ("active", "active")
    assert abs(datetime.fromisoformat(theirs["Started"]) - ours.started_at) < timedelta(milliseconds=1)
    (they_see,), (we_see,) = theirs["ActiveWorkers"], ours.running
    assert (they_see["TaskID"], they_see["TaskType"], they_see["Queue"]) == (id, "hold", "default")
    assert (we_see.ref.id, we_see.kind, we_see.ref.queue, we_see.args) == (id, "hold", "default", b'{"n":1}')
    assert abs(datetime.fromisoformat(they_see["Started"]) - we_see.since) < timedelta(milliseconds=1)
    assert abs(datetime.fromisoformat(they_see["Deadline"]) - we_see.until) < timedelta(milliseconds=1)
    assert abs(we_see.until - we_see.since - timedelta(minutes=10)) <= timedelta(seconds=1)


async def both_see_it_run(go: Asker, jobs: Ferryman, id: str) -> tuple[Any, Any]:
    """Wait for the heartbeat that tells of this job."""

    async def is_told() -> bool:
        return any(job.ref.id == id for worker in await jobs.admin.workers.list() for job in worker.running)

    await until(is_told)
    ((theirs,), (ours,)) = await go.ask("servers"), await jobs.admin.workers.list()
    return theirs, ours


async def test_a_worker_that_has_stopped_is_not_listed(work: Work, go: Asker, jobs: Ferryman, worker: str) -> None:
    async with work(worker):
        await until(jobs.admin.workers.list)

    assert (await go.ask("servers") or [], await jobs.admin.workers.list()) == ([], [])


# Queues


async def test_a_queue_paused_on_one_side_rests_on_the_other(
    enqueue: Enqueue, client: str, work: Work, worker: str, go: Asker, jobs: Ferryman
) -> None:
    id = await enqueue("note", b"first")
    pause = {"go": lambda: go.ask("pause", queue="default"), "python": lambda: jobs.admin.queues.pause("default")}
    resume = {"go": lambda: go.ask("resume", queue="default"), "python": lambda: jobs.admin.queues.resume("default")}
    await pause[client]()

    async with work(worker, queues={"default": 9, "low": 1}, strict=True) as program:
        await enqueue("note", b"second", queue="low")
        second = await program.hears("seen")
        info, ours = await go.ask("queue", queue="default"), await jobs.admin.queues.get("default")
        await resume[client]()
        first = await program.hears("seen", id=id)

    assert (second["payload"], first["payload"]) == (b"second", b"first")
    assert info["Paused"]
    assert ours.paused_at is not None
    assert not (await go.ask("queue", queue="default"))["Paused"]
    assert (await jobs.admin.queues.get("default")).paused_at is None


async def test_both_sides_list_the_same_jobs_in_every_state(full: dict[str, str], go: Asker, jobs: Ferryman) -> None:
    for word, id in full.items():
        (theirs,) = await go.ask("list", queue="default", state=word, group="g", size=10)
        (ours,) = (await jobs.admin.jobs.list(JobFilter(states=(STATES[word],)))).items

        assert theirs["id"] == ours.id == id
        assert theirs["state"] == word
        assert (theirs["kind"], theirs["payload"], theirs["queue"]) == (ours.kind, ours.args, ours.queue)
        assert theirs["retries"] == ours.max_attempts - 1
        assert theirs["error"] == (ours.error.error if ours.error else "")
        assert (theirs["failed_at"] or None) == (ours.error.at if ours.error else None)
        assert (theirs["timeout"], theirs["retention"]) == (ours.timeout, ours.retention)
        if word in ("scheduled", "retry"):
            assert theirs["next_at"] == ours.scheduled_at


async def test_both_sides_count_the_same_jobs(full: dict[str, str], go: Asker, jobs: Ferryman) -> None:
    theirs, ours = await go.ask("queue", queue="default"), await jobs.admin.queues.get("default")

    counted = {word: theirs[word.capitalize()] for word in STATES if theirs[word.capitalize()]}
    assert {STATES[word]: number for word, number in counted.items()} == ours.counts
    assert theirs["Size"] == sum(ours.counts.values()) == 6
    assert (theirs["Groups"], await go.ask("groups", queue="default")) == (1, [{"Group": "g", "Size": 1}])
    details = await jobs.admin.queues.details("default")
    assert (details.groups, details.memory) == ({"g": 1}, theirs["MemoryUsage"])
    assert (details.processed, details.failed) == (theirs["ProcessedTotal"], theirs["FailedTotal"]) == (3, 2)
    assert ours.oldest is not None
    waited = timedelta(microseconds=theirs["Latency"] / 1000)
    assert abs(datetime.fromisoformat(theirs["Timestamp"]) - waited - ours.oldest) < timedelta(seconds=1)
    assert await go.ask("queues") == [queue.name for queue in await jobs.admin.queues.list()] == ["default"]


async def test_a_job_that_one_side_runs_waits_for_both(
    full: dict[str, str], act: Act, go: Asker, jobs: Ferryman
) -> None:
    for state in ("scheduled", "retry", "archived", "completed", "aggregating"):
        await act("run", full[state])

        assert (await here(jobs, full[state])).state is State.AVAILABLE
        assert (await go.ask("job", queue="default", id=full[state]))["state"] == "pending"
    assert (await jobs.admin.queues.get("default")).counts == {State.AVAILABLE: 6}


async def test_a_job_that_one_side_archives_is_archived_for_both(
    full: dict[str, str], act: Act, go: Asker, jobs: Ferryman
) -> None:
    for state in ("pending", "scheduled", "retry", "aggregating"):
        await act("archive", full[state])

        assert (await here(jobs, full[state])).state is State.DISCARDED
        assert (await go.ask("job", queue="default", id=full[state]))["state"] == "archived"
    assert (await go.ask("queue", queue="default"))["Archived"] == 5


async def test_a_job_that_one_side_deletes_is_gone_for_both(
    full: dict[str, str], act: Act, go: Asker, jobs: Ferryman
) -> None:
    for id in full.values():
        await act("delete", id)

    assert (await go.ask("queue", queue="default"))["Size"] == 0
    assert (await jobs.admin.queues.get("default")).counts == {}
    assert (await jobs.admin.jobs.list()).items == []


async def test_a_job_that_one_side_gives_other_arguments_has_them_for_both(
    full: dict[str, str], client: str, go: Asker, jobs: Ferryman
) -> None:
    id = full["scheduled"]
    if client == "go":
        await go.ask("update", queue="default", id=id, job={"payload": b"\x01 other"})
    else:
        await jobs.admin.jobs.give_arguments(f"default/{id}", b"\x01 other")

    theirs, ours = await go.ask("job", queue="default", id=id), await here(jobs, id)
    assert (theirs["payload"], theirs["state"]) == (ours.args, "scheduled") == (b"\x01 other", "scheduled")
    assert theirs["next_at"] == ours.scheduled_at


async def test_a_job_whose_worker_is_gone_is_an_orphan_for_both(
    enqueue: Enqueue, go: Asker, jobs: Ferryman, redis: Servers
) -> None:
    id = await enqueue("note", b"")
    storage = await jobs.connections.storage()
    await storage.jobs.fetch([("default", 1)], limit=1, kinds=None, worker="gone")
    with redis.client() as inside:
        inside.zadd("asynq:{default}:lease", {id: 1})

    (theirs,) = await go.ask("list", queue="default", state="active", size=10)
    (ours,) = (await jobs.admin.jobs.list()).items
    assert (theirs["orphaned"], ours.orphaned) == (True, True)


async def test_neither_side_touches_a_job_that_runs(enqueue: Enqueue, work: Work, worker: str, act: Act) -> None:
    id = await enqueue("hold", b"")

    async with work(worker) as program:
        await program.hears("seen", id=id)
        for what in ("run", "archive", "delete"):
            with pytest.raises(Exception, match=r"running|active"):
                await act(what, id)
