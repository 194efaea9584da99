"""Counts what is done from the dashboard, each action by how it ended, for its metrics.

Every count is there at 0 from the start: `increase()` does not see one that appears with 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ferryman.errors import FerrymanError, StorageUnavailable
from ferryman.storage.values import Action

__all__ = ["Deeds"]

_ENDS = ("done", "refused", "error")
_ENDS_OF_JOBS = ("done", "skipped_state", "not_found", "conflict_unique", "refused", "error")
_ON_JOBS = tuple(f"job.{action}" for action in Action)
_OTHERS = (
    *(f"bulk.{action}" for action in Action),
    *("bulk.continue", "bulk.stop", "job.enqueue", "job.reveal"),
    *("periodic.pause", "periodic.resume", "periodic.run"),
    *("queue.delete", "queue.pause", "queue.resume"),
)


class Deeds:
    """The counts of one dashboard, in this process."""

    def __init__(self) -> None:
        self._counts = {(action, end): 0 for action in _ON_JOBS for end in _ENDS_OF_JOBS}
        self._counts |= {(action, end): 0 for action in _OTHERS for end in _ENDS}

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """How often each action ended in each way."""
        return self._counts

    def add(self, action: str, end: str) -> None:
        """Count one."""
        self._counts[action, end] += 1

    @contextmanager
    def counting_each(self, action: str) -> Iterator[list[str]]:
        """Count each of the ends that the block notes; one error when it fails."""
        ends: list[str] = []
        try:
            yield ends
        except Exception:
            ends.append("error")
            raise
        finally:
            for end in ends:
                self.add(action, end)

    @contextmanager
    def counting(self, action: str) -> Iterator[None]:
        """Count how the block ends: done, refused by the storage's rules, or in any other error."""
        try:
            yield
        except Exception as error:
            is_refusal = isinstance(error, FerrymanError) and not isinstance(error, StorageUnavailable)
            self.add(action, "refused" if is_refusal else "error")
            raise
        self.add(action, "done")
