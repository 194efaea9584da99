"""Lists of jobs that change while somebody looks, and what asynq's own lists get wrong (spec/asynq.md 3.22, 11.3)."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.job import JobRef, State
from ferryman.storage.asynq import seen
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.times import seconds
from ferryman.storage.asynq.verbs import listing
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action
from storage._async.acts import run, store, take
from storage.samples import EVERYTHING, NOW, completed, discarded, failed, kept_mail, later, mail, mail_at

KEYS = QueueKeys("default")


async def all_pages(storage: AsyncRedisStorage, which: JobFilter = EVERYTHING, *, limit: int = 2) -> list[JobRef]:
    """Read a list to its end, page by page."""
    page = await storage.jobs.list(which, limit=limit)
    refs = [job.ref for job in page.items]
    while page.next is not None:
        page = await storage.jobs.list(which, limit=limit, cursor=page.next)
        refs += [job.ref for job in page.items]
    return refs


def tasks_read(redis: Any) -> int:
    """Count how often a task's hash was read for a list, by now."""
    return int(redis.info("commandstats").get("cmdstat_hmget", {"calls": 0})["calls"])


async def one_of_each(storage: AsyncRedisStorage) -> set[JobRef]:
    """Store a job in each of asynq's seven states, in two queues."""
    refs = set()
    for queue in ("bulk", "quick"):
        done, lost, again, _ = [await run(storage, kept_mail(queue=queue)) for _ in range(4)]
        await storage.jobs.finish([completed(done), discarded(lost), failed(again, again=later(hours=1))], now=NOW)
        await storage.jobs.insert(
            [mail(queue=queue), mail(queue=queue, group="news"), mail_at(later(days=1), queue=queue)], now=NOW
        )
        refs |= {job.ref for job in (await storage.jobs.list(JobFilter(queues=(queue,)))).items}
    return refs


async def test_all_seven_states_are_listed_and_counted(storage: AsyncRedisStorage) -> None:
    refs = await one_of_each(storage)

    assert len(refs) == 14
    assert await storage.jobs.count(EVERYTHING) == {state: 2 for state in State if state is not State.CANCELLED}
    for state in set(State) - {State.CANCELLED}:
        assert [job.state for job in (await storage.jobs.list(JobFilter(states=(state,)))).items] == [state, state]


@pytest.mark.parametrize("limit", [1, 2, 3, 13, 14, 100])
async def test_pages_of_any_size_show_every_job_once(storage: AsyncRedisStorage, limit: int) -> None:
    refs = await one_of_each(storage)

    listed = await all_pages(storage, limit=limit)

    assert (len(listed), set(listed)) == (14, refs)


async def test_a_state_that_asynq_has_not_is_empty(storage: AsyncRedisStorage) -> None:
    await one_of_each(storage)

    assert (await storage.jobs.list(JobFilter(states=(State.CANCELLED,)))).items == []
    assert await storage.jobs.count(JobFilter(states=(State.CANCELLED,))) == {}


async def test_counting_by_kind_looks_at_every_job(storage: AsyncRedisStorage) -> None:
    await one_of_each(storage)
    await storage.jobs.insert([mail(kind="fax"), mail(kind="fax"), mail(kind="pigeon")], now=NOW)

    assert await storage.jobs.count(JobFilter(kinds=("fax", "pigeon"))) == {State.AVAILABLE: 3}


async def test_jobs_of_a_kind_are_found_among_very_many(
    storage: AsyncRedisStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_AT_ONCE", 10)
    monkeypatch.setattr(listing, "_MOST_LOOKED_AT", 30)
    wanted = await store(storage, mail(kind="fax"))
    await storage.jobs.insert([mail()] * 95, now=NOW)

    first = await storage.jobs.list(JobFilter(kinds=("fax",)))

    assert (first.items, first.next is not None) == ([], True)
    assert await all_pages(storage, JobFilter(kinds=("fax",))) == [wanted]


@pytest.mark.parametrize("which", [JobFilter(error="nobody said this"), JobFilter(args={"to": "nobody"})])
async def test_what_is_passed_over_is_never_made_a_job(
    storage: AsyncRedisStorage, which: JobFilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(seen, "job_from")
    await storage.jobs.insert([mail()] * 30, now=NOW)

    page = await storage.jobs.list(which, limit=10)

    assert (page.items, page.next) == ([], None)


async def test_a_list_by_time_goes_by_the_latest_time_that_is_known(storage: AsyncRedisStorage) -> None:
    await store(storage, now=NOW)
    newer = await store(storage, now=later(minutes=10))

    assert await all_pages(storage, JobFilter(since=later(minutes=5))) == [newer]
    assert newer not in await all_pages(storage, JobFilter(before=later(minutes=5)))


# While somebody looks


async def test_jobs_that_come_in_do_not_push_others_onto_the_next_page(storage: AsyncRedisStorage) -> None:
    refs = [await store(storage, now=later(seconds=second)) for second in range(4)]
    first = await storage.jobs.list(EVERYTHING, limit=2)

    await storage.jobs.insert([mail()] * 3, now=later(minutes=1))
    second = await storage.jobs.list(EVERYTHING, limit=2, cursor=first.next)

    assert [job.ref for job in first.items + second.items] == refs[::-1]


@pytest.mark.parametrize("kept", ["pending", "archived"])
async def test_whoever_empties_a_list_page_by_page_meets_every_job(storage: AsyncRedisStorage, kept: str) -> None:
    await storage.jobs.insert([mail() for _ in range(7)], now=NOW)
    if kept == "archived":
        await storage.jobs.finish([discarded(job) for job in await take(storage)], now=NOW)
    page = await storage.jobs.list(EVERYTHING, limit=3)
    met = len(page.items)

    while page.next is not None:
        for job in page.items:
            await storage.jobs.delete(job.ref)
        page = await storage.jobs.list(EVERYTHING, limit=3, cursor=page.next)
        met += len(page.items)

    assert met == 7


async def test_a_list_goes_on_where_it_was_when_the_last_job_seen_is_gone(storage: AsyncRedisStorage) -> None:
    for number in range(4):
        job = await run(storage)
        await storage.jobs.finish([discarded(job)], now=later(minutes=number))
    first = await storage.jobs.list(EVERYTHING, limit=2)
    await storage.jobs.delete(first.items[-1].ref)

    second = await storage.jobs.list(EVERYTHING, limit=2, cursor=first.next)

    assert [job.finalized_at for job in second.items] == [later(minutes=1), NOW]


@pytest.mark.parametrize("last", [0, 3, 9])
async def test_jobs_of_one_second_are_listed_on_behind_the_one_that_is_gone(
    storage: AsyncRedisStorage, last: int
) -> None:
    ids = ["a", "A", "ab", "a-b", "a/b", "b", "é", "z", "Z", "{1}"]
    await storage.jobs.insert([mail(id=id) for id in ids], now=NOW)
    await storage.jobs.finish([discarded(job) for job in await take(storage, limit=len(ids))], now=NOW)
    refs = [job.ref for job in (await storage.jobs.list(EVERYTHING)).items]

    first = await storage.jobs.list(EVERYTHING, limit=last)
    for ref in refs[:last]:
        await storage.jobs.delete(ref)

    assert [job.ref for job in (await storage.jobs.list(EVERYTHING, cursor=first.next)).items] == refs[last:]


async def test_a_list_goes_on_where_it_was_when_the_last_job_seen_has_failed_again(storage: AsyncRedisStorage) -> None:
    jobs = [await run(storage) for _ in range(4)]
    await storage.jobs.finish([failed(job, again=later(hours=hour)) for hour, job in enumerate(jobs, 1)], now=NOW)
    first = await storage.jobs.list(EVERYTHING, limit=2)
    await storage.jobs.retry(first.items[-1].ref, now=NOW)
    await storage.jobs.finish([failed(job, again=later(hours=9)) for job in await take(storage)], now=NOW)

    second = await storage.jobs.list(EVERYTHING, limit=9, cursor=first.next)

    assert [job.scheduled_at for job in second.items] == [later(hours=2), later(hours=1)]


async def test_a_bulk_over_jobs_of_one_second_reads_none_of_them_at_every_step(
    storage: AsyncRedisStorage, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_AT_ONCE", 10)
    await storage.jobs.insert([mail(kind=kind) for kind in ("fax", "mail") * 100], now=NOW)
    await storage.jobs.finish([discarded(job) for job in await take(storage, limit=200)], now=NOW)
    which, cursor, steps, read = JobFilter(kinds=("fax",)), None, 0, 0

    while steps == 0 or cursor is not None:
        before = tasks_read(redis)
        page = await storage.jobs.list(which, limit=5, cursor=cursor)
        read += tasks_read(redis) - before
        await storage.jobs.act(Action.RETRY, [job.ref for job in page.items])
        steps, cursor = steps + 1, page.next

    assert await storage.jobs.count(which) == {State.AVAILABLE: 100}
    assert read < 500


async def test_a_group_that_is_gone_does_not_end_the_list(storage: AsyncRedisStorage) -> None:
    for group in ("a", "b", "c"):
        await store(storage, mail(group=group))
    first = await storage.jobs.list(EVERYTHING, limit=1)
    (in_a_group,) = first.items
    await storage.jobs.delete(in_a_group.ref)

    rest = await storage.jobs.list(EVERYTHING, limit=5, cursor=first.next)

    assert len(rest.items) == 2


# What asynq's own lists get wrong


async def test_a_page_of_no_jobs_has_none(storage: AsyncRedisStorage) -> None:
    """Defect D19: in asynq a page of size 0 is everything."""
    await storage.jobs.insert([mail()] * 3, now=NOW)

    assert (await storage.jobs.list(EVERYTHING, limit=0)).items == []


async def test_an_id_whose_task_has_vanished_is_not_listed(storage: AsyncRedisStorage, redis: Any) -> None:
    """Defect D19: in asynq it is a task without any name."""
    ref, gone = await store(storage), await store(storage)
    redis.delete(KEYS.task(gone.id))

    assert await all_pages(storage) == [ref]
    assert list(await storage.jobs.waiting_kinds(["default"])) == ["mail"]


async def test_a_message_that_nobody_can_read_does_not_hide_the_others(storage: AsyncRedisStorage, redis: Any) -> None:
    refs = [await store(storage) for _ in range(3)]
    redis.hset(KEYS.task(refs[1].id), "msg", b"\xff\xff\xff")

    assert await all_pages(storage) == [refs[2], refs[0]]


async def test_jobs_that_are_being_made_into_one_are_listed_and_counted(storage: AsyncRedisStorage, redis: Any) -> None:
    """Defect D22: asynq loses sight of them."""
    ref = await store(storage, mail(group="news"))
    staged = KEYS.aggregation_set("news", "1")
    redis.rename(KEYS.group("news"), staged)
    redis.zadd(KEYS.aggregation_sets, {staged: seconds(later(minutes=2))})
    redis.srem(KEYS.groups, "news")

    assert await all_pages(storage) == [ref]
    assert (await storage.queues.get("default")).counts == {State.PENDING: 1}


async def test_the_jobs_of_one_group_are_found_and_each_says_its_group(storage: AsyncRedisStorage) -> None:
    await storage.jobs.insert([mail(group="daily"), mail(group="daily:news"), mail(group="weekly"), mail()], now=NOW)
    which = JobFilter(group="daily")

    found = (await storage.jobs.list(which)).items

    assert [(job.group, job.state) for job in found] == [("daily", State.PENDING)]
    assert await storage.jobs.count(which) == {State.PENDING: 1}
