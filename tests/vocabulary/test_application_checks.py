"""What keeps jobs from being worked although the storage is well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ferryman.admin.application import Moment, judge
from ferryman.findings import Level
from ferryman.job import Job, JobRef, State
from ferryman.storage.infos import PeriodicInfo, QueueInfo, Running, WorkerInfo

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def worker(**said: Any) -> WorkerInfo:
    usual = {"id": "w", "host": "box", "pid": 1, "started_at": NOW, "queues": {"q": 1}, "concurrency": 2}
    return WorkerInfo(**{**usual, **said})


def queue(**said: Any) -> QueueInfo:
    return QueueInfo(**{"name": "q", "counts": {State.AVAILABLE: 2}, "oldest": NOW, **said})


def schedule(**said: Any) -> PeriodicInfo:
    return PeriodicInfo(**{"id": "report", "spec": "@every 1h", "kind": "report", **said})


def carrying(args: bytes) -> Job:
    return Job(
        ref=JobRef("1"),
        kind="mail",
        args=args,
        state=State.AVAILABLE,
        attempt=0,
        max_attempts=1,
        queue="q",
        scheduled_at=NOW,
    )


def wrong(**said: Any) -> list[tuple[str, Level]]:
    usual = {"queues": [queue()], "workers": [worker()], "waiting": {"q": ["mail"]}, "tasks": [], "now": NOW}
    return [(each.id, each.level) for each in judge(Moment(**{**usual, **said})) if each.level is not Level.OK]


def test_where_everything_is_worked_nothing_is_wrong() -> None:
    assert wrong() == []
    assert wrong(workers=[worker(kinds=("mail",))]) == []


def test_a_worker_that_was_lost_long_ago_has_been_seen_to() -> None:
    assert wrong(workers=[worker(kinds=("mail",))], lost=[worker(beat_at=NOW - timedelta(minutes=11))]) == []


@pytest.mark.parametrize(
    ("said", "id", "level"),
    [
        ({"workers": [worker(kinds=("other",))]}, "A-KIND", Level.ERROR),
        ({"workers": []}, "A-QUEUE", Level.ERROR),
        ({"workers": [worker(queues={"else": 1})]}, "A-QUEUE", Level.ERROR),
        ({"workers": [worker(), worker(queues={"low": 0})]}, "A-QUEUE", Level.ERROR),
        ({"unfit": {"Bad Name": "It does not suit River."}}, "A-QUEUE", Level.ERROR),
        ({"queues": [queue(oldest=NOW - timedelta(minutes=11))]}, "A-STUCK", Level.WARNING),
        ({"lost": [worker(beat_at=NOW - timedelta(minutes=1))]}, "A-WORKER", Level.WARNING),
        ({"workers": [worker(blocked=61.0)]}, "A-WORKER", Level.WARNING),
        ({"workers": [worker(version="1"), worker(version="2")]}, "A-WORKER", Level.WARNING),
        ({"periodic": [schedule(next_at=NOW - timedelta(minutes=3))]}, "A-PERIODIC", Level.ERROR),
        ({"periodic": [schedule(), schedule(id="x", owner="gobox:1")]}, "A-PERIODIC", Level.WARNING),
        ({"sampled": [carrying(b'{"user":{"api_key":"abc"}}')]}, "A-SECRET", Level.WARNING),
        ({"sampled": [carrying(b'{"call":["Bearer abcdefghijkl"]}')]}, "A-SECRET", Level.WARNING),
    ],
)
def test_what_is_wrong_is_found(said: dict[str, Any], id: str, level: Level) -> None:
    assert wrong(**said) == [(id, level)]


def test_a_queue_without_weight_is_taken_from_by_nobody() -> None:
    none, some = worker(id="a", queues={"q": 0}), worker(id="b", queues={"q": 1})

    assert wrong(workers=[none]) == [("A-QUEUE", Level.ERROR), ("A-QUEUE", Level.ERROR)]
    assert wrong(workers=[none, some]) == []


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"queues": [queue(name="Q")], "workers": [worker(queues={"Q": 1})]}, 'jobs ready in "Q": 2. It is capital'),
        ({"workers": [worker(queues={"q": 1, "Q": 1})]}, 'the worker box:1 takes jobs from "Q". It is capital'),
        ({}, 'this program is to take jobs from "Q". It is capital'),
    ],
)
def test_a_name_that_the_format_refuses_is_told_with_who_uses_it(said: dict[str, Any], text: str) -> None:
    usual = {"queues": [], "workers": [], "waiting": {}, "tasks": [], "now": NOW, "unfit": {"Q": "It is capital."}}

    assert text in [each.text for each in judge(Moment(**{**usual, **said}))]


def test_what_is_paused_is_not_late_and_ids_are_no_secrets() -> None:
    late = schedule(next_at=NOW - timedelta(days=1), paused_at=NOW)

    assert wrong(periodic=[late], sampled=[carrying(b'{"token":null,"id":7}'), carrying(b"\xff")]) == []


def test_a_secret_is_named_by_its_place_and_never_shown() -> None:
    found = judge(Moment(queues=[], workers=[], waiting={}, tasks=[], now=NOW, sampled=[carrying(b'{"pwd":"hush"}')]))

    (text,) = [each.text for each in found if each.id == "A-SECRET"]
    assert "pwd" in text
    assert "hush" not in text


def test_a_job_that_runs_past_its_time_is_found_with_its_address() -> None:
    late = Running(ref=JobRef("7"), kind="mail", until=NOW - timedelta(minutes=1))

    assert wrong(workers=[worker(running=(late,))]) == [("A-STUCK", Level.WARNING)]


def test_a_kind_that_one_of_several_workers_knows_is_handled() -> None:
    assert wrong(workers=[worker(kinds=("other",)), worker(kinds=("mail",))]) == []
    assert wrong(workers=[worker(kinds=("other",))], tasks=["mail"]) == []


@pytest.mark.parametrize("said", [{"paused_at": NOW}, {"counts": {}}])
def test_a_queue_that_is_paused_or_empty_needs_no_worker(said: dict[str, Any]) -> None:
    assert wrong(queues=[queue(**said)], workers=[], waiting={}) == []


def test_old_jobs_are_no_wonder_while_workers_are_full() -> None:
    busy = worker(running=tuple(Running(ref=JobRef(str(n)), kind="mail") for n in range(2)))

    assert wrong(queues=[queue(oldest=NOW - timedelta(hours=1))], workers=[busy]) == []
