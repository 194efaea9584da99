"""Acting on one job: what asynq's inspector does, without its defects (spec/asynq.md 3.18 to 3.20, 11.3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from ferryman.errors import ConfigError, JobNotFound, StorageError, WrongState
from ferryman.job import Job, JobRef, State, Unique
from ferryman.outcome import Finished
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import QUEUES, QueueKeys
from ferryman.storage.asynq.messages import TASK, TaskMessage
from ferryman.storage.asynq.times import nanoseconds, seconds
from ferryman.storage.asynq.verbs import manage
from ferryman.storage.filters import JobFilter
from storage._async.acts import run, store, take
from storage.samples import NOW, cancelled, completed, discarded, later, mail, mail_at

KEYS = QueueKeys("default")
ONCE_AN_HOUR = Unique(by_args=True, by_queue=True, by_period=timedelta(hours=1))


def put_by_go(redis: Any, message: TaskMessage, state: str, **fields: Any) -> None:
    """Write a task's hash as Go does."""
    redis.sadd(QUEUES, message.queue)
    redis.hset(KEYS.task(message.id), mapping={"msg": TASK.encode(message), "state": state, **fields})


def archive(redis: Any, count: int, at: int) -> None:
    """Put tasks into the archive that were given up at this second."""
    pipeline = redis.pipeline(transaction=False)
    for number in range(count):
        id = f"old-{at}-{number}"
        message = TASK.encode(TaskMessage(type="mail", id=id, queue="default"))
        pipeline.hset(KEYS.task(id), mapping={"msg": message, "state": "archived"})
        pipeline.zadd(KEYS.archived, {id: at})
    pipeline.execute()


# Addresses


async def test_a_bare_id_is_looked_up_in_every_queue(storage: AsyncRedisStorage) -> None:
    await store(storage, mail(queue="bulk"))
    ref = await store(storage, mail(queue="quick"))

    assert (await storage.jobs.get(JobRef(ref.id))).ref == ref


async def test_a_bare_id_that_two_queues_have_asks_which(storage: AsyncRedisStorage) -> None:
    await storage.jobs.insert([mail(id="report", queue="bulk"), mail(id="report", queue="quick")], now=NOW)

    with pytest.raises(ConfigError, match="bulk and quick each have a job report"):
        await storage.jobs.get(JobRef("report"))


# Cancel


@pytest.mark.parametrize(("end", "is_free"), [(cancelled, True), (discarded, False)])
async def test_what_is_not_wanted_any_more_frees_its_lock_and_what_gave_up_keeps_it(
    storage: AsyncRedisStorage, redis: Any, end: Callable[[Job], Finished], is_free: bool
) -> None:
    ref = await store(storage, mail(unique=ONCE_AN_HOUR))
    (job,) = await take(storage)

    await storage.jobs.finish([end(job)], now=NOW)

    assert (await storage.jobs.get(ref)).state is State.DISCARDED
    assert (await store(storage, mail(unique=ONCE_AN_HOUR)) != ref) is is_free


async def test_a_waiting_job_that_is_cancelled_is_archived_and_says_so(storage: AsyncRedisStorage, redis: Any) -> None:
    ref = await store(storage)

    job = await storage.jobs.cancel(ref, now=later(minutes=1))

    assert (job.state, job.finalized_at) == (State.DISCARDED, later(minutes=1))
    assert job.error.error == "JobCancelError: job cancelled while it waited"
    assert redis.zscore(KEYS.archived, ref.id) == seconds(later(minutes=1))


async def test_a_cancelled_job_makes_room_for_the_next_of_its_kind(storage: AsyncRedisStorage) -> None:
    ref = await store(storage, mail(unique=ONCE_AN_HOUR))

    await storage.jobs.cancel(ref, now=NOW)

    (again,) = await storage.jobs.insert([mail(unique=ONCE_AN_HOUR)], now=NOW)
    assert not again.duplicate


async def test_cancelling_a_running_job_publishes_its_bare_id(storage: AsyncRedisStorage, redis: Any) -> None:
    job = await run(storage)
    with redis.pubsub(ignore_subscribe_messages=False) as heard:
        heard.subscribe("asynq:cancel")
        heard.get_message(timeout=60)

        await storage.jobs.cancel(job.ref, now=NOW)

        assert heard.get_message(timeout=60)["data"] == job.id.encode()


# Other arguments


async def test_a_job_that_waits_for_its_time_is_given_other_arguments_and_nothing_else(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    ref = await store(storage, mail_at(later(days=1), unique=ONCE_AN_HOUR, headers={"trace": "4711"}))
    before = TASK.decode(redis.hget(KEYS.task(ref.id), "msg"))

    job = await storage.jobs.give_arguments(ref, b"\x00 raw")

    assert (job.args, job.state, job.scheduled_at) == (b"\x00 raw", State.SCHEDULED, later(days=1))
    assert TASK.decode(redis.hget(KEYS.task(ref.id), "msg")) == replace(before, payload=b"\x00 raw")


async def test_a_job_that_changes_meanwhile_loses_nothing(
    storage: AsyncRedisStorage, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asynq reads and writes in two steps, and what another program wrote between them is lost."""
    ref = await store(storage, mail_at(later(days=1)))
    seen = await storage.jobs.get(ref)
    redis.hset(KEYS.task(ref.id), "msg", TASK.encode(replace(seen.message, headers={"new": "1"})))
    first = [seen]
    real = manage.get
    monkeypatch.setattr(manage, "get", lambda ref: (yield from real(ref)) if not first else first.pop())

    job = await storage.jobs.give_arguments(ref, b"{}")

    assert (job.args, job.headers) == (b"{}", {"new": "1"})


async def test_only_a_job_that_waits_for_its_time_is_given_other_arguments(storage: AsyncRedisStorage) -> None:
    ref = await store(storage)

    with pytest.raises(WrongState, match="is available and cannot be given other arguments"):
        await storage.jobs.give_arguments(ref, b"{}")
    with pytest.raises(JobNotFound):
        await storage.jobs.give_arguments(JobRef("gone", "default"), b"{}")


# Orphans


async def test_a_running_job_whose_lease_ran_out_is_an_orphan(storage: AsyncRedisStorage, redis: Any) -> None:
    alive, lost = await run(storage, now=datetime.now(UTC)), await run(storage, now=datetime.now(UTC))
    redis.zadd(KEYS.lease, {lost.id: seconds(datetime.now(UTC)) - 1})

    listed = (await storage.jobs.list(JobFilter(states=(State.RUNNING,)))).items

    assert {job.id: job.orphaned for job in listed} == {alive.id: False, lost.id: True}
    assert [(await storage.jobs.get(job.ref)).orphaned for job in (alive, lost)] == [False, True]


# Retry


async def test_a_job_that_is_run_again_waits_from_then_on(storage: AsyncRedisStorage, redis: Any) -> None:
    """Defect D18: Go's inspector leaves the time out, and the queue looks as if nobody waited."""
    ref = await store(storage, mail_at(later(days=1)))

    await storage.jobs.retry(ref, now=later(minutes=1))

    assert redis.hget(KEYS.task(ref.id), "pending_since") == b"%d" % nanoseconds(later(minutes=1))
    assert (await storage.queues.get("default")).oldest == later(minutes=1)


async def test_a_job_that_is_run_now_does_so_behind_those_that_wait(storage: AsyncRedisStorage) -> None:
    last = await store(storage, mail_at(later(days=1)))
    first = await store(storage)

    await storage.jobs.retry(last, now=NOW)

    assert [job.ref for job in await take(storage)] == [first, last]


async def test_a_grouped_job_that_is_run_leaves_its_group(storage: AsyncRedisStorage, redis: Any) -> None:
    ref = await store(storage, mail(group="news"))

    await storage.jobs.retry(ref, now=NOW)

    assert [job.ref for job in await take(storage)] == [ref]
    assert not redis.exists(KEYS.group("news"), KEYS.groups)


# Discard


async def test_a_job_that_is_given_up_keeps_its_message_its_counters_and_its_lock(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    ref = await store(storage, mail(unique=ONCE_AN_HOUR))
    before = redis.hget(KEYS.task(ref.id), "msg")

    await storage.jobs.discard(ref, now=NOW)

    assert redis.hget(KEYS.task(ref.id), "msg") == before
    assert not redis.exists(KEYS.processed, KEYS.failed)
    assert (await storage.jobs.insert([mail(unique=ONCE_AN_HOUR)], now=NOW))[0].duplicate


async def test_the_archive_keeps_ten_thousand_and_forgets_the_oldest_with_all_they_are(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    """Defects D5 and D6: Go keeps one less, and its inspector leaves the tasks of the forgotten behind."""
    archive(redis, 10_000, seconds(NOW))
    ref = await store(storage)

    await storage.jobs.discard(ref, now=later(minutes=1))

    assert redis.zcard(KEYS.archived) == 10_000
    assert redis.zscore(KEYS.archived, ref.id) is not None
    assert len(redis.keys(KEYS.task_prefix + "*")) == 10_000


async def test_an_archive_of_which_thousands_are_too_old_is_cleared_all_the_same(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    """Defect D4: Go's script dies of some eight thousand."""
    archive(redis, 9_000, seconds(later(days=-91)))
    ref = await store(storage)

    await storage.jobs.discard(ref, now=NOW)

    assert redis.zrange(KEYS.archived, 0, -1) == [ref.id.encode()]
    assert redis.keys(KEYS.task_prefix + "*") == [KEYS.task(ref.id).encode()]


# Delete


@pytest.mark.parametrize("state", ["available", "grouped", "scheduled"])
async def test_deleting_a_unique_job_frees_its_lock(storage: AsyncRedisStorage, state: str) -> None:
    """Defect D13: Go looks for the lock in the hash, where its grouped tasks have none."""
    said = {"available": {}, "grouped": {"group": "news"}}.get(state)
    job = mail(unique=ONCE_AN_HOUR, **said) if said is not None else mail_at(later(days=1), unique=ONCE_AN_HOUR)
    ref = await store(storage, job)

    await storage.jobs.delete(ref)

    assert not (await storage.jobs.insert([job], now=NOW))[0].duplicate


async def test_deleting_a_unique_job_that_go_put_into_a_group_frees_its_lock(
    storage: AsyncRedisStorage, redis: Any
) -> None:
    lock = KEYS.unique("mail", b"{}")
    message = TaskMessage(type="mail", payload=b"{}", id="g1", queue="default", unique_key=lock, group_key="news")
    put_by_go(redis, message, "aggregating", group="news")
    redis.zadd(KEYS.group("news"), {"g1": seconds(NOW)})
    redis.set(lock, "g1")

    await storage.jobs.delete(JobRef("g1", "default"))

    assert not redis.exists(lock)


async def test_a_lock_that_another_job_holds_by_now_stays(storage: AsyncRedisStorage) -> None:
    old = await run(storage, mail(unique=ONCE_AN_HOUR, retention=3600.0))
    await storage.jobs.finish([completed(old)], now=NOW)
    holder = await store(storage, mail(unique=ONCE_AN_HOUR))

    await storage.jobs.delete(old.ref)

    (again,) = await storage.jobs.insert([mail(unique=ONCE_AN_HOUR)], now=NOW)
    assert (again.duplicate, again.ref) == (True, holder)


async def test_a_job_that_is_in_no_list_can_be_deleted(storage: AsyncRedisStorage, redis: Any) -> None:
    job = await run(storage, mail(max_attempts=1))
    await storage.jobs.finish([discarded(job)], now=NOW)
    redis.zrem(KEYS.archived, job.id)  # as Go's inspector leaves what it trims

    await storage.jobs.delete(job.ref)

    with pytest.raises(JobNotFound):
        await storage.jobs.get(job.ref)


# What cannot be is not half done (defect D7)


@pytest.mark.parametrize("verb", ["cancel", "retry", "discard"])
async def test_a_job_that_is_not_where_it_says_is_refused_and_not_half_changed(
    storage: AsyncRedisStorage, redis: Any, verb: str
) -> None:
    ref = await store(storage, mail_at(later(days=1)))
    redis.zrem(KEYS.scheduled, ref.id)
    before = redis.hgetall(KEYS.task(ref.id))

    with pytest.raises(StorageError, match="Delete it"):
        await getattr(storage.jobs, verb)(ref, now=NOW)

    assert redis.hgetall(KEYS.task(ref.id)) == before
    assert not redis.exists(KEYS.pending, KEYS.archived)


@pytest.mark.parametrize(("verb", "broken"), [("retry", KEYS.pending), ("discard", KEYS.archived)])
async def test_a_key_of_the_wrong_type_is_named_and_the_job_stays_where_it_is(
    storage: AsyncRedisStorage, redis: Any, verb: str, broken: str
) -> None:
    ref = await store(storage, mail_at(later(days=1)))
    redis.set(broken, "what?")

    with pytest.raises(StorageError, match="WRONGTYPE"):
        await getattr(storage.jobs, verb)(ref, now=NOW)

    assert redis.zscore(KEYS.scheduled, ref.id) == seconds(later(days=1))
    assert redis.hget(KEYS.task(ref.id), "state") == b"scheduled"


@pytest.mark.parametrize("verb", ["cancel", "retry", "discard", "delete"])
async def test_a_job_that_is_being_made_into_one_with_its_group_is_left_to_that(
    storage: AsyncRedisStorage, redis: Any, verb: str
) -> None:
    """Defect D22: Go answers with an internal error."""
    ref = await store(storage, mail(group="news"))
    redis.rename(KEYS.group("news"), KEYS.aggregation_set("news", "1"))
    redis.zadd(KEYS.aggregation_sets, {KEYS.aggregation_set("news", "1"): seconds(later(minutes=2))})

    with pytest.raises(WrongState, match="with the rest of its group"):
        await getattr(storage.jobs, verb)(ref)

    assert redis.zcard(KEYS.aggregation_set("news", "1")) == 1


async def test_a_message_that_nobody_can_read_is_said_to_be_so(storage: AsyncRedisStorage, redis: Any) -> None:
    ref = await store(storage)
    redis.hset(KEYS.task(ref.id), "msg", b"\xff\xff\xff")

    with pytest.raises(StorageError, match="cannot be read"):
        await storage.jobs.get(ref)


async def test_a_hash_that_is_only_a_remainder_is_no_job(storage: AsyncRedisStorage, redis: Any) -> None:
    """Defects D8 and D20: Go's dequeue and its result writer make a hash of what is gone."""
    await storage.queues.announce(["default"], now=NOW)
    redis.hset(KEYS.task("gone"), "state", "active")

    with pytest.raises(JobNotFound):
        await storage.jobs.get(JobRef("gone", "default"))
