"""Schedules and queues as the admin API steers them: run now, paused by somebody, and why."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.errors import DuplicateJob, ScheduleNotFound, Unsupported
from ferryman.job import NewJob
from ferryman.options import unique_for
from ferryman.storage._async.pauses import async_pauses
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.infos import ScheduleInfo, WorkerInfo
from ferryman.storage.pauses import PERIODIC
from storage.samples import NOW, mail

MINUTE = timedelta(minutes=1)


def admin_of(storage: AsyncStorage) -> AsyncAdmin:
    async def async_open() -> AsyncStorage:
        return storage

    return AsyncAdmin(async_open)


async def somebody_has(storage: AsyncStorage, id: str, job: NewJob) -> None:
    """Let a worker be alive that enqueues this job by the clock."""
    schedule = ScheduleInfo(id=id, spec="@every 1h", job=job)
    worker = WorkerInfo(id="w1", host="box", pid=1, started_at=NOW, queues={"low": 1}, schedules=(schedule,))
    await storage.workers.beat(worker, expires_in=MINUTE)


async def test_a_schedule_is_run_now_with_its_usual_arguments(storage: AsyncStorage) -> None:
    await somebody_has(storage, "report", mail(queue="low", args=b'{"to":"all"}', tags=("nightly",)))

    stored = await admin_of(storage).periodic.run("report", actor="ann")

    job = await storage.jobs.get(stored.ref)
    assert (job.queue, job.kind, json.loads(job.args), job.tags) == ("low", "mail", {"to": "all"}, ("nightly",))


async def test_its_runs_are_remembered_the_latest_first(storage: AsyncStorage) -> None:
    await somebody_has(storage, "report", mail(queue="low"))
    admin = admin_of(storage)
    stored = [await admin.periodic.run("report") for _ in range(3)]

    runs = await admin.periodic.history("report", limit=2)

    assert {run.ref for run in runs} < {each.ref for each in stored}
    assert [run.job.kind for run in runs if run.job is not None] == ["mail", "mail"]


async def test_where_uniqueness_refuses_a_run_the_job_that_holds_it_is_named(storage: AsyncStorage) -> None:
    await somebody_has(storage, "report", mail(queue="low", unique=unique_for("1h")))
    admin = admin_of(storage)
    first = await admin.periodic.run("report")

    with pytest.raises(DuplicateJob, match=str(first.ref)) as refused:
        await admin.periodic.run("report")

    assert refused.value.ref == first.ref


async def test_what_nobody_has_cannot_be_run_and_long_arguments_are_not_said(storage: AsyncStorage) -> None:
    await somebody_has(storage, "long", mail(queue="low", args=b'"' + b"x" * 5_000 + b'"'))

    with pytest.raises(ScheduleNotFound, match="There are: long"):
        await admin_of(storage).periodic.run("report")
    with pytest.raises(Unsupported, match="ferryman enqueue"):
        await admin_of(storage).periodic.run("long")


async def test_a_paused_schedule_says_since_when_by_whom_and_why(
    storage: AsyncStorage, elsewhere: AsyncStorage
) -> None:
    await somebody_has(storage, "report", mail(queue="low"))

    await admin_of(storage).periodic.pause("report", actor="ann", reason="provider is down", now=NOW)

    (entry,) = await admin_of(elsewhere).periodic.list()
    assert (entry.paused_at, entry.paused_by, entry.pause_reason) == (NOW, "ann", "provider is down")
    await admin_of(elsewhere).periodic.resume("report")
    (entry,) = await admin_of(storage).periodic.list()
    assert entry.paused_at is None


async def test_what_is_paused_can_be_resumed_when_no_worker_is_there(storage: AsyncStorage) -> None:
    await somebody_has(storage, "report", mail(queue="low"))
    await admin_of(storage).periodic.pause("report")
    await storage.workers.leave("w1")

    await admin_of(storage).periodic.resume("report")

    assert await async_pauses(storage, PERIODIC) == {}


async def queue_now(admin: AsyncAdmin, name: str) -> tuple[Any, str, str]:
    queue = await admin.queues.get(name)
    return queue.paused_at, queue.paused_by, queue.pause_reason


async def test_a_paused_queue_says_by_whom_and_why(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    await storage.queues.announce(["bulk", "quick"])

    await admin_of(storage).queues.pause("bulk", actor="ann", reason="provider is down")

    bulk, quick = await admin_of(elsewhere).queues.list()
    assert (bulk.paused_by, bulk.pause_reason) == ("ann", "provider is down")
    assert (quick.paused_at, quick.paused_by) == (None, "")


async def test_a_pause_that_came_by_other_means_is_nobodys(storage: AsyncStorage) -> None:
    admin = admin_of(storage)
    await storage.queues.announce(["bulk"])
    await admin.queues.pause("bulk", actor="ann", reason="provider is down")

    await storage.queues.resume("bulk")
    await storage.queues.pause("bulk", now=NOW)

    assert await queue_now(admin, "bulk") == (NOW, "", "")
