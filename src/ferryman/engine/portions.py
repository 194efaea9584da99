"""How much a chore takes at once.

A database that cancels what takes too long would cancel the same large portion again
with every look, and the rest would pile up.  So after a failure a tenth is taken, until
a look gets through (spec/river.md 6).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ferryman.errors import StorageError

__all__ = ["Portions"]

_LEAST = 100


class Portions:
    """Takes up to `most` at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._size = most

    async def all(self, take: Callable[[int], Awaitable[int]]) -> int:
        """Take portion after portion, until there is nothing, and say how much it was.  Raises what `take` raises."""
        taken = 0
        try:
            while count := await take(self._size):
                taken += count
        except StorageError:
            self._size = max(self._size // 10, min(self.most, _LEAST))
            raise
        self._size = self.most
        return taken
