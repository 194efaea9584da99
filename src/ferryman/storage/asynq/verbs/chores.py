"""What every worker does for all: make due jobs available, take back lost ones, delete old ones.

asynq has no leader: scripts make it safe that many do this at once (spec/asynq.md 3.11,
3.13, 3.14 and 4.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain, islice, zip_longest
from typing import TypeVar

from ferryman.job import Job, JobRef, State
from ferryman.outcome import Finished
from ferryman.storage.asynq.calls import Script, Verb
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.messages import TASK
from ferryman.storage.asynq.tasks import job_from
from ferryman.storage.asynq.times import seconds
from ferryman.storage.asynq.verbs.finish import finish
from ferryman.storage.asynq.verbs.on_queue import on_queue
from ferryman.storage.asynq.verbs.queues import known_queues
from ferryman.storage.asynq.wire import WireError
from ferryman.storage.values import Retention

__all__ = ["promote", "prune", "rescue", "stuck"]

S = TypeVar("S")

TOLERANCE = timedelta(seconds=30)
"""How long after its lease a job is left to its worker: clocks differ (spec/asynq.md 4.5)."""

_MOST_JOBS = 1_000


def promote(*, limit: int, now: datetime | None) -> Verb[int]:
    """Make jobs available that are due, or let them join their group."""
    at = now or datetime.now(UTC)
    names = yield from known_queues()
    return (yield from _in_shares(names, lambda name, most: on_queue("forward", name, at, limit=most), limit))


def prune(keep: Retention, *, limit: int, now: datetime | None) -> Verb[int]:
    """Delete completed jobs past their own time, and given-up ones past the time of their state."""
    at = now or datetime.now(UTC)
    names = yield from known_queues()
    sources = [(name, QueueKeys(name).completed, at) for name in names]
    if keep.discarded is not None:
        sources += [(name, QueueKeys(name).archived, at - keep.discarded) for name in names]

    def delete(source: tuple[str, str, datetime], most: int) -> Script:
        name, key, horizon = source
        return on_queue("delete_expired", name, at, keys={"source": key}, cutoff=seconds(horizon), limit=most)

    return (yield from _in_shares(sources, delete, limit))


def _in_shares(sources: list[S], call: Callable[[S, int], Script], limit: int) -> Verb[int]:
    """Call a script that takes a limit and answers how many it dealt with, until nothing is left or `limit` is."""
    done = 0
    while sources and done < limit:
        share = min(max((limit - done) // len(sources), 1), _MOST_JOBS)
        asked = sources[: limit - done]
        counts = yield [call(source, share) for source in asked]
        done += sum(counts)
        # Who gave less than asked for has nothing more.
        sources = [s for s, count in zip_longest(sources, counts) if count is None or count == share]
    return done


def stuck(*, limit: int, after: JobRef | None, now: datetime | None) -> Verb[list[Job]]:
    """Find jobs whose lease ran out half a minute ago or longer, queue by queue.

    Since when their attempt ran is not known: a lease only says until when it did.
    """
    at = now or datetime.now(UTC)
    names = yield from known_queues()
    names = [name for name in names if after is None or name >= after.queue]
    replies = yield [
        on_queue(
            "list_lease_expired",
            name,
            at,
            cutoff=seconds(at - TOLERANCE),
            after=after.id if after is not None and name == after.queue else "",
            limit=limit,
        )
        for name in names
    ]
    return list(islice(_jobs(chain.from_iterable(replies)), limit))


def _jobs(found: Iterable[bytes]) -> Iterator[Job]:
    for data in found:
        # What cannot be read is left as it is, for whoever wrote it.
        with suppress(WireError):
            yield job_from(TASK.decode(data), "active", data=data)


def rescue(finished: Sequence[Finished], *, now: datetime | None, remember: bool = True) -> Verb[list[State | None]]:
    """Take back lost jobs, but for those whose worker has come back or that somebody else took back."""
    at = now or datetime.now(UTC)
    return (yield from finish(finished, now=at, expired_by=at - TOLERANCE, remember=remember))
