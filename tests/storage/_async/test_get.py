"""Looking at jobs: one, a list, how many."""

from __future__ import annotations

import pytest

from ferryman.errors import ConfigError, JobNotFound
from ferryman.job import JobRef, State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.filters import JobFilter
from storage._async.acts import run, states, store, take
from storage.samples import EVERYTHING, NOW, discarded, later, mail, mail_at


async def test_a_running_job_shows_who_took_it_and_when(storage: AsyncStorage) -> None:
    ref = await store(storage)
    await take(storage, worker="ada", now=later(seconds=5))

    job = await storage.jobs.get(ref)

    assert (job.state, job.attempt, job.attempted_at) == (State.RUNNING, 1, later(seconds=5))
    assert job.attempted_by[-1:] in ((), ("ada",))


@pytest.mark.parametrize("id", ["999999", "no-such-job", "", "-1", "٣", "9" * 40])
async def test_an_address_that_nobody_has_finds_no_job(storage: AsyncStorage, id: str) -> None:
    await store(storage)

    with pytest.raises(JobNotFound) as missed:
        await storage.jobs.get(JobRef(id))

    assert missed.value.ref == JobRef(id)


async def test_the_newest_job_is_listed_first(storage: AsyncStorage) -> None:
    refs = [await store(storage, now=later(seconds=second)) for second in range(3)]

    page = await storage.jobs.list(EVERYTHING)

    assert [job.ref for job in page.items] == refs[::-1]
    assert page.next is None


async def test_a_list_is_read_in_pages(storage: AsyncStorage) -> None:
    await storage.jobs.insert([mail()] * 5, now=NOW)
    whole = (await storage.jobs.list(EVERYTHING)).items

    first = await storage.jobs.list(EVERYTHING, limit=2)
    second = await storage.jobs.list(EVERYTHING, limit=2, cursor=first.next)
    third = await storage.jobs.list(EVERYTHING, limit=2, cursor=second.next)

    assert first.items + second.items + third.items == whole
    assert third.next is None


async def test_the_last_page_has_no_next_even_when_it_is_full(storage: AsyncStorage) -> None:
    await storage.jobs.insert([mail()] * 2, now=NOW)

    assert (await storage.jobs.list(EVERYTHING, limit=2)).next is None


@pytest.mark.parametrize("cursor", ["tomorrow", "", "9" * 40])
async def test_a_cursor_that_is_none_is_refused(storage: AsyncStorage, cursor: str) -> None:
    with pytest.raises(ConfigError, match="cursor"):
        await storage.jobs.list(EVERYTHING, cursor=cursor)


@pytest.fixture
async def mixed(storage: AsyncStorage) -> AsyncStorage:
    """One discarded, one running and two waiting jobs of two kinds in two queues."""
    lost = await run(storage, mail(queue="bulk"))
    await storage.jobs.finish([discarded(lost)], now=NOW)
    await run(storage, mail(kind="fax"))
    await store(storage, mail())
    await store(storage, mail_at(later(hours=1), queue="bulk"))
    return storage


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (JobFilter(), 4),
        (JobFilter(states=(State.AVAILABLE,)), 1),
        (JobFilter(states=(State.RUNNING, State.DISCARDED)), 2),
        (JobFilter(queues=("bulk",)), 2),
        (JobFilter(queues=("bulk", "default")), 4),
        (JobFilter(kinds=("fax",)), 1),
        (JobFilter(kinds=("fax",), queues=("bulk",)), 0),
        (JobFilter(kinds=("mail",), states=(State.SCHEDULED,)), 1),
        (JobFilter(queues=("nowhere",)), 0),
    ],
)
async def test_a_filter_narrows_the_list_and_the_count(mixed: AsyncStorage, which: JobFilter, found: int) -> None:
    jobs = (await mixed.jobs.list(which)).items

    assert len(jobs) == found
    assert sum((await mixed.jobs.count(which)).values()) == found
    assert all(job.state in which.states for job in jobs if which.states)
    assert all(job.queue in which.queues for job in jobs if which.queues)
    assert all(job.kind in which.kinds for job in jobs if which.kinds)


async def test_counts_are_by_state_and_leave_out_what_is_zero(mixed: AsyncStorage) -> None:
    assert await states(mixed) == {
        State.DISCARDED: 1,
        State.RUNNING: 1,
        State.AVAILABLE: 1,
        State.SCHEDULED: 1,
    }


async def test_where_there_is_nothing_there_is_nothing_to_see(storage: AsyncStorage) -> None:
    page = await storage.jobs.list(EVERYTHING)

    assert (page.items, page.next) == ([], None)
    assert await states(storage) == {}


async def test_the_kinds_that_wait_in_a_queue_can_be_asked_for(storage: AsyncStorage) -> None:
    await run(storage, mail(kind="telegram"))
    await storage.jobs.insert([mail(kind="fax"), mail(), mail(), mail(kind="pigeon", queue="bulk")], now=NOW)

    assert sorted(await storage.jobs.waiting_kinds(["default"])) == ["fax", "mail"]
    assert sorted(await storage.jobs.waiting_kinds(["default", "bulk"])) == ["fax", "mail", "pigeon"]
    assert len(await storage.jobs.waiting_kinds(["default", "bulk"], limit=2)) == 2
    assert list(await storage.jobs.waiting_kinds(["nowhere"])) == []
