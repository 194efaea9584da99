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
    waiting = [asyncio.ensure_future(shared.read("jobs", storage.read)) for _ in range(3)]
    await asyncio.sleep(0)
    storage.may_answer.set()

    assert await asyncio.gather(*waiting) == [1, 1, 1]


@pytest.mark.usefixtures("long")
async def test_what_took_long_is_not_read_again_at_once() -> None:
    shared, storage = Shared(), Storage()
    storage.may_answer.set()

    assert [await shared.read("groups", storage.read) for _ in range(3)] == [1, 1, 1]
    assert await shared.read("others", storage.read) == 2


@pytest.mark.usefixtures("long")
async def test_after_a_change_everything_is_read_anew() -> None:
    shared, storage = Shared(), Storage()
    storage.may_answer.set()
    await shared.read("groups", storage.read)
    shared.anew()

    assert await shared.read("groups", storage.read) == 2


@pytest.mark.usefixtures("long")
async def test_a_failure_is_not_kept() -> None:
    shared, storage = Shared(), Storage()
    storage.may_answer.set()
    storage.fails = True
    with pytest.raises(RuntimeError, match="it is away"):
        await shared.read("groups", storage.read)
    storage.fails = False

    assert await shared.read("groups", storage.read) == 2
