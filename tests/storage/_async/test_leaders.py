"""Who does the chores that only one may do."""

from __future__ import annotations

from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature
from storage.samples import NOW, later, needs

LONG = {"hours": 1}
"""Longer than any lease."""


@needs(Feature.LEADERS)
async def test_one_leads_at_a_time(storage: AsyncStorage, elsewhere: AsyncStorage) -> None:
    assert await storage.leaders.elect("ada", term=None, now=NOW) is not None
    assert await elsewhere.leaders.elect("bob", term=None, now=later(seconds=1)) is None


@needs(Feature.LEADERS)
async def test_a_leader_that_asks_in_time_keeps_its_term(storage: AsyncStorage) -> None:
    term = await storage.leaders.elect("ada", term=None, now=NOW)

    for second in range(5, 60, 5):
        assert await storage.leaders.elect("ada", term=term, now=later(seconds=second)) == term
        assert await storage.leaders.elect("bob", term=None, now=later(seconds=second)) is None


@needs(Feature.LEADERS)
async def test_when_a_leader_falls_silent_another_follows(storage: AsyncStorage) -> None:
    await storage.leaders.elect("ada", term=None, now=NOW)

    assert await storage.leaders.elect("bob", term=None, now=later(**LONG)) is not None


@needs(Feature.LEADERS)
async def test_a_term_that_ran_out_cannot_be_brought_back(storage: AsyncStorage) -> None:
    term = await storage.leaders.elect("ada", term=None, now=NOW)

    assert await storage.leaders.elect("ada", term=term, now=later(**LONG)) is None
    assert await storage.leaders.elect("bob", term=None, now=later(**LONG)) is not None


@needs(Feature.LEADERS)
async def test_a_term_that_another_took_over_is_not_ours_any_more(storage: AsyncStorage) -> None:
    term = await storage.leaders.elect("ada", term=None, now=NOW)
    await storage.leaders.elect("bob", term=None, now=later(**LONG))

    assert await storage.leaders.elect("ada", term=term, now=later(**LONG)) is None


@needs(Feature.LEADERS)
async def test_nobody_keeps_the_term_of_another(storage: AsyncStorage) -> None:
    term = await storage.leaders.elect("ada", term=None, now=NOW)

    assert await storage.leaders.elect("bob", term=term, now=later(seconds=1)) is None


@needs(Feature.LEADERS)
async def test_who_resigns_makes_room_at_once(storage: AsyncStorage) -> None:
    term = await storage.leaders.elect("ada", term=None, now=NOW)

    await storage.leaders.resign("ada", term=term)

    assert await storage.leaders.elect("bob", term=None, now=later(seconds=1)) is not None


@needs(Feature.LEADERS)
async def test_resigning_from_a_term_that_is_over_hurts_nobody(storage: AsyncStorage) -> None:
    old = await storage.leaders.elect("ada", term=None, now=NOW)
    term = await storage.leaders.elect("bob", term=None, now=later(**LONG))

    await storage.leaders.resign("ada", term=old)

    assert await storage.leaders.elect("bob", term=term, now=later(**LONG)) == term
