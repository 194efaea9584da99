"""Go's schedulers, listed beside our own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.errors import Unsupported
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import SCHEDULERS, scheduler
from ferryman.storage.asynq.messages import SCHEDULER_ENTRY, SchedulerEntry, Timestamp
from ferryman.storage.asynq.times import seconds
from ferryman.storage.infos import PeriodicInfo
from storage.samples import NOW, later

KEY = scheduler("gobox:12:0e6d7c1e-3b5f-4c51-9a55-3f5f0e9b2b11")
ENTRY = SchedulerEntry(
    id="b7c9",
    spec="@every 30s",
    task_type="report",
    enqueue_options=("MaxRetry(3)", 'Queue("low")'),
    next_enqueue_time=Timestamp.of(later(seconds=30)),
    prev_enqueue_time=Timestamp.of(None),
)


async def test_a_go_schedulers_entries_are_listed_as_its_own(storage: AsyncRedisStorage, redis: Any) -> None:
    redis.zadd(SCHEDULERS, {KEY: seconds(later(seconds=10))})
    redis.lpush(KEY, SCHEDULER_ENTRY.encode(ENTRY), b"\xff not a message")

    assert await storage.workers.schedules(now=NOW) == [
        PeriodicInfo(
            id="b7c9",
            spec="@every 30s",
            kind="report",
            queue="low",
            next_at=later(seconds=30),
            owner="gobox:12",
        )
    ]
    assert await storage.workers.schedules(now=later(seconds=11)) == []


async def test_a_go_schedulers_entries_can_only_be_looked_at(storage: AsyncRedisStorage, redis: Any) -> None:
    redis.zadd(SCHEDULERS, {KEY: seconds(datetime.now(UTC)) + 60})
    redis.lpush(KEY, SCHEDULER_ENTRY.encode(ENTRY))

    async def opened() -> AsyncRedisStorage:
        return storage

    admin = AsyncAdmin(opened).periodic
    for act in (admin.run, admin.pause):
        with pytest.raises(Unsupported, match="Go scheduler gobox:12"):
            await act("b7c9")
    assert await admin.history("b7c9") == []
