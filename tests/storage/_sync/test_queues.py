# Generated from tests/storage/_async/test_queues.py by tools/unasync.py: change that file and run `make sync`.
"""The queues."""

from __future__ import annotations

import pytest

from ferryman.errors import QueueNotFound, Unsupported, WrongState
from ferryman.job import State
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature
from storage._sync.acts import run, store, take
from storage.samples import NOW, completed, discarded, kept_mail, later, mail, mail_at


def test_a_queue_that_is_worked_or_used_is_listed_by_name(storage: Storage) -> None:
    storage.queues.announce(["quick", "bulk"], now=NOW)
    store(storage, mail(queue="mails"))
    store(storage, mail(queue="bulk"))

    assert [queue.name for queue in storage.queues.list()] == ["bulk", "mails", "quick"]


def test_a_storage_that_was_never_used_has_no_queue(storage: Storage) -> None:
    assert storage.queues.list() == []


def test_a_queue_tells_how_many_jobs_it_holds(storage: Storage) -> None:
    lost = run(storage, mail(queue="bulk"))
    storage.jobs.finish([discarded(lost)], now=NOW)
    storage.jobs.insert([mail(queue="bulk"), mail(queue="bulk"), mail_at(later(days=1), queue="bulk")], now=NOW)
    store(storage, mail(queue="quick"))

    queue = storage.queues.get("bulk")

    assert queue.counts == {State.DISCARDED: 1, State.AVAILABLE: 2, State.SCHEDULED: 1}
    assert [each.counts for each in storage.queues.list()] == [queue.counts, {State.AVAILABLE: 1}]


def test_a_queue_tells_since_when_its_next_job_waits(storage: Storage) -> None:
    store(storage, mail(queue="bulk"), now=later(seconds=5))
    store(storage, mail(queue="bulk"), now=later(seconds=9))
    assert (storage.queues.get("bulk")).oldest == later(seconds=5)

    take(storage, "bulk", now=later(minutes=1))
    assert (storage.queues.get("bulk")).oldest is None


def test_a_queue_that_is_not_there_is_missed_by_name(storage: Storage) -> None:
    storage.queues.announce(["bulk", "quick"], now=NOW)

    with pytest.raises(QueueNotFound, match="There are: bulk, quick") as missed:
        storage.queues.get("bluk")

    assert (missed.value.name, missed.value.known) == ("bluk", ["bulk", "quick"])


def test_what_is_known_of_a_queue_is_known_of_those_that_are_there(storage: Storage) -> None:
    storage.queues.announce(["bulk"], now=NOW)

    assert (storage.queues.details("bulk")).name == "bulk"
    with pytest.raises(QueueNotFound):
        storage.queues.details("bluk")


def test_a_paused_queue_says_since_when(storage: Storage) -> None:
    storage.queues.announce(["bulk", "quick"], now=NOW)

    storage.queues.pause("bulk", now=later(seconds=3))

    assert [queue.paused_at for queue in storage.queues.list()] == [later(seconds=3), None]


def test_pausing_again_keeps_the_first_time(storage: Storage) -> None:
    storage.queues.announce(["bulk"], now=NOW)
    storage.queues.pause("bulk", now=NOW)

    storage.queues.pause("bulk", now=later(hours=1))

    assert (storage.queues.get("bulk")).paused_at == NOW


def test_a_queue_that_is_announced_again_stays_paused(storage: Storage) -> None:
    storage.queues.announce(["bulk"], now=NOW)
    storage.queues.pause("bulk", now=NOW)

    storage.queues.announce(["bulk"], now=later(hours=1))

    assert (storage.queues.get("bulk")).paused_at == NOW


def test_a_queue_that_was_resumed_is_as_before(storage: Storage) -> None:
    storage.queues.announce(["bulk"], now=NOW)
    before = storage.queues.get("bulk")
    storage.queues.pause("bulk", now=NOW)

    storage.queues.resume("bulk", now=later(hours=1))
    storage.queues.resume("bulk", now=later(hours=2))

    assert storage.queues.get("bulk") == before


def test_a_queue_that_nobody_works_yet_can_be_paused(storage: Storage) -> None:
    store(storage, mail(queue="bulk"))

    storage.queues.pause("bulk", now=NOW)

    assert take(storage, "bulk") == []


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_only_a_queue_that_is_there_can_be_paused_or_resumed(storage: Storage, verb: str) -> None:
    storage.queues.announce(["bulk"], now=NOW)

    with pytest.raises(QueueNotFound, match="bulk"):
        getattr(storage.queues, verb)("bluk", now=NOW)

    assert [queue.name for queue in storage.queues.list()] == ["bulk"]


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_all_queues_may_be_none(storage: Storage, verb: str) -> None:
    getattr(storage.queues, verb)("*", now=NOW)

    assert storage.queues.list() == []


def test_a_queue_without_jobs_is_deleted(storage: Storage) -> None:
    storage.queues.announce(["old", "new"], now=NOW)
    storage.queues.pause("old", now=NOW)

    storage.queues.delete("old")

    assert [queue.name for queue in storage.queues.list()] == ["new"]
    storage.queues.announce(["old"], now=NOW)
    assert (storage.queues.get("old")).paused_at is None


def test_a_queue_with_jobs_stays(storage: Storage) -> None:
    storage.queues.announce(["default"], now=NOW)
    ref = store(storage)

    with pytest.raises(WrongState, match="1 available"):
        storage.queues.delete("default")

    assert (storage.queues.get("default")).counts == {State.AVAILABLE: 1}
    assert (storage.jobs.get(ref)).state is State.AVAILABLE


def test_a_queue_that_is_not_there_cannot_be_deleted(storage: Storage) -> None:
    with pytest.raises(QueueNotFound):
        storage.queues.delete("nope")


def test_queues_tell_whether_they_are_paused(storage: Storage) -> None:
    storage.queues.announce(["quick", "bulk", "mails"], now=NOW)
    storage.queues.pause("bulk", now=NOW)
    storage.queues.pause("mails", now=NOW)

    assert sorted(storage.queues.paused(["quick", "bulk", "nowhere"])) == ["bulk"]
    assert storage.queues.paused([]) == []


def test_a_queue_gets_other_metadata_where_it_has_any(storage: Storage) -> None:
    storage.queues.announce(["bulk"], now=NOW)

    if Feature.QUEUE_METADATA in storage.features:
        storage.queues.update("bulk", {"limit": 3}, now=later(minutes=1))
        with pytest.raises(QueueNotFound):
            storage.queues.update("nowhere", {}, now=NOW)
    else:
        with pytest.raises(Unsupported, match="bulk"):
            storage.queues.update("bulk", {"limit": 3}, now=NOW)


def test_the_history_of_a_queue_says_what_ended_on_each_day_and_how_badly(storage: Storage) -> None:
    storage.jobs.insert([kept_mail(queue="busy"), kept_mail(queue="busy")], now=NOW)
    good, bad = storage.jobs.fetch([("busy", 2)], limit=2, kinds=None, worker="w", now=NOW)
    storage.jobs.finish([completed(good), discarded(bad)], now=NOW)

    today, yesterday = storage.queues.history("busy", days=2, now=NOW)

    assert (today.day, today.processed, today.failed) == (NOW.date(), 2, 1)
    assert (yesterday.day, yesterday.processed, yesterday.failed) == (later(days=-1).date(), 0, 0)
    with pytest.raises(QueueNotFound):
        storage.queues.history("nowhere", days=2, now=NOW)
