"""Groups: jobs that are gathered and made into one (spec/asynq.md 3.12 and 4.8)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from ferryman.aggregation import GroupRules
from ferryman.job import Inserted, NewJob
from ferryman.storage.asynq.calls import Call, Command, Script, Streaming, Value, Verb
from ferryman.storage.asynq.ids import new_id
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.messages import TASK
from ferryman.storage.asynq.tasks import StoredJob, job_from
from ferryman.storage.asynq.times import moment, seconds
from ferryman.storage.asynq.verbs.insert import insert
from ferryman.storage.asynq.verbs.on_queue import on_queue
from ferryman.storage.asynq.wire import WireError
from ferryman.storage.values import Gathered

__all__ = ["SET_ASIDE_FOR", "gather", "replace"]

SET_ASIDE_FOR = timedelta(seconds=120)
"""For how long gathered jobs belong to whoever gathered them."""

_AT_ONCE = 100


def gather(queue: str, rules: GroupRules, *, now: datetime | None) -> Verb[list[Gathered]]:
    """Set aside the jobs of each group of a queue that is due, those included that nobody finished with."""
    at = now or datetime.now(UTC)
    keys = QueueKeys(queue)
    reclaim = on_queue("reclaim_stale_sets", queue, at, keys={"aggregation_sets": keys.aggregation_sets})
    _, names = yield [reclaim, Command(("SMEMBERS", keys.groups))]
    groups = sorted(name.decode() for name in names)
    gathered: list[Gathered] = []
    for first in range(0, len(groups), _AT_ONCE):
        staged = {group: keys.aggregation_set(group, new_id()) for group in groups[first : first + _AT_ONCE]}
        replies = yield [_check(keys, group, key, rules, at) for group, key in staged.items()]
        for (group, key), found in zip(staged.items(), replies, strict=True):
            if found:
                until = moment(seconds(at + SET_ASIDE_FOR))
                gathered.append(Gathered(queue=queue, group=group, jobs=_jobs(found), until=until, key=key))
    return gathered


def replace(gathered: Gathered, job: NewJob, *, now: datetime | None) -> Streaming[Inserted]:
    """Store the job that a group was made into, then delete the set; who dies in between leaves both."""
    (inserted,) = yield from insert([job], now=now)
    keys = QueueKeys(gathered.queue)
    locks: list[Value] = []
    for each in gathered.jobs:
        if isinstance(each, StoredJob) and each.message.unique_key:
            locks += (each.id, each.message.unique_key)
    yield [
        Script(
            "delete_aggregation_set",
            keys={"staged": gathered.key, "aggregation_sets": keys.aggregation_sets},
            args={"task_prefix": keys.task_prefix},
            rest=locks,
        )
    ]
    return inserted


def _check(keys: QueueKeys, group: str, staged: str, rules: GroupRules, at: datetime) -> Call:
    return on_queue(
        "aggregation_check",
        keys.queue,
        at,
        keys={"waiting": keys.group(group), "staged": staged, "aggregation_sets": keys.aggregation_sets},
        group=group,
        most=rules.max_size or 0,
        waited_since="" if rules.max_delay is None else seconds(at - rules.max_delay),
        quiet_since=seconds(at - rules.grace),
        give_back_at=seconds(at + SET_ASIDE_FOR),
    )


def _jobs(found: Sequence[bytes]) -> tuple[StoredJob, ...]:
    jobs = []
    for data in found:
        with suppress(WireError):
            jobs.append(job_from(TASK.decode(data), "aggregating", data=data))
    return tuple(jobs)
