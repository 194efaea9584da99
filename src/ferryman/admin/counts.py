"""How many jobs there are."""

from __future__ import annotations

from collections.abc import Mapping

from ferryman.job import State

__all__ = ["Counts"]


class Counts(dict[State, int]):
    """How many jobs there are, by state; states without any are left out.

    With `truncated` not all were looked at, and there are at least so many.
    """

    def __init__(self, counts: Mapping[State, int], *, truncated: bool = False) -> None:
        super().__init__(counts)
        self.truncated = truncated

    @property
    def total(self) -> int:
        """How many there are in all states together."""
        return sum(self.values())
