"""Finding jobs by what they are, in a chosen order, page by page (spec/river.md 7.6.2)."""

from __future__ import annotations

import pytest

from ferryman.errors import ConfigError, Unsupported
from ferryman.job import State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.filters import JobFilter, JobOrder
from ferryman.storage.values import Feature
from storage._async.acts import store
from storage.samples import EVERYTHING, NOW, later, mail, mail_at, needs

ORDERS = [
    JobOrder(by=by, descending=descending) for by in ("id", "scheduled_at", "time") for descending in (False, True)
]


async def pages(storage: AsyncStorage, which: JobFilter, order: JobOrder, *, limit: int = 2) -> list[str]:
    """List everything, a page at a time."""
    found, cursor = [], None
    while True:
        page = await storage.jobs.list(which, order=order, limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        found += [job.id for job in page.items]
        cursor = page.next
        if cursor is None:
            return found


@needs(Feature.ORDERS)
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: f"{order.by}-{'down' if order.descending else 'up'}")
async def test_pages_follow_each_other_in_every_order(storage: AsyncStorage, order: JobOrder) -> None:
    times = [later(hours=3), later(hours=1), later(hours=1), later(hours=2), later(hours=4)]
    ids = [(await store(storage, mail_at(when))).id for when in times]
    expected = ids if order.by == "id" else [ids[place] for place in (1, 2, 3, 0, 4)]

    found = await pages(storage, JobFilter(states=(State.SCHEDULED,)), order)

    assert found == (expected[::-1] if order.descending else expected)


@needs(Feature.ORDERS)
@pytest.mark.parametrize("limit", [1, 2, 3, 4])
async def test_jobs_without_the_time_that_they_are_ordered_by_count_as_the_latest(
    storage: AsyncStorage, limit: int
) -> None:
    ids = [(await store(storage)).id for _ in range(4)]
    for minute, place in enumerate((2, 1)):
        await storage.jobs.cancel(
            (await storage.jobs.list(JobFilter(ids=(ids[place],)))).items[0].ref, now=later(minutes=minute)
        )
    mixed = JobFilter(states=(State.CANCELLED, State.AVAILABLE))

    upwards = await pages(storage, mixed, JobOrder(by="time"), limit=limit)
    downwards = await pages(storage, mixed, JobOrder(by="time", descending=True), limit=limit)

    assert upwards == [ids[2], ids[1], ids[0], ids[3]]
    assert downwards == upwards[::-1]


@needs(Feature.ORDERS)
async def test_ordered_by_their_end_only_jobs_that_have_ended_are_listed(storage: AsyncStorage) -> None:
    await store(storage)
    ended = await store(storage)
    await storage.jobs.cancel(ended, now=NOW)

    assert await pages(storage, EVERYTHING, JobOrder(by="finalized_at")) == [ended.id]
    with pytest.raises(ConfigError, match="finalized_at"):
        await storage.jobs.list(JobFilter(states=(State.RUNNING,)), order=JobOrder(by="finalized_at"))


@needs(Feature.ORDERS)
@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
async def test_jobs_of_one_state_follow_each_other_by_their_end(storage: AsyncStorage, descending: bool) -> None:
    refs = [await store(storage) for _ in range(5)]
    for place, hours in enumerate((3, 1, 1, 2, 4)):
        await storage.jobs.cancel(refs[place], now=later(hours=hours))
    expected = [refs[place].id for place in (1, 2, 3, 0, 4)]

    order = JobOrder(by="finalized_at", descending=descending)
    found = await pages(storage, JobFilter(states=(State.CANCELLED,)), order)

    assert found == (expected[::-1] if descending else expected)


@needs(Feature.ORDERS)
async def test_jobs_are_found_by_id_priority_and_tags(storage: AsyncStorage) -> None:
    urgent = await store(storage, mail(priority=1, tags=("red", "big")))
    lazy = await store(storage, mail(priority=3, tags=("big",)))

    async def found(**said: object) -> list[str]:
        return [job.id for job in (await storage.jobs.list(JobFilter(**said))).items]  # type: ignore[arg-type]

    assert await found(ids=(lazy.id, "999")) == [lazy.id]
    assert await found(priorities=(1, 2)) == [urgent.id]
    assert await found(tags=("big",)) == [lazy.id, urgent.id]
    assert await found(tags=("big", "red")) == [urgent.id]
    assert await found(tags=("small",)) == []


@needs(Feature.ORDERS)
@pytest.mark.parametrize("which", [JobFilter(kinds=("rare",)), JobFilter(kinds=("rare", "never"))], ids=str)
async def test_few_old_jobs_are_found_behind_many_new_ones(storage: AsyncStorage, which: JobFilter) -> None:
    ids = [(await store(storage, mail(kind="rare"))).id for _ in range(3)]
    await storage.jobs.insert_fast([mail()] * 5_100, now=NOW)
    last = [(await store(storage, mail(kind="rare"))).id]

    downwards = await pages(storage, which, JobOrder(descending=True))
    upwards = await pages(storage, which, JobOrder())

    assert downwards == [*last, *reversed(ids)]
    assert upwards == [*ids, *last]


async def test_jobs_are_found_whatever_is_in_the_name_of_their_kind(storage: AsyncStorage) -> None:
    for kind in ("null", "a[b]", "a/b·c"):
        stored = await store(storage, mail(kind=kind))

        page = await storage.jobs.list(JobFilter(kinds=(kind, '{"a\\\\b"}', "größe")))

        assert [job.ref for job in page.items] == [stored]


@needs(Feature.METADATA)
async def test_jobs_are_found_by_what_their_metadata_contain(storage: AsyncStorage) -> None:
    ours = await store(storage, mail(metadata={"customer": {"id": 7, "name": "Ada"}, "more": 1}))
    await store(storage, mail(metadata={"customer": {"id": 8}}))

    page = await storage.jobs.list(JobFilter(metadata={"customer": {"id": 7}}))

    assert [job.ref for job in page.items] == [ours]


async def test_what_a_format_cannot_find_is_refused(storage: AsyncStorage) -> None:
    if Feature.METADATA not in storage.features:
        with pytest.raises(Unsupported, match="metadata"):
            await storage.jobs.list(JobFilter(metadata={"a": 1}))
    if Feature.ORDERS not in storage.features:
        with pytest.raises(Unsupported, match="priorities"):
            await storage.jobs.list(JobFilter(priorities=(1,)))
        with pytest.raises(Unsupported, match="order"):
            await storage.jobs.list(EVERYTHING, order=JobOrder(by="scheduled_at"))
