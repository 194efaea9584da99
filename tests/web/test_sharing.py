"""Reads that several people share, and how long their answers are good."""

from __future__ import annotations

import asyncio

import pytest

from ferryman.web import sharing
from ferryman.web.sharing import Shared


class Storage:
    """Answers when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.fails = False

    async def read(self) -> int:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        if self.fails:
            raise RuntimeError("it is away")
        return number


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every read count as one that took long."""
    monkeypatch.setattr(sharing, "_SHARE", 1e9)


async def test_who_asks_while_a_read_is_under_way_waits_for_it() -> None:
    shared, storage = Shared(), Storage()
    waiting = [asyncio.ensure_future(shared.fresh("jobs", storage.read)) for _ in range(3)]
    await asyncio.sleep(0)
    storage.may_answer.set()

    assert await asyncio.gather(*waiting) == [1, 1, 1]


@pytest.mark.usefixtures("long")
async def test_what_took_long_is_not_read_again_at_once() -> None:
    shared, storage = Shared(), Storage()
    storage.may_answer.set()

    assert [await shared.fresh("groups", storage.read) for _ in range(3)] == [1, 1, 1]
    assert await shared.fresh("others", storage.read) == 2


@pytest.mark.usefixtures("long")
async def test_after_a_change_everything_is_read_anew() -> None:
    shared, storage = Shared(), Storage()
    storage.may_answer.set()
    await shared.fresh("groups", storage.read)
    shared.anew()

    assert await shared.fresh("groups", storage.read) == 2


@pytest.mark.usefixtures("long")
async def test_a_failure_is_not_kept() -> None:
    shared, storage = Shared(), Storage()
    storage.may_answer.set()
    storage.fails = True
    with pytest.raises(RuntimeError, match="it is away"):
        await shared.fresh("groups", storage.read)
    storage.fails = False

    assert await shared.fresh("groups", storage.read) == 2


@pytest.mark.usefixtures("long")
async def test_who_does_not_wait_is_told_what_was_read_last_and_since_when() -> None:
    shared, storage = Shared(), Storage()
    nothing = await shared.latest("groups", storage.read, patience=0.0)
    storage.may_answer.set()
    first = await shared.latest("groups", storage.read, patience=30.0)

    assert (nothing.value, nothing.at) == (None, None)
    assert "look again" in nothing.why
    assert (first.value, first.why) == (1, "")
    assert first.at is not None
    assert await shared.latest("groups", storage.read) == first


@pytest.mark.usefixtures("long")
async def test_after_a_change_the_new_answer_is_waited_for() -> None:
    shared, storage = Shared(), Storage()
    storage.may_answer.set()
    await shared.latest("groups", storage.read)
    shared.anew()

    assert (await shared.latest("groups", storage.read, patience=30.0)).value == 2


async def test_what_was_being_read_when_something_changed_is_nobodys_answer() -> None:
    shared, storage = Shared(), Storage()
    await shared.latest("groups", storage.read, patience=0.0)
    shared.anew()
    storage.may_answer.set()
    (late,) = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    await late

    assert (await shared.latest("groups", storage.read, patience=30.0)).value == 2


async def test_what_cannot_be_read_again_stays_beside_the_reason() -> None:
    shared, storage = Shared(), Storage()
    storage.may_answer.set()
    before = await shared.latest("groups", storage.read)
    storage.fails = True
    shared.anew()
    after = await shared.latest("groups", storage.read, patience=30.0)

    assert (after.value, after.at) == (before.value, before.at)
    assert after.why
