"""Which queues Django's tasks are in, and how urgent they are there.

Django's priorities go from -100 to 100.  River has four, 1 before 4.  asynq has none: there
what is more urgent than usual is in a queue beside the usual one, and so is what can wait.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

__all__ = ["band", "with_urgent", "worked"]

BACKEND = "ferryman.django.FerrymanBackend"
_USUAL, _HIGH = 0, 50


def band(priority: int, queue: str, *, redis: bool) -> tuple[int | None, str]:
    """Return River's priority for one of Django's and the queue; on Redis none, and the queue of that urgency."""
    if not redis:
        return (1 if priority > _HIGH else 2 if priority >= _USUAL else 3 if priority >= -_HIGH else 4), queue
    if priority == _USUAL:
        return None, queue
    return None, f"{queue}-high" if priority > _USUAL else f"{queue}-low"


def with_urgent(queues: Mapping[str, int]) -> dict[str, int]:
    """Add to each queue the more and the less urgent one beside it."""
    weights = {"-high": 6, "": 3, "-low": 1}
    return {f"{name}{suffix}": weight * times for name, weight in queues.items() for suffix, times in weights.items()}


def worked(queues: Mapping[str, int], *, chosen: bool) -> dict[str, int]:
    """Return the queues that were chosen, or else all that a backend of Django's names too."""
    if chosen:
        return dict(queues)
    backends = [each for each in getattr(settings, "TASKS", {}).values() if each.get("BACKEND") == BACKEND]
    return {**queues, **{name: 1 for each in backends for name in each.get("QUEUES", ())}}
