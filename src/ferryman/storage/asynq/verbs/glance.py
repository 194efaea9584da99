"""All queues at a glance: plain commands that cost the same however long a queue is, two round trips for all.

A queue that cannot be read, since another program has made something else of one of its
keys, says so by itself and takes none of the others with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from ferryman.errors import StorageError
from ferryman.job import State
from ferryman.storage.asynq.calls import Command, Each, Verb
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.tasks import STATES
from ferryman.storage.asynq.times import moment, moment_ns
from ferryman.storage.asynq.verbs.queues import known_queues
from ferryman.storage.infos import DayCounts, QueueInfo

__all__ = ["glance"]

_WORDS = ("pending", "active", "scheduled", "retry", "archived", "completed")


def glance(*, now: datetime | None) -> Verb[list[QueueInfo]]:
    """Return every queue, by name."""
    at = now or datetime.now(UTC)
    names = yield from known_queues()
    first = yield from _each([list(_counts(QueueKeys(name), at)) for name in names])
    second = yield from _each([list(_more(QueueKeys(name), found)) for name, found in zip(names, first, strict=True)])
    return [_info(name, at, found, more) for name, found, more in zip(names, first, second, strict=True)]


def _each(questions: Sequence[Sequence[Command]]) -> Verb[list[list[Any]]]:
    """Ask what is to be known of each queue, all in one round trip."""
    asked = Each(command for commands in questions for command in commands)
    replies = iter((yield asked)) if asked else iter(())
    return [list(islice(replies, len(commands))) for commands in questions]


def _counts(keys: QueueKeys, at: datetime) -> Iterator[Command]:
    yield Command(("LLEN", keys.pending))
    yield Command(("LLEN", keys.active))
    for key in (keys.scheduled, keys.retry, keys.archived, keys.completed):
        yield Command(("ZCARD", key))
    yield Command(("GET", keys.paused))
    yield Command(("MGET", keys.processed_on(at), keys.failed_on(at)))
    yield Command(("LINDEX", keys.pending, -1))
    yield Command(("SMEMBERS", keys.groups))
    yield Command(("ZRANGE", keys.aggregation_sets, 0, -1))


def _more(keys: QueueKeys, found: Sequence[Any]) -> Iterator[Command]:
    """Ask since when the next task waits, and how many are in groups."""
    *_, next_id, groups, staged = found
    if _error(found) is not None:
        return
    yield Command(("HGET", keys.task((next_id or b"").decode()), "pending_since"))
    for group in groups:
        yield Command(("ZCARD", keys.group(group.decode())))
    for key in staged:
        yield Command(("ZCARD", key.decode()))


def _info(name: str, at: datetime, found: Sequence[Any], more: Sequence[Any]) -> QueueInfo:
    if (error := _error([*found, *more])) is not None:
        return QueueInfo(name=name, unreadable=str(error))
    *numbers, paused, today, _, _, _ = found
    since, *in_groups = more
    counts = {STATES[word]: number for word, number in zip(_WORDS, numbers, strict=True) if number}
    if waiting := sum(in_groups):
        counts[State.PENDING] = waiting
    processed, failed = (int(number or 0) for number in today)
    return QueueInfo(
        name=name,
        paused_at=moment(int(paused)) if paused else None,
        counts=counts,
        oldest=moment_ns(int(since)) if since else None,
        today=DayCounts(day=at.astimezone(UTC).date(), processed=processed, failed=failed),
    )


def _error(replies: Sequence[Any]) -> StorageError | None:
    return next((reply for reply in replies if isinstance(reply, StorageError)), None)
