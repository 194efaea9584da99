"""Groups: jobs that wait for each other until they are made into one (spec/asynq.md 4.8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import msgspec

from ferryman.duration import parse_duration
from ferryman.errors import ConfigError
from ferryman.job import Job, NewJob

__all__ = ["Aggregation", "Combine", "GroupRules", "group_rules"]

Combine = Callable[[str, Sequence[Job]], NewJob | Awaitable[NewJob]]
"""Makes one job of a group's: takes the group's name and its jobs, the oldest first."""

_SHORTEST = timedelta(seconds=1)


class GroupRules(msgspec.Struct, frozen=True, kw_only=True):
    """When the jobs of a group are made into one: at whatever comes first."""

    grace: timedelta = timedelta(minutes=1)
    """When no other has joined them for this long."""
    max_delay: timedelta | None = None
    """When the oldest has waited for this long."""
    max_size: int | None = None
    """When there are so many; no more than these are made into one."""


class Aggregation(msgspec.Struct, frozen=True):
    """What a program does with groups."""

    combine: Combine
    rules: GroupRules


def group_rules(
    grace: timedelta | float | str, max_delay: timedelta | float | str | None, max_size: int | None
) -> GroupRules:
    """Read the rules as people write them.  Raises ConfigError."""
    rules = GroupRules(
        grace=parse_duration(grace),
        max_delay=None if max_delay is None else parse_duration(max_delay),
        max_size=max_size,
    )
    if rules.grace < _SHORTEST:
        raise ConfigError(f"grace is {grace}. It takes 1 second or more, such as 1m.")
    if rules.max_delay is not None and rules.max_delay < _SHORTEST:
        raise ConfigError(f"max_delay is {max_delay}. It takes 1 second or more, such as 10m.")
    if max_size is not None and max_size < 1:
        raise ConfigError(f"max_size is {max_size}. It takes 1 or more, such as 100.")
    return rules
