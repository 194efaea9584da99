"""Groups: when their jobs are made into one, and that none is lost on the way (spec/asynq.md 3.12, 4.8)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ferryman import Ferryman
from ferryman.aggregation import Aggregation, GroupRules
from ferryman.engine.aggregator import Aggregator
from ferryman.errors import ConfigError, InvalidJob, Unsupported
from ferryman.events import GroupCombined, ServiceFailed
from ferryman.job import JobRef, NewJob, State, Unique
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import QUEUES, QueueKeys
from ferryman.storage.asynq.messages import TASK, TaskMessage
from ferryman.storage.asynq.times import seconds
from ferryman.testing import FakeClock, Recorder
from servers import Servers
from storage._async.acts import store, take
from storage.samples import EVERYTHING, NOW, failed, later, mail

KEYS = QueueKeys("default")
BY_GRACE = GroupRules(grace=timedelta(minutes=1))
BY_SIZE = GroupRules(grace=timedelta(hours=1), max_size=3)
BY_DELAY = GroupRules(grace=timedelta(hours=1), max_delay=timedelta(minutes=5))


async def put(storage: AsyncRedisStorage, count: int = 1, *, group: str = "news", at: float = 0) -> list[str]:
    """Put jobs into a group, some seconds after noon, and return their ids."""
    return [(await store(storage, mail(group=group), now=later(seconds=at))).id for _ in range(count)]


async def gathered(storage: AsyncRedisStorage, rules: GroupRules, *, at: float) -> list[list[str]]:
    """Return the ids in each set that is gathered, some seconds after noon."""
    found = await storage.groups.gather("default", rules, now=later(seconds=at))
    return [[job.id for job in each.jobs] for each in found]


# When


async def test_a_group_is_due_when_none_has_joined_it_for_the_grace(storage: AsyncRedisStorage) -> None:
    ids = [*await put(storage, at=0), *await put(storage, at=30)]

    assert await gathered(storage, BY_GRACE, at=89) == []
    assert await gathered(storage, BY_GRACE, at=90) == [ids]


async def test_a_group_is_due_when_its_oldest_has_waited_for_long(storage: AsyncRedisStorage) -> None:
    ids = [*await put(storage, at=0), *await put(storage, at=299)]

    assert await gathered(storage, BY_DELAY, at=299) == []
    assert await gathered(storage, BY_DELAY, at=300) == [ids]


async def test_a_group_is_due_when_it_is_full_and_the_rest_waits(storage: AsyncRedisStorage) -> None:
    await put(storage, 2)
    assert await gathered(storage, BY_SIZE, at=1) == []
    await put(storage, 2, at=1)

    assert [len(ids) for ids in await gathered(storage, BY_SIZE, at=1)] == [3]
    assert await gathered(storage, BY_SIZE, at=2) == []


async def test_each_group_is_gathered_by_itself(storage: AsyncRedisStorage) -> None:
    news, _, sport = await put(storage), await put(storage, group="art", at=600), await put(storage, group="sport")

    assert await gathered(storage, BY_GRACE, at=601) == [news, sport]


async def test_what_was_gathered_is_not_gathered_by_another(
    storage: AsyncRedisStorage, elsewhere: AsyncRedisStorage
) -> None:
    await put(storage, 3)

    first = await gathered(storage, BY_GRACE, at=60)
    second = await gathered(elsewhere, BY_GRACE, at=60)

    assert (len(first), second) == (1, [])


# What becomes of them


async def test_jobs_that_were_made_into_one_are_gone_and_the_one_is_there(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    await put(storage, 3)
    (found,) = await storage.groups.gather("default", BY_GRACE, now=later(minutes=1))

    inserted = await storage.groups.replace(found, mail(kind="digest"), now=later(minutes=1))

    assert [job.ref for job in await take(storage)] == [inserted.ref]
    assert len(redis.keys(KEYS.task_prefix + "*")) == 1
    assert not redis.exists(KEYS.groups, KEYS.aggregation_sets, found.key)


async def test_unique_jobs_that_were_made_into_one_make_room_for_others(storage: AsyncRedisStorage) -> None:
    """Defect D13: asynq keeps their locks."""
    job = mail(group="news", unique=Unique(by_args=True, by_queue=True, by_period=timedelta(hours=1)))
    await store(storage, job)
    (found,) = await storage.groups.gather("default", BY_GRACE, now=later(minutes=1))

    await storage.groups.replace(found, mail(kind="digest"), now=later(minutes=1))

    assert not (await storage.jobs.insert([job], now=later(minutes=1)))[0].duplicate


async def test_what_nobody_finished_with_is_gathered_again(storage: AsyncRedisStorage) -> None:
    """Defect D3: asynq gives it back to a group that nobody looks at."""
    ids = await put(storage, 2)
    await gathered(storage, BY_GRACE, at=60)

    assert await gathered(storage, BY_GRACE, at=179) == []
    assert await gathered(storage, BY_GRACE, at=180) == [sorted(ids)]  # added in one second: by id


async def test_a_grouped_job_that_failed_is_gathered_after_its_retry(storage: AsyncRedisStorage) -> None:
    """Defect D3: asynq's forwarder puts it into a group that nobody looks at."""
    (id,) = await put(storage)
    await storage.jobs.retry(JobRef(id, "default"), now=NOW)
    (job,) = await take(storage)
    await storage.jobs.finish([failed(job, again=later(seconds=10))], now=NOW)
    await storage.jobs.promote(limit=10, now=later(seconds=10))

    assert await gathered(storage, BY_GRACE, at=70) == [[id]]


async def test_a_set_that_was_given_back_is_not_deleted_by_who_had_it(storage: AsyncRedisStorage, redis: Any) -> None:
    unique = mail(group="news", unique=Unique(by_args=True, by_queue=True, by_period=timedelta(hours=1)))
    ids = [*await put(storage), (await store(storage, unique)).id]
    (late,) = await storage.groups.gather("default", BY_GRACE, now=later(minutes=1))
    await storage.groups.gather("default", BY_SIZE, now=later(minutes=4))

    await storage.groups.replace(late, mail(kind="digest"), now=later(minutes=4))

    assert sorted(redis.zrange(KEYS.group("news"), 0, -1)) == sorted(id.encode() for id in ids)
    assert redis.exists(*(KEYS.task(id) for id in ids)) == 2
    assert (await storage.jobs.insert([unique], now=later(minutes=4)))[0].duplicate


async def test_an_id_whose_task_has_vanished_holds_up_no_group(storage: AsyncRedisStorage, redis: Any) -> None:
    gone, here = await put(storage, 2)
    (alone,) = await put(storage, group="art")
    redis.delete(KEYS.task(gone), KEYS.task(alone))

    assert await gathered(storage, BY_GRACE, at=60) == [[here]]
    assert redis.zcard(KEYS.aggregation_sets) == 1


async def test_a_group_that_go_filled_is_gathered_too(storage: AsyncRedisStorage, redis: Any) -> None:
    message = TaskMessage("mail", b"{}", "g1", "default", retry=25, timeout=1800, group_key="a:b {c}")
    redis.sadd(QUEUES, "default")
    redis.hset(KEYS.task("g1"), mapping={"msg": TASK.encode(message), "state": "aggregating", "group": "a:b {c}"})
    redis.zadd(KEYS.group("a:b {c}"), {"g1": seconds(NOW)})
    redis.sadd(KEYS.groups, "a:b {c}")

    (found,) = await storage.groups.gather("default", BY_GRACE, now=later(minutes=1))

    assert (found.group, [job.args for job in found.jobs]) == ("a:b {c}", [b"{}"])


# The service


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(later(minutes=1))


@pytest.fixture
def seen() -> Recorder:
    return Recorder()


def digest(group: str, jobs: Any) -> NewJob:
    return NewJob(kind="digest", args=b'{"count":%d}' % len(jobs), queue="elsewhere")


def aggregator(storage: AsyncRedisStorage, clock: FakeClock, seen: Recorder, combine: Any = digest) -> Aggregator:
    return Aggregator(storage.groups, ("default",), Aggregation(combine, BY_GRACE), clock, seen.bus)


async def test_one_job_takes_the_place_of_many_in_their_queue(
    storage: AsyncRedisStorage, clock: FakeClock, seen: Recorder
) -> None:
    await put(storage, 3)

    await aggregator(storage, clock, seen).tick()

    (job,) = (await storage.jobs.list(EVERYTHING)).items
    assert (job.kind, job.args, job.queue, job.state) == ("digest", b'{"count":3}', "default", State.AVAILABLE)
    assert seen.events == [GroupCombined("news", 3, job.ref)]


async def test_a_coroutine_may_combine_too(storage: AsyncRedisStorage, clock: FakeClock, seen: Recorder) -> None:
    async def later_on(group: str, jobs: Any) -> NewJob:
        await asyncio.sleep(0)
        return digest(group, jobs)

    await put(storage)
    await aggregator(storage, clock, seen, later_on).tick()

    assert [job.kind for job in await take(storage)] == ["digest"]


async def test_a_group_that_cannot_be_combined_loses_nothing_and_keeps_no_other_waiting(
    storage: AsyncRedisStorage, clock: FakeClock, seen: Recorder
) -> None:
    """asynq's server ends with the function's panic."""

    def picky(group: str, jobs: Any) -> Any:
        match group:
            case "bad":
                raise RuntimeError("no such template")
            case "none":
                return None
        return digest(group, jobs)

    bad, none, _ = await put(storage, group="bad"), await put(storage, group="none"), await put(storage, group="good")
    await aggregator(storage, clock, seen, picky).tick()

    assert [job.kind for job in await take(storage)] == ["digest"]
    first, second = [event.error for event in seen.events if isinstance(event, ServiceFailed)]
    assert (str(first), type(second)) == ("no such template", InvalidJob)
    assert sorted(await gathered(storage, BY_GRACE, at=181)) == sorted([bad, none])


async def test_jobs_of_a_group_reach_their_function_through_a_worker(servers: Servers, seen: Recorder) -> None:
    numbers: list[int] = []
    async with Ferryman(servers.url) as jobs:
        jobs.events.subscribe(GroupCombined, seen.bus.publish)

        @jobs.task("count")
        async def count(number: int) -> None: ...

        @jobs.task("add")
        async def add(these: list[int]) -> None:
            numbers.extend(these)
            jobs_done.set()

        @jobs.aggregate(grace="1h", max_size=2)
        def combine(group: str, found: Any) -> NewJob:
            return add.job([int(job.args.split(b":")[1][:-1]) for job in found])

        jobs_done = asyncio.Event()
        await count.using(group="all").enqueue(1)
        await count.using(group="all").enqueue(2)
        async with asyncio.timeout(60), jobs.worker():
            await jobs_done.wait()

    assert sorted(numbers) == [1, 2]


def test_only_one_function_says_what_becomes_of_groups() -> None:
    jobs = Ferryman("redis://")
    jobs.aggregate()(digest)

    with pytest.raises(ConfigError, match="said before"):
        jobs.aggregate()(digest)


@pytest.mark.parametrize("rules", [{"grace": "500ms"}, {"max_delay": 0}, {"max_size": 0}])
def test_rules_that_cannot_be_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(rules))):
        Ferryman("redis://").aggregate(**rules)


async def test_a_job_that_asynq_cannot_keep_takes_no_groups_place(storage: AsyncRedisStorage) -> None:
    ids = await put(storage)
    (found,) = await storage.groups.gather("default", BY_GRACE, now=later(minutes=1))

    with pytest.raises(Unsupported):
        await storage.groups.replace(found, mail(priority=1), now=later(minutes=1))

    assert await gathered(storage, BY_GRACE, at=180) == [ids]
