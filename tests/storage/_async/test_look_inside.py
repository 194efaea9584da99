"""Filters that have to look at each job, and failures gathered by what went wrong."""

from __future__ import annotations

import pytest

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.errors import Unsupported
from ferryman.fingerprint import fingerprint
from ferryman.job import Job, State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.filters import JobFilter
from storage._async.acts import run, store
from storage.samples import NOW, discarded, failed, later, mail


async def gave_up(storage: AsyncStorage, text: str = "no route to host", **said: object) -> Job:
    """Store a job that has failed for good."""
    job = await run(storage, mail(**said))
    await storage.jobs.finish([discarded(job, text)], now=NOW)
    return await storage.jobs.get(job.ref)


def admin_of(storage: AsyncStorage) -> AsyncAdmin:
    async def async_open() -> AsyncStorage:
        return storage

    return AsyncAdmin(async_open)


@pytest.mark.parametrize(
    "which",
    [
        JobFilter(error="NO ROUTE"),
        JobFilter(args={"to": "ada"}),
        JobFilter(args={"user.ids.1": "2", "n": "true"}),
        JobFilter(tags=("blue",)),
        JobFilter(states=(State.DISCARDED,), ended_since=NOW, ended_before=later(seconds=1)),
    ],
)
async def test_jobs_are_found_by_what_is_in_them(storage: AsyncStorage, which: JobFilter) -> None:
    args = b'{"to":"ada","user":{"ids":[1,2]},"n":true}'
    wanted = await gave_up(storage, args=args, tags=("blue", "red"))
    await store(storage, mail(args=b'{"to":"bob"}', tags=("red",)))
    await store(storage, mail(args=b"[]"))

    assert [job.ref for job in (await storage.jobs.list(which)).items] == [wanted.ref]
    assert await storage.jobs.count(which) == {State.DISCARDED: 1}


async def test_jobs_are_found_by_who_runs_them(storage: AsyncStorage) -> None:
    await store(storage)

    assert (await storage.jobs.list(JobFilter(worker="nobody"))).items == []


async def test_pages_of_what_was_looked_for_have_no_gap_and_no_double(storage: AsyncStorage) -> None:
    for number in range(7):
        await store(storage, mail(args=b'{"odd":%s}' % (b"true" if number % 2 else b"false")))
    which = JobFilter(args={"odd": "false"})

    first = await storage.jobs.list(which, limit=3)
    second = await storage.jobs.list(which, limit=3, cursor=first.next)

    assert (len(first.items), len(second.items), second.next) == (3, 1, None)
    assert len({job.ref for job in [*first.items, *second.items]}) == 4


async def test_failures_are_gathered_by_what_went_wrong(storage: AsyncStorage) -> None:
    for number in range(3):
        await gave_up(storage, f"TimeoutError: took {number} s")
    other = await gave_up(storage, "KeyError: 'x'", queue="low")
    again = await run(storage)
    await storage.jobs.finish([failed(again, again=later(hours=1))], now=NOW)

    found = await admin_of(storage).failed.groups(now=later(minutes=90))

    assert [(group.count, group.error) for group in found.groups] == [
        (3, "TimeoutError: took <n> s"),
        (1, "KeyError: <text>"),
    ]
    assert (found.groups[0].last_hour, found.groups[0].last_day) == (0, 3)
    assert (found.groups[1].queues, found.groups[1].latest) == (("low",), (other.ref,))
    assert (found.scanned, found.of, found.truncated) == (4, 4, False)


async def test_a_group_leads_to_its_jobs(storage: AsyncStorage) -> None:
    one = await gave_up(storage, "took 1 s")
    await gave_up(storage, "no such user")
    two = await gave_up(storage, "took 2 s")

    group = (await admin_of(storage).failed.groups(now=NOW)).groups[0]
    page = await storage.jobs.list(JobFilter(fingerprint=group.fingerprint))

    assert group.fingerprint == fingerprint("mail", one.errors[-1])
    assert {job.ref for job in page.items} == {one.ref, two.ref}


async def test_what_was_not_looked_at_is_said(storage: AsyncStorage) -> None:
    for _ in range(5):
        await gave_up(storage)

    found = await admin_of(storage).failed.groups(sample=3, now=NOW)

    assert (found.groups[0].count, found.scanned, found.of, found.truncated) == (3, 3, 5, True)


async def test_failures_that_will_be_tried_again_are_gathered_when_asked_for(storage: AsyncStorage) -> None:
    again = await run(storage)
    await storage.jobs.finish([failed(again, again=later(hours=1))], now=NOW)

    found = await admin_of(storage).failed.groups(JobFilter(states=(State.RETRYABLE,)), now=NOW)

    assert [(group.count, group.latest) for group in found.groups] == [(1, (again.ref,))]


async def test_where_jobs_are_in_no_group_none_is_looked_for(storage: AsyncStorage) -> None:
    await store(storage)

    if storage.groups is not None:
        assert (await storage.jobs.list(JobFilter(group="news"))).items == []
        return
    with pytest.raises(Unsupported, match="none is in"):
        await storage.jobs.list(JobFilter(group="news"))
    with pytest.raises(Unsupported, match="none is in"):
        await storage.jobs.count(JobFilter(group="news"))
