"""What one side enqueues the other works, with every option, and sees the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from ferryman import DuplicateJob, Ferryman, State
from programs import Asker, Enqueue, Work, until


def in_(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


async def queue_is_empty(jobs: Ferryman) -> bool:
    return not (await jobs.admin.queues.get("default")).counts


def text(words: str) -> bytes:
    return json.dumps({"text": words}).encode()


async def test_any_bytes_arrive_as_they_are(enqueue: Enqueue, work: Work, worker: str) -> None:
    payloads = [b"", b"plain", b"\x00\xff\xfe{", '{"to":"Ada <é>"}'.encode(), b"x" * 300_000]
    for payload in payloads:
        await enqueue("note", payload)

    async with work(worker, concurrency=1) as program:
        assert [(await program.hears("seen"))["payload"] for _ in payloads] == payloads


async def test_arguments_arrive_by_name(enqueue: Enqueue, work: Work, worker: str) -> None:
    await enqueue("typed", b'{"to":"Ad\\u00e0 \\u003cb\\u003e","times":3,"urgent":true}')

    async with work(worker) as program:
        typed = await program.hears("typed")

    assert typed == {"said": "typed", "to": "Adà <b>", "times": 3, "urgent": True}


async def test_a_job_says_the_same_of_itself_everywhere(enqueue: Enqueue, go: Asker, jobs: Ferryman) -> None:
    deadline = in_(3600)
    said = {"queue": "low", "id": "ada/1", "retries": 7, "timeout": "90s", "retention": "1h", "unique": "2h"}
    await enqueue("note", b"{}", deadline=deadline, headers={"trace": "abc", "é": "ü"}, **said)

    theirs = await go.ask("job", queue="low", id="ada/1")
    ours = await jobs.admin.jobs.get("low/ada%2F1")

    assert theirs["state"] == "pending"
    assert (theirs["retries"], theirs["timeout"], theirs["retention"]) == (7, 90, 3600)
    assert (theirs["deadline"], theirs["headers"]) == (deadline, ours.headers)
    assert (ours.max_attempts, ours.timeout, ours.retention, ours.deadline) == (8, 90, 3600, deadline)
    assert ours.headers == {"trace": "abc", "é": "ü"}
    assert (ours.kind, ours.queue, ours.args, theirs["payload"]) == ("note", "low", b"{}", b"{}")


async def test_a_worker_is_told_what_was_asked_for(enqueue: Enqueue, work: Work, worker: str) -> None:
    said = {"queue": "low", "id": "ada/1", "retries": 7, "timeout": "90s", "retention": "1h", "unique": "2h"}
    await enqueue("note", b"{}", deadline=in_(3600), headers={"trace": "abc"}, **said)

    async with work(worker, queues={"low": 1}) as program:
        seen = await program.hears("seen", id="ada/1")

    assert (seen["queue"], seen["attempt"], seen["attempts"], seen["headers"]) == ("low", 1, 8, {"trace": "abc"})
    assert 45 < seen["seconds_left"] <= 90


async def test_an_attempt_has_the_same_time_everywhere(enqueue: Enqueue, work: Work, worker: str) -> None:
    seconds = {
        await enqueue("note", b""): 1800,
        await enqueue("note", b"", timeout="40s"): 40,
        await enqueue("note", b"", deadline=in_(6000)): 6000,
        await enqueue("note", b"", deadline=in_(600), timeout="1h"): 600,
    }

    async with work(worker) as program:
        for id, most in seconds.items():
            assert most / 2 < (await program.hears("seen", id=id))["seconds_left"] <= most


@pytest.mark.parametrize("when", ["delay", "at"])
async def test_a_job_for_later_waits_until_then(
    enqueue: Enqueue, work: Work, go: Asker, jobs: Ferryman, worker: str, when: str
) -> None:
    due = in_(2)
    id = await enqueue("note", b"", **({"at": due} if when == "at" else {"delay": "2s"}))
    latest = in_(3)

    theirs = await go.ask("job", queue="default", id=id)
    ours = await jobs.admin.jobs.get(f"default/{id}")
    async with work(worker) as program:
        await program.hears("seen", id=id)

    assert (theirs["state"], ours.state) == ("scheduled", "scheduled")
    assert theirs["next_at"] == ours.scheduled_at
    assert due <= ours.scheduled_at <= latest
    assert datetime.now(UTC) >= due - timedelta(seconds=1)


async def test_neither_side_enqueues_what_the_other_has_locked(enqueue: Enqueue, go: Asker, jobs: Ferryman) -> None:
    id = await enqueue("note", b'{"n":1}', unique="1h")

    ours = await jobs.kind("note").using(unique="1h").enqueue(b'{"n":1}')
    with pytest.raises(RuntimeError, match="task already exists"):
        await go.ask("enqueue", job={"kind": "note", "payload": b'{"n":1}', "unique": "1h"})

    assert (ours.duplicate, ours.ref.id) == (True, id)


async def test_a_lock_is_freed_by_whoever_does_the_job(
    enqueue: Enqueue, work: Work, worker: str, jobs: Ferryman, go: Asker
) -> None:
    await enqueue("note", b"1", unique="1h")

    async with work(worker):
        await until(lambda: queue_is_empty(jobs))

    assert await enqueue("note", b"1", unique="1h")


async def test_an_id_is_taken_for_both(enqueue: Enqueue, go: Asker, jobs: Ferryman) -> None:
    await enqueue("note", b"", id="mine")

    with pytest.raises(DuplicateJob):
        await jobs.kind("note").using(id="mine").enqueue(b"")
    with pytest.raises(RuntimeError, match="task ID conflicts"):
        await go.ask("enqueue", job={"kind": "note", "payload": b"", "id": "mine"})


async def test_what_is_kept_is_found_with_its_result(
    enqueue: Enqueue, work: Work, worker: str, go: Asker, jobs: Ferryman
) -> None:
    id = await enqueue("result", text("hällo"), retention="1h")

    async def is_done() -> bool:
        return (await jobs.admin.jobs.get(f"default/{id}")).state is State.COMPLETED

    async with work(worker):
        await until(is_done)

    theirs = await go.ask("job", queue="default", id=id)
    ours = await jobs.admin.jobs.get(f"default/{id}")
    assert theirs["state"] == "completed"
    assert json.loads(theirs["result"]) == ours.metadata["output"] == "hällo"
    assert theirs["completed_at"] == ours.finalized_at


async def test_what_is_kept_for_a_second_is_gone_after_it(
    enqueue: Enqueue, work: Work, worker: str, jobs: Ferryman
) -> None:
    id = await enqueue("note", b"", retention="1s")

    async with work(worker) as program:
        await program.hears("seen", id=id)
        await until(lambda: queue_is_empty(jobs))


async def test_a_group_becomes_one_job(enqueue: Enqueue, work: Work, worker: str, go: Asker, jobs: Ferryman) -> None:
    for n in range(3):
        await enqueue("line", b"%d" % n, group="a group", retention="1h")
    listed = await go.ask("list", queue="default", state="aggregating", group="a group", size=10)
    ours = await jobs.admin.jobs.list()

    async with work(worker, group_size=3) as program:
        seen = await program.hears("seen")
        await until(lambda: queue_is_empty(jobs))

    assert sorted(job["payload"] for job in listed) == [b"0", b"1", b"2"]
    assert sorted(job.args for job in ours.items) == [b"0", b"1", b"2"]
    assert (seen["kind"], sorted(seen["payload"].split(b"\n"))) == ("note", [b"0", b"1", b"2"])
