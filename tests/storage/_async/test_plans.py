"""When schedules are due next, kept for leaders to come."""

from __future__ import annotations

import pytest

from ferryman.errors import DuplicateJob
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature, Plan
from storage._async.acts import states, store
from storage.samples import NOW, later, mail, needs

pytestmark = needs(Feature.PLANS)

NIGHTLY = Plan("nightly", "0 0 * * *", later(hours=12))
HOURLY = Plan("hourly", "@every 1h", later(hours=1))


async def test_a_plan_is_kept_for_whoever_leads_next(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    assert list(await storage.leaders.plans()) == []

    await storage.leaders.keep([NIGHTLY, HOURLY], now=NOW)

    assert list(await elsewhere.leaders.plans()) == [HOURLY, NIGHTLY]


async def test_a_later_plan_takes_the_place_of_the_one_before(storage: AsyncStorage) -> None:
    await storage.leaders.keep([NIGHTLY, HOURLY], now=NOW)
    changed = Plan("hourly", "@every 2h", later(hours=3))

    await storage.leaders.keep([changed], now=NOW)

    assert list(await storage.leaders.plans()) == [changed, NIGHTLY]


async def test_plans_are_kept_together_with_the_jobs(storage: AsyncStorage) -> None:
    await storage.jobs.insert([mail(), mail()], plans=[HOURLY], now=NOW)

    assert list(await storage.leaders.plans()) == [HOURLY]
    assert sum((await states(storage)).values()) == 2


async def test_where_the_jobs_are_not_stored_the_plans_stay_as_they_were(storage: AsyncStorage) -> None:
    await storage.leaders.keep([HOURLY], now=NOW)
    await store(storage, mail(id="7"))

    with pytest.raises(DuplicateJob):
        await storage.jobs.insert([mail(), mail(id="7")], plans=[Plan("hourly", "@every 1h", later(hours=2))], now=NOW)

    assert list(await storage.leaders.plans()) == [HOURLY]
