"""The queues."""

from __future__ import annotations

import pytest

from ferryman.errors import QueueNotFound, Unsupported, WrongState
from ferryman.job import State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature
from storage._async.acts import run, store, take
from storage.samples import NOW, completed, discarded, kept_mail, later, mail, mail_at


async def test_a_queue_that_is_worked_or_used_is_listed_by_name(storage: AsyncStorage) -> None:
    await storage.queues.announce(["quick", "bulk"], now=NOW)
    await store(storage, mail(queue="mails"))
    await store(storage, mail(queue="bulk"))

    assert [queue.name for queue in await storage.queues.list()] == ["bulk", "mails", "quick"]


async def test_a_storage_that_was_never_used_has_no_queue(storage: AsyncStorage) -> None:
    assert await storage.queues.list() == []


async def test_a_queue_tells_how_many_jobs_it_holds(storage: AsyncStorage) -> None:
    lost = await run(storage, mail(queue="bulk"))
    await storage.jobs.finish([discarded(lost)], now=NOW)
    await storage.jobs.insert([mail(queue="bulk"), mail(queue="bulk"), mail_at(later(days=1), queue="bulk")], now=NOW)
    await store(storage, mail(queue="quick"))

    queue = await storage.queues.get("bulk")

    assert queue.counts == {State.DISCARDED: 1, State.AVAILABLE: 2, State.SCHEDULED: 1}
    assert [each.counts for each in await storage.queues.list()] == [queue.counts, {State.AVAILABLE: 1}]


async def test_a_queue_tells_since_when_its_next_job_waits(storage: AsyncStorage) -> None:
    await store(storage, mail(queue="bulk"), now=later(seconds=5))
    await store(storage, mail(queue="bulk"), now=later(seconds=9))
    assert (await storage.queues.get("bulk")).oldest == later(seconds=5)

    await take(storage, "bulk", now=later(minutes=1))
    assert (await storage.queues.get("bulk")).oldest is None


async def test_a_queue_that_is_not_there_is_missed_by_name(storage: AsyncStorage) -> None:
    await storage.queues.announce(["bulk", "quick"], now=NOW)

    with pytest.raises(QueueNotFound, match="There are: bulk, quick") as missed:
        await storage.queues.get("bluk")

    assert (missed.value.name, missed.value.known) == ("bluk", ["bulk", "quick"])


async def test_what_is_known_of_a_queue_is_known_of_those_that_are_there(storage: AsyncStorage) -> None:
    await storage.queues.announce(["bulk"], now=NOW)

    assert (await storage.queues.details("bulk")).name == "bulk"
    with pytest.raises(QueueNotFound):
        await storage.queues.details("bluk")


async def test_a_paused_queue_says_since_when(storage: AsyncStorage) -> None:
    await storage.queues.announce(["bulk", "quick"], now=NOW)

    await storage.queues.pause("bulk", now=later(seconds=3))

    assert [queue.paused_at for queue in await storage.queues.list()] == [later(seconds=3), None]


async def test_pausing_again_keeps_the_first_time(storage: AsyncStorage) -> None:
    await storage.queues.announce(["bulk"], now=NOW)
    await storage.queues.pause("bulk", now=NOW)

    await storage.queues.pause("bulk", now=later(hours=1))

    assert (await storage.queues.get("bulk")).paused_at == NOW


async def test_a_queue_that_is_announced_again_stays_paused(storage: AsyncStorage) -> None:
    await storage.queues.announce(["bulk"], now=NOW)
    await storage.queues.pause("bulk", now=NOW)

    await storage.queues.announce(["bulk"], now=later(hours=1))

    assert (await storage.queues.get("bulk")).paused_at == NOW


async def test_a_queue_that_was_resumed_is_as_before(storage: AsyncStorage) -> None:
    await storage.queues.announce(["bulk"], now=NOW)
    before = await storage.queues.get("bulk")
    await storage.queues.pause("bulk", now=NOW)

    await storage.queues.resume("bulk", now=later(hours=1))
    await storage.queues.resume("bulk", now=later(hours=2))

    assert await storage.queues.get("bulk") == before


async def test_a_queue_that_nobody_works_yet_can_be_paused(storage: AsyncStorage) -> None:
    await store(storage, mail(queue="bulk"))

    await storage.queues.pause("bulk", now=NOW)

    assert await take(storage, "bulk") == []


@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_only_a_queue_that_is_there_can_be_paused_or_resumed(storage: AsyncStorage, verb: str) -> None:
    await storage.queues.announce(["bulk"], now=NOW)

    with pytest.raises(QueueNotFound, match="bulk"):
        await getattr(storage.queues, verb)("bluk", now=NOW)

    assert [queue.name for queue in await storage.queues.list()] == ["bulk"]


@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_all_queues_may_be_none(storage: AsyncStorage, verb: str) -> None:
    await getattr(storage.queues, verb)("*", now=NOW)

    assert await storage.queues.list() == []


async def test_a_queue_without_jobs_is_deleted(storage: AsyncStorage) -> None:
    await storage.queues.announce(["old", "new"], now=NOW)
    await storage.queues.pause("old", now=NOW)

    await storage.queues.delete("old")

    assert [queue.name for queue in await storage.queues.list()] == ["new"]
    await storage.queues.announce(["old"], now=NOW)
    assert (await storage.queues.get("old")).paused_at is None


async def test_a_queue_with_jobs_stays(storage: AsyncStorage) -> None:
    await storage.queues.announce(["default"], now=NOW)
    ref = await store(storage)

    with pytest.raises(WrongState, match="1 available"):
        await storage.queues.delete("default")

    assert (await storage.queues.get("default")).counts == {State.AVAILABLE: 1}
    assert (await storage.jobs.get(ref)).state is State.AVAILABLE


async def test_a_queue_that_is_not_there_cannot_be_deleted(storage: AsyncStorage) -> None:
    with pytest.raises(QueueNotFound):
        await storage.queues.delete("nope")


async def test_queues_tell_whether_they_are_paused(storage: AsyncStorage) -> None:
    await storage.queues.announce(["quick", "bulk", "mails"], now=NOW)
    await storage.queues.pause("bulk", now=NOW)
    await storage.queues.pause("mails", now=NOW)

    assert sorted(await storage.queues.paused(["quick", "bulk", "nowhere"])) == ["bulk"]
    assert await storage.queues.paused([]) == []


async def test_a_queue_gets_other_metadata_where_it_has_any(storage: AsyncStorage) -> None:
    await storage.queues.announce(["bulk"], now=NOW)

    if Feature.QUEUE_METADATA in storage.features:
        await storage.queues.update("bulk", {"limit": 3}, now=later(minutes=1))
        with pytest.raises(QueueNotFound):
            await storage.queues.update("nowhere", {}, now=NOW)
    else:
        with pytest.raises(Unsupported, match="bulk"):
            await storage.queues.update("bulk", {"limit": 3}, now=NOW)


async def test_the_history_of_a_queue_says_what_ended_on_each_day_and_how_badly(storage: AsyncStorage) -> None:
    await storage.jobs.insert([kept_mail(queue="busy"), kept_mail(queue="busy")], now=NOW)
    good, bad = await storage.jobs.fetch([("busy", 2)], limit=2, kinds=None, worker="w", now=NOW)
    await storage.jobs.finish([completed(good), discarded(bad)], now=NOW)

    today, yesterday = await storage.queues.history("busy", days=2, now=NOW)

    assert (today.day, today.processed, today.failed) == (NOW.date(), 2, 1)
    assert (yesterday.day, yesterday.processed, yesterday.failed) == (later(days=-1).date(), 0, 0)
    with pytest.raises(QueueNotFound):
        await storage.queues.history("nowhere", days=2, now=NOW)
