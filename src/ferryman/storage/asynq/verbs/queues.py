"""Queues: which there are, what they hold, pausing (spec/asynq.md 3.1, 3.16 and 3.22)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from ferryman.errors import QueueNotFound
from ferryman.storage.asynq.calls import Command, Script, Verb
from ferryman.storage.asynq.keys import QUEUES, QueueKeys
from ferryman.storage.asynq.scripts import load
from ferryman.storage.asynq.tasks import STATES
from ferryman.storage.asynq.times import moment, moment_ns, seconds
from ferryman.storage.infos import DayCounts, QueueInfo, not_empty

__all__ = [
    "announce",
    "check_one",
    "delete",
    "get_queue",
    "history",
    "known_queues",
    "list_queues",
    "pause",
    "paused",
    "read_queues",
    "resume",
]

_COUNTED = ("pending", "active", "scheduled", "retry", "archived", "completed", "aggregating")


def announce(names: Sequence[str]) -> Verb[None]:
    """Let the queues be listed, by us and by Go's tools."""
    if names:
        yield [Command(("SADD", QUEUES, *names))]


def known_queues() -> Verb[list[str]]:
    """Return the names of all queues.  What is no text names none: no task can say that it is in such a queue."""
    (names,) = yield [Command(("SMEMBERS", QUEUES))]
    return sorted(_texts(names))


def _texts(names: Iterable[bytes]) -> Iterator[str]:
    for name in names:
        with suppress(UnicodeDecodeError):
            yield name.decode()


def list_queues() -> Verb[list[QueueInfo]]:
    """Return every queue with its counts."""
    names = yield from known_queues()
    return (yield from read_queues(names))


def get_queue(name: str) -> Verb[QueueInfo]:
    """Return one queue."""
    yield from _check(name)
    (queue,) = yield from read_queues([name])
    return queue


def read_queues(names: Sequence[str]) -> Verb[list[QueueInfo]]:
    """Count what these queues hold, which is nothing for one that is not there."""
    if not names:
        return []
    replies = yield [_count(QueueKeys(name)) for name in names]
    return [_info(name, reply) for name, reply in zip(names, replies, strict=True)]


def history(name: str, *, days: int, now: datetime | None) -> Verb[list[DayCounts]]:
    """Return asynq's own counters, which it keeps for 90 days (spec/asynq.md 3.22)."""
    yield from check_one(name)
    keys, today = QueueKeys(name), now or datetime.now(UTC)
    times = [today - timedelta(days=ago) for ago in range(days)]
    names = [key for at in times for key in (keys.processed_on(at), keys.failed_on(at))]
    (found,) = yield [Command(("MGET", *names))]
    numbers = [int(number or 0) for number in found]
    return [
        DayCounts(day=at.astimezone(UTC).date(), processed=processed, failed=failed)
        for at, processed, failed in zip(times, numbers[::2], numbers[1::2], strict=True)
    ]


def paused(names: Sequence[str]) -> Verb[list[str]]:
    """Return those of these queues that are paused."""
    if not names:
        return []
    replies = yield [Command(("EXISTS", QueueKeys(name).paused)) for name in names]
    return [name for name, there in zip(names, replies, strict=True) if there]


def pause(name: str, *, now: datetime | None) -> Verb[None]:
    """Pause a queue, or all; one that is paused keeps its time."""
    second = seconds(now or datetime.now(UTC))
    names = yield from _check(name)
    if names:
        yield [Command(("SET", QueueKeys(each).paused, second, "NX")) for each in names]


def resume(name: str) -> Verb[None]:
    """Resume a queue, or all."""
    names = yield from _check(name)
    if names:
        yield [Command(("DEL", QueueKeys(each).paused)) for each in names]


def delete(name: str) -> Verb[None]:
    """Remove a queue that holds no task."""
    yield from check_one(name)
    queue = QueueKeys(name)
    (done,) = yield [Script("remove_queue", keys={key: getattr(queue, key) for key in load("remove_queue").keys})]
    if not done:
        (there,) = yield from read_queues([name])
        raise not_empty(there)
    yield [Command(("SREM", QUEUES, name))]


def check_one(name: str) -> Verb[None]:
    """Raise QueueNotFound where nobody has used this queue."""
    known = yield from known_queues()
    if name not in known:
        raise QueueNotFound(name, known)


def _check(name: str) -> Verb[list[str]]:
    """Return the queues that a name means."""
    known = yield from known_queues()
    if name == "*":
        return known
    if name not in known:
        raise QueueNotFound(name, known)
    return [name]


def _count(keys: QueueKeys) -> Script:
    return Script(
        "queue_info",
        keys={
            "pending": keys.pending,
            "active": keys.active,
            "scheduled": keys.scheduled,
            "retry": keys.retry,
            "archived": keys.archived,
            "completed": keys.completed,
            "groups": keys.groups,
            "aggregation_sets": keys.aggregation_sets,
            "paused": keys.paused,
        },
        args={"group_prefix": keys.group_prefix, "task_prefix": keys.task_prefix},
    )


def _info(name: str, reply: list[Any]) -> QueueInfo:
    *numbers, paused, oldest = reply
    return QueueInfo(
        name=name,
        paused_at=moment(int(paused)) if paused else None,
        counts={STATES[word]: number for word, number in zip(_COUNTED, numbers, strict=True) if number},
        oldest=moment_ns(int(oldest)) if oldest else None,
    )
