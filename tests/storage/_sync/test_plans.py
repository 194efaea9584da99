# Generated from tests/storage/_async/test_plans.py by tools/unasync.py: change that file and run `make sync`.
"""When schedules are due next, kept for leaders to come."""

from __future__ import annotations

import pytest

from ferryman.errors import DuplicateJob
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature, Plan
from storage._sync.acts import states, store
from storage.samples import NOW, later, mail, needs

pytestmark = needs(Feature.PLANS)

NIGHTLY = Plan("nightly", "0 0 * * *", later(hours=12))
HOURLY = Plan("hourly", "@every 1h", later(hours=1))


def test_a_plan_is_kept_for_whoever_leads_next(storage: Storage, elsewhere: Storage) -> None:
    assert list(storage.leaders.plans()) == []

    storage.leaders.keep([NIGHTLY, HOURLY], now=NOW)

    assert list(elsewhere.leaders.plans()) == [HOURLY, NIGHTLY]


def test_a_later_plan_takes_the_place_of_the_one_before(storage: Storage) -> None:
    storage.leaders.keep([NIGHTLY, HOURLY], now=NOW)
    changed = Plan("hourly", "@every 2h", later(hours=3))

    storage.leaders.keep([changed], now=NOW)

    assert list(storage.leaders.plans()) == [changed, NIGHTLY]


def test_plans_are_kept_together_with_the_jobs(storage: Storage) -> None:
    storage.jobs.insert([mail(), mail()], plans=[HOURLY], now=NOW)

    assert list(storage.leaders.plans()) == [HOURLY]
    assert sum((states(storage)).values()) == 2


def test_where_the_jobs_are_not_stored_the_plans_stay_as_they_were(storage: Storage) -> None:
    storage.leaders.keep([HOURLY], now=NOW)
    store(storage, mail(id="7"))

    with pytest.raises(DuplicateJob):
        storage.jobs.insert([mail(), mail(id="7")], plans=[Plan("hourly", "@every 1h", later(hours=2))], now=NOW)

    assert list(storage.leaders.plans()) == [HOURLY]
