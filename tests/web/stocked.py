"""Sample jobs, one of every state, as the tests of pages need them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ferryman import Ferryman
from ferryman.job import AttemptError, Job, JobRef, NewJob, State
from ferryman.outcome import Completed, Discarded, Finished, Outcome, Retry
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.infos import Running, ScheduleInfo, WorkerInfo
from ferryman.storage.values import Feature

__all__ = ["HTML", "KEY", "PASSWORD", "WORKER", "fail", "stock", "stock_many"]

HTML = '<script>alert(1)</script><img src=x onerror="alert(2)">\'"&{{ 7 * 7 }}'
"""What a browser would run if it were not escaped."""
KEY = "sk-abcdefghijklmnop1234"
PASSWORD = "hunter2-is-secret"
WORKER = "worker-1"

TRACE = f"""Traceback (most recent call last):
  File "/srv/lib/python3.11/site-packages/httpx/_client.py", line 1, in post
    raise error
  File "/srv/app/mails.py", line 48, in send
    reply = post("https://ann:{PASSWORD}@mail.example/send")
ConnectionError: no route to host
"""


async def stock(jobs: Ferryman, queue: str = "default") -> dict[State, JobRef]:
    """Store a job of every state that the storage has, with secrets and HTML in all that a job carries.

    The available one is in the queue `mail`, which is paused; a worker is alive and runs one.  The queue
    that the others go to must have no job that is available.
    """
    storage = await jobs.connections.storage()
    done, later = Completed(b'{"token":"%s"}' % KEY.encode()), {"state": State.SCHEDULED, "scheduled_at": _soon()}
    refs = {
        State.RUNNING: (await _fetched(storage, queue=queue)).ref,
        State.COMPLETED: await _ended(storage, lambda job: done, queue=queue),
        State.DISCARDED: await fail(jobs, f"no route to host, tried with {KEY} {HTML}", queue=queue),
        State.RETRYABLE: await _ended(storage, lambda job: Retry(_soon(), _error(job, f"timeout {HTML}")), queue=queue),
        State.SCHEDULED: await _insert(storage, queue=queue, **later),
        State.AVAILABLE: await _insert(storage, queue="mail"),
        State.CANCELLED: await _insert(storage, queue=queue),
    }
    await storage.jobs.cancel(refs[State.CANCELLED])
    await storage.queues.pause("mail")
    await _beat(storage, refs[State.RUNNING])
    return refs


async def fail(
    jobs: Ferryman, text: str = "no route to host", *, kind: str = "mail:send", queue: str = "default"
) -> JobRef:
    """Store a job that has failed for good, for this reason."""
    storage = await jobs.connections.storage()
    return await _ended(storage, lambda job: Discarded(_error(job, text)), kind=kind, queue=queue)


async def stock_many(jobs: Ferryman) -> dict[State, JobRef]:
    """Store a job of every state, and 200,000 more in ten queues, of which some have failed."""
    storage, refs = await jobs.connections.storage(), await stock(jobs)
    for number in range(10):
        queue = f"queue-{number}"
        await storage.jobs.insert_fast([NewJob(kind="mail:send", queue=queue, args=b"{}") for _ in range(20_000)])
        taken = await storage.jobs.fetch([(queue, 200)], limit=200, kinds=None, worker=WORKER)
        await storage.jobs.finish([Finished(job, Discarded(_error(job, f"no route to {queue}"))) for job in taken])
    return refs


async def _insert(storage: AsyncStorage, **said: object) -> JobRef:
    args = f'{{"to":"ada@example.com","api_key":"{KEY}","note":"see https://ann:{PASSWORD}@mail.example"}}'
    new: dict[str, object] = {
        "kind": "mail:send",
        "args": args.encode(),
        "retention": 3600.0,
        "given": frozenset({"retention"}),
    }
    if Feature.TRANSACTIONS in storage.features:
        new |= {"metadata": {"session": PASSWORD, "html": HTML}, "tags": ("late",)}
    else:
        new |= {"headers": {"X-Api-Key": KEY}}
    (stored,) = await storage.jobs.insert([NewJob(**{**new, **said})])  # type: ignore[arg-type]
    return stored.ref


async def _fetched(storage: AsyncStorage, **said: str) -> Job:
    ref = await _insert(storage, **said)
    (job,) = await storage.jobs.fetch([(said.get("queue", "default"), 1)], limit=1, kinds=None, worker=WORKER)
    assert job.ref == ref
    return job


async def _ended(storage: AsyncStorage, how: Callable[[Job], Outcome], **said: str) -> JobRef:
    job = await _fetched(storage, **said)
    await storage.jobs.finish([Finished(job, how(job))])
    return job.ref


async def _beat(storage: AsyncStorage, ref: JobRef) -> None:
    now = datetime.now(UTC)
    worker = WorkerInfo(
        id=WORKER,
        host="host-1",
        pid=71,
        started_at=now,
        queues={"default": 1},
        kinds=("mail:send",),
        concurrency=4,
        running=(Running(ref=ref, kind="mail:send", since=now),),
        schedules=(ScheduleInfo(id="clean-up", spec="@hourly", job=NewJob(kind="mail:clean-up")),),
    )
    await storage.workers.beat(worker, expires_in=timedelta(minutes=10))


def _error(job: Job, text: str) -> AttemptError:
    return AttemptError(datetime.now(UTC), job.attempt, text, TRACE)


def _soon() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)
