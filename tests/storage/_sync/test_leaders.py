# Generated from tests/storage/_async/test_leaders.py by tools/unasync.py: change that file and run `make sync`.
"""Who does the chores that only one may do."""

from __future__ import annotations

from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature
from storage.samples import NOW, later, needs

LONG = {"hours": 1}
"""Longer than any lease."""


@needs(Feature.LEADERS)
def test_one_leads_at_a_time(storage: Storage, elsewhere: Storage) -> None:
    assert storage.leaders.elect("ada", term=None, now=NOW) is not None
    assert elsewhere.leaders.elect("bob", term=None, now=later(seconds=1)) is None


@needs(Feature.LEADERS)
def test_a_leader_that_asks_in_time_keeps_its_term(storage: Storage) -> None:
    term = storage.leaders.elect("ada", term=None, now=NOW)

    for second in range(5, 60, 5):
        assert storage.leaders.elect("ada", term=term, now=later(seconds=second)) == term
        assert storage.leaders.elect("bob", term=None, now=later(seconds=second)) is None


@needs(Feature.LEADERS)
def test_when_a_leader_falls_silent_another_follows(storage: Storage) -> None:
    storage.leaders.elect("ada", term=None, now=NOW)

    assert storage.leaders.elect("bob", term=None, now=later(**LONG)) is not None


@needs(Feature.LEADERS)
def test_a_term_that_ran_out_cannot_be_brought_back(storage: Storage) -> None:
    term = storage.leaders.elect("ada", term=None, now=NOW)

    assert storage.leaders.elect("ada", term=term, now=later(**LONG)) is None
    assert storage.leaders.elect("bob", term=None, now=later(**LONG)) is not None


@needs(Feature.LEADERS)
def test_a_term_that_another_took_over_is_not_ours_any_more(storage: Storage) -> None:
    term = storage.leaders.elect("ada", term=None, now=NOW)
    storage.leaders.elect("bob", term=None, now=later(**LONG))

    assert storage.leaders.elect("ada", term=term, now=later(**LONG)) is None


@needs(Feature.LEADERS)
def test_nobody_keeps_the_term_of_another(storage: Storage) -> None:
    term = storage.leaders.elect("ada", term=None, now=NOW)

    assert storage.leaders.elect("bob", term=term, now=later(seconds=1)) is None


@needs(Feature.LEADERS)
def test_who_resigns_makes_room_at_once(storage: Storage) -> None:
    term = storage.leaders.elect("ada", term=None, now=NOW)

    storage.leaders.resign("ada", term=term)

    assert storage.leaders.elect("bob", term=None, now=later(seconds=1)) is not None


@needs(Feature.LEADERS)
def test_resigning_from_a_term_that_is_over_hurts_nobody(storage: Storage) -> None:
    old = storage.leaders.elect("ada", term=None, now=NOW)
    term = storage.leaders.elect("bob", term=None, now=later(**LONG))

    storage.leaders.resign("ada", term=old)

    assert storage.leaders.elect("bob", term=term, now=later(**LONG)) == term
