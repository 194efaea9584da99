"""Calls that type checkers must accept, and calls that they must refuse.

Nothing here is run.  Each `type: ignore` is an expectation: a checker that finds nothing
to ignore on its line fails (mypy's warn_unused_ignores, and the next line for pyright).
"""

# pyright: reportUnnecessaryTypeIgnoreComment=error

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from ferryman import Ferryman, Inserted, Job, NewJob, Snooze, Task, Unique, Worker, fixed, provided, river
from ferryman.events import JobFinished, JobStarted
from ferryman.middleware import Call
from ferryman.testing import Recorder, run_until_empty


@dataclass
class Letter:
    to: str


class Pool: ...


@asynccontextmanager
async def lifespan() -> AsyncIterator[Pool]:
    yield Pool()


async def timed(call: Call, job: Job) -> Any:
    return await call(job)


jobs = Ferryman("sqlite://", lifespan=lifespan, middleware=[timed], concurrency=5)


@jobs.task("email:send", retries=3, timeout="5m", retention=timedelta(hours=24), backoff=fixed("10s"))
async def send(to: str, copies: int = 1, *, urgent: bool = False) -> int:
    return copies


@jobs.task("add", run="process", backoff=river, errors="bare")
def add(a: int, b: int) -> int:
    return a + b


@jobs.every("1m", on_start=True)
@jobs.task("heartbeat", retries=0)
async def heartbeat(job: Job) -> None:
    raise Snooze("10m")


@jobs.cron("0 * * * *", tz="UTC")
@jobs.task("report")
def report(job: Job, day: str = "today") -> None: ...


@jobs.task("pooled")
async def pooled(to: str, *, pool: Pool = provided()) -> None: ...


@jobs.task("letter")
async def post(letter: Letter) -> None: ...


# A task keeps its function's own signature.

assert_type(add(1, 2), int)
assert_type(send.job("ada", copies=2, urgent=True), NewJob)
assert_type(add.enqueue_sync(1, b=2), Inserted)
assert_type(add.using(delay="10m")(1, b=2), int)
anything: Task[..., Any] = add

add("1", 2)  # type: ignore[arg-type]
send.job()  # type: ignore[call-arg]
send.job(7)  # type: ignore[arg-type]
send.job("ada", copies="many")  # type: ignore[arg-type]
send.job("ada", 2, True)  # type: ignore[call-arg]
send.job("ada", cc="bob")  # type: ignore[call-arg]
add.enqueue_sync("1", 2)  # type: ignore[arg-type]
add.enqueue_sync(1)  # type: ignore[call-arg]
post.job("ada")  # type: ignore[arg-type]
post.job(Letter("ada"))

# The running job is the worker's to fill in, and nobody else is asked for it.

heartbeat.job()
report.job()
report.job("yesterday")
report.enqueue_sync(day="yesterday")
pooled.job("ada")
heartbeat.job(1)  # type: ignore[call-arg]
report.job(7)  # type: ignore[arg-type]

# Options are written once, and a misspelt one is refused wherever it is used.

send.using(queue="bulk", at=datetime.now(UTC), tags=["news"], unique=Unique(by_args=True)).job("ada")
send.using(delay=1.5, unique="1h", deadline=datetime.now(UTC), priority=2).enqueue_sync("ada")
send.using(quue="bulk")  # type: ignore[call-arg]
send.using(retries="three")  # type: ignore[arg-type]
send.using(at="tomorrow")  # type: ignore[arg-type]
send.using(run="process")  # type: ignore[call-arg]
send.using(queue="bulk").job(7)  # type: ignore[arg-type]
jobs.task("mail", timout="5m")  # type: ignore[call-arg]
jobs.task("mail", run="gpu")  # type: ignore[arg-type]
jobs.task()  # type: ignore[call-arg]

# A kind that is written elsewhere has options, and arguments of any shape.

assert_type(jobs.kind("written-in-go").using(retries=0).job({"to": "ada"}), NewJob)
jobs.kind("written-in-go").using(retires=0)  # type: ignore[call-arg]


# What people hold.


async def program() -> None:
    assert_type(await send("ada"), int)
    assert_type(await send.enqueue("ada"), Inserted)
    await send.enqueue(7)  # type: ignore[arg-type]
    assert_type(await jobs.enqueue(send.job("ada")), Inserted)
    assert_type(await jobs.enqueue_many(send.job(name) for name in ("ada", "bob")), list[Inserted])
    assert_type(jobs.sync.enqueue(send.job("ada")), Inserted)
    await jobs.enqueue("ada")  # type: ignore[arg-type]
    async with jobs.worker(concurrency=5) as worker:
        assert_type(worker, Worker)
        worker.stop("enough")
    assert_type(await jobs.admin.jobs.retry("42"), Job)


async def test() -> None:
    seen = Recorder(jobs.events)
    assert_type(await seen.wait_for(JobFinished), JobFinished)
    await seen.wait_for(JobStarted, lambda event: event.job.kind == "add")
    await seen.wait_for(JobStarted, lambda event: event.outcome)  # type: ignore[attr-defined]
    await seen.wait_for(int)  # type: ignore[type-var]
    assert_type(await run_until_empty(jobs), list[JobFinished])


def watch(event: JobStarted) -> None: ...


jobs.events.subscribe(JobStarted, watch)
jobs.events.subscribe(JobFinished, watch)  # type: ignore[arg-type]
