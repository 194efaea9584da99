"""How much a chore takes at once (spec/river.md 6)."""

from __future__ import annotations

import pytest

from ferryman.engine.portions import Portions
from ferryman.errors import StorageError, StorageUnavailable


class Backlog:
    """So many things, of which a slow database gets through no more than `bearable` at once."""

    def __init__(self, left: int, bearable: int) -> None:
        self.left = left
        self.bearable = bearable
        self.asked: list[int] = []

    async def take(self, most: int) -> int:
        self.asked.append(most)
        taken = min(most, self.left)
        if taken > self.bearable:
            raise StorageUnavailable("canceling statement due to statement timeout")
        self.left -= taken
        return taken


async def test_what_is_too_much_at_once_is_taken_in_smaller_portions() -> None:
    portions, backlog = Portions(10_000), Backlog(30_000, bearable=2_000)

    with pytest.raises(StorageError):
        await portions.all(backlog.take)

    assert await portions.all(backlog.take) == 30_000
    assert (backlog.left, set(backlog.asked[1:])) == (0, {1_000})


async def test_once_it_got_through_it_takes_as_much_as_before() -> None:
    portions, backlog = Portions(10_000), Backlog(10_000, bearable=5_000)
    with pytest.raises(StorageError):
        await portions.all(backlog.take)
    await portions.all(backlog.take)

    backlog.asked.clear()
    await portions.all(backlog.take)

    assert backlog.asked == [10_000]


async def test_it_never_takes_less_than_a_hundred() -> None:
    portions, backlog = Portions(10_000), Backlog(10_000, bearable=0)

    for _ in range(4):
        with pytest.raises(StorageError):
            await portions.all(backlog.take)

    assert backlog.asked == [10_000, 1_000, 100, 100]
