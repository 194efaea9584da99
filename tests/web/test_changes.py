"""What the door lets in is looked at once more where something is changed: pages and API cannot differ in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from ferryman import Ferryman
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action
from ferryman.web.audit import Audit
from ferryman.web.bulks import Bulks
from ferryman.web.changes import Changes
from ferryman.web.deeds import Deeds
from ferryman.web.entrance.access import Access, Level
from ferryman.web.refusals import Refusal

Change = Callable[[Changes, Ferryman], Awaitable[object]]


async def delete_one(changes: Changes, jobs: Ferryman) -> object:
    (job, *_) = (await jobs.admin.jobs.list()).items
    return await changes.act(Action.DELETE, [job.ref])


async def begin_bulk(changes: Changes, jobs: Ferryman) -> object:
    return await changes.start_bulk(Action.CANCEL, JobFilter(kinds=("mail:send",)), 2)


CHANGES: dict[str, Change] = {
    "delete": delete_one,
    "pause": lambda changes, jobs: changes.pause("mail"),
    "resume": lambda changes, jobs: changes.resume("mail"),
    "delete a queue": lambda changes, jobs: changes.delete_queue("default"),
    "bulk": begin_bulk,
    "enqueue": lambda changes, jobs: changes.enqueue("mail:send", b"{}"),
    "run": lambda changes, jobs: changes.run_periodic("report"),
    "pause a schedule": lambda changes, jobs: changes.pause_periodic("report"),
}


def made(jobs: Ferryman, level: Level, *, read_only: bool) -> Changes:
    access = Access(level, "ann", "test")
    audit = Audit(access, "203.0.113.7", "main", "1")
    return Changes(jobs, Bulks(jobs.admin.bulk), access, audit, Deeds(), read_only=read_only)


async def everything(jobs: Ferryman) -> object:
    return await jobs.admin.jobs.count(), await jobs.admin.queues.list(), await jobs.admin.bulk.list()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(
    ("level", "read_only", "code"),
    [(Level.ADMIN, True, "read_only"), (Level.VIEW, False, "role")],
    ids=["read-only", "who may only look"],
)
async def test_nothing_is_changed(jobs: Ferryman, change: Change, level: Level, read_only: bool, code: str) -> None:
    before = await everything(jobs)

    with pytest.raises(Refusal) as refused:
        await change(made(jobs, level, read_only=read_only), jobs)

    assert (refused.value.status, refused.value.code) == (403, code)
    assert await everything(jobs) == before
