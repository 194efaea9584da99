"""What a storage can do and know, in words, so that a page or a program need not try."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from ferryman.storage.values import Feature

__all__ = ["Capabilities", "Capability", "capabilities_of"]

_GROUPS = "groups of jobs that are made into one"
_DAYS = "attempts counted by day without looking at the jobs"
_MEMORY = "how much memory a queue takes"
_LEASES = "running jobs whose worker fell silent are told at once"
_SEMAPHORES = "tokens that only so many running jobs hold at a time"
_ARCHIVE = "jobs that wait and are cancelled are kept as cancelled"
_CREATED = "when a job was created"


class Capability(msgspec.Struct, frozen=True):
    """One thing that some storage can do; `words` say what."""

    name: str
    able: bool
    words: str


class Capabilities(msgspec.Struct, frozen=True):
    """What one storage can do and what it cannot, the same things for every storage."""

    format: str
    items: tuple[Capability, ...]

    def able(self, name: str) -> bool:
        """Whether it can do this.  Raises KeyError for what no storage is asked for."""
        return {item.name: item.able for item in self.items}[name]


def capabilities_of(format: str, features: Collection[Feature], *, groups: bool) -> Capabilities:
    """Put together what is known of a storage; only asynq's format has groups."""
    told = [Capability(feature.name.lower(), feature in features, feature.value) for feature in Feature]
    told += [
        Capability("groups", groups, _GROUPS),
        Capability("day_counts", groups, _DAYS),
        Capability("memory", groups, _MEMORY),
        Capability("leases", groups, _LEASES),
        Capability("semaphores", groups, _SEMAPHORES),
        Capability("cancelled", not groups, _ARCHIVE),
        Capability("created_at", not groups, _CREATED),
    ]
    return Capabilities(format, tuple(told))
