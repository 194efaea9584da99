"""Which jobs are meant, in which order they are listed, and a page of such a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec

from ferryman.job import State

__all__ = [
    "NEWEST_FIRST",
    "JobFilter",
    "JobOrder",
    "Page",
]

T = TypeVar("T")


class JobFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs; an empty field does not narrow."""

    states: tuple[State, ...] = ()
    queues: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    since: datetime | None = None
    """Created at this time or later."""
    before: datetime | None = None
    """Created before this time."""
    ended_since: datetime | None = None
    """Ended, or failed the last time, at this time or later."""
    ended_before: datetime | None = None
    """Ended, or failed the last time, before this time."""
    error: str = ""
    """What the latest error contains, in small or capital letters."""
    fingerprint: str = ""
    """Which failure it is."""
    args: Mapping[str, str] = {}
    """What stands in the arguments at a path such as user.id."""
    tags: tuple[str, ...] = ()
    """Which tags it has, all of them."""
    worker: str = ""
    """What the name of a worker contains that ran it."""
    group: str = ""
    """In which group it waits, or waited."""
    ids: tuple[str, ...] = ()
    priorities: tuple[int, ...] = ()
    metadata: Mapping[str, Any] = {}
    """Its metadata contain all of this."""


class JobOrder(msgspec.Struct, frozen=True, kw_only=True):
    """In which order jobs are listed; those of the same time by id.

    "time" is the time that says most of the first state that is asked for: when it is
    due, when it began, or when it ended.  Jobs without such a time count as the latest.
    """

    by: Literal["id", "scheduled_at", "finalized_at", "time"] = "id"
    descending: bool = False


NEWEST_FIRST = JobOrder(descending=True)


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some of a list; `next` is the cursor of the following page, or None at the end."""

    items: list[T]
    next: str | None = None
