"""What becomes of a job that one side enqueued and the other worked, as both see it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from ferryman import Ferryman, State
from programs import Asker, Enqueue, Work, until


def text(words: str) -> bytes:
    return json.dumps({"text": words}).encode()


class Look:
    """One job of the queue "default", as both sides see it."""

    def __init__(self, go: Asker, jobs: Ferryman, id: str) -> None:
        self.go, self.jobs, self.id = go, jobs, id

    async def becomes(self, state: State) -> None:
        """Wait until a job is in this state."""

        async def is_so() -> bool:
            return (await self.jobs.admin.jobs.get(f"default/{self.id}")).state is state

        await until(is_so)
        self.ours = await self.jobs.admin.jobs.get(f"default/{self.id}")
        self.theirs = await self.go.ask("job", queue="default", id=self.id)


async def test_a_job_that_fails_waits_for_its_next_attempt(
    enqueue: Enqueue, work: Work, worker: str, go: Asker, jobs: Ferryman
) -> None:
    id = await enqueue("fail", text("no such ädress"))
    look = Look(go, jobs, id)

    async with work(worker, retry_in=600) as program:
        await program.hears("seen", id=id)
        await look.becomes(State.RETRYABLE)

    theirs, ours = look.theirs, look.ours
    assert (theirs["state"], theirs["retried"], ours.attempt) == ("retry", 1, 1)
    assert ours.error is not None
    assert theirs["error"] == ours.error.error
    assert theirs["error"].endswith("no such ädress")
    # asynq keeps whole seconds; of an attempt of our own worker we know more.
    assert theirs["failed_at"] == ours.error.at.replace(microsecond=0)
    assert theirs["next_at"] == ours.scheduled_at
    assert 595 <= (theirs["next_at"] - theirs["failed_at"]).total_seconds() <= 601


async def test_one_side_tries_again_what_failed_on_the_other(
    enqueue: Enqueue, work: Work, client: str, worker: str, go: Asker, jobs: Ferryman
) -> None:
    deadline = datetime.now(UTC) + timedelta(minutes=20)
    said = {"timeout": "10m", "deadline": deadline, "unique": "1h", "headers": {"trace": "abc"}, "retries": 2}
    id = await enqueue("fail-once", text("the first time"), retention="1h", **said)
    look = Look(go, jobs, id)

    async with work(worker, retry_in=1) as program:
        first = await program.hears("seen", id=id)
        await look.becomes(State.RETRYABLE)
    async with work(client) as program:
        second = await program.hears("seen", id=id)
        await look.becomes(State.COMPLETED)

    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert (look.theirs["retried"], look.ours.attempt) == (1, 2)
    left = first.pop("seconds_left") - second.pop("seconds_left")
    assert abs(left) < 60
    assert {**first, "attempt": 2} == second
    assert await enqueue("fail-once", text("the first time"), unique="1h") != id


async def test_a_job_without_attempts_left_is_archived(
    enqueue: Enqueue, work: Work, worker: str, go: Asker, jobs: Ferryman
) -> None:
    look = Look(go, jobs, await enqueue("fail", text("never"), retries=0))

    async with work(worker):
        await look.becomes(State.DISCARDED)

    assert (look.theirs["state"], look.theirs["retried"]) == ("archived", 0)
    assert look.theirs["error"].endswith("never")


async def test_a_task_can_give_up_at_once(enqueue: Enqueue, work: Work, worker: str, go: Asker, jobs: Ferryman) -> None:
    look = Look(go, jobs, await enqueue("give-up", text("it cannot be"), retries=9))

    async with work(worker):
        await look.becomes(State.DISCARDED)

    assert look.theirs["state"] == "archived"
    assert "it cannot be" in look.theirs["error"]


async def test_a_kind_that_nobody_has_fails_with_the_same_words(
    enqueue: Enqueue, work: Work, worker: str, go: Asker, jobs: Ferryman
) -> None:
    look = Look(go, jobs, await enqueue("who:knows", b"{}"))

    async with work(worker, retry_in=600):
        await look.becomes(State.RETRYABLE)

    assert look.theirs["error"] == 'handler not found for task "who:knows"'


async def test_arguments_that_do_not_fit_are_given_up_by_us(go: Asker, work: Work, jobs: Ferryman) -> None:
    id = (await go.ask("enqueue", job={"kind": "typed", "payload": b'{"to": 1}'}))["id"]
    look = Look(go, jobs, id)

    async with work("python"):
        await look.becomes(State.DISCARDED)

    assert look.theirs["state"] == "archived"
    assert "InvalidArguments" in look.theirs["error"]


async def test_what_runs_out_of_time_is_tried_again(
    enqueue: Enqueue, work: Work, worker: str, go: Asker, jobs: Ferryman
) -> None:
    id = await enqueue("hold", b"", timeout="1s")
    look = Look(go, jobs, id)

    async with work(worker, retry_in=600) as program:
        await program.hears("let go", id=id)
        await look.becomes(State.RETRYABLE)

    texts = {"go": "context deadline exceeded", "python": "TimeoutError: the attempt took longer than its 1 s"}
    assert look.theirs["error"] == texts[worker]


async def test_a_panic_in_go_is_an_error_like_any_other(work: Work, go: Asker, jobs: Ferryman) -> None:
    look = Look(go, jobs, (await jobs.kind("panic").enqueue({"text": "boom"})).ref.id)

    async with work("go", retry_in=600):
        await look.becomes(State.RETRYABLE)

    assert look.ours.error is not None
    assert look.ours.error.error.startswith("panic error cause by: panic")


async def test_a_job_that_is_revoked_is_gone_and_its_lock_is_free(
    enqueue: Enqueue, work: Work, worker: str, jobs: Ferryman
) -> None:
    first = await enqueue("revoke", text("not wanted"), unique="1h")

    async with work(worker) as program:
        await program.hears("seen")
        await until(lambda: is_empty(jobs))

    assert await enqueue("revoke", text("not wanted"), unique="1h") != first


async def test_a_job_that_we_cancel_is_kept_with_the_reason_and_its_lock_is_free(
    work: Work, go: Asker, jobs: Ferryman
) -> None:
    job = {"kind": "cancel", "payload": text("not wanted"), "unique": "1h"}
    look = Look(go, jobs, (await go.ask("enqueue", job=job))["id"])

    async with work("python"):
        await look.becomes(State.DISCARDED)

    assert (look.theirs["state"], look.theirs["error"]) == ("archived", "JobCancelError: not wanted")
    assert await go.ask("enqueue", job=job)


async def test_both_sides_count_alike(enqueue: Enqueue, work: Work, worker: str, go: Asker, jobs: Ferryman) -> None:
    for _ in range(3):
        await enqueue("note", b"")
    await enqueue("note", b"", retention="1h")
    await enqueue("fail-once", text("once"), retention="1h")
    await enqueue("fail", text("never"), retries=0)

    async def all_are_over() -> bool:
        return (await jobs.admin.queues.get("default")).counts == {State.COMPLETED: 2, State.DISCARDED: 1}

    async with work(worker, retry_in=0):
        await until(all_are_over)

    queue = await go.ask("queue", queue="default")
    assert (queue["Processed"], queue["Failed"]) == (7, 2)
    assert (queue["ProcessedTotal"], queue["FailedTotal"]) == (7, 2)
    (today,) = await go.ask("history", queue="default", days=1)
    assert (today["Processed"], today["Failed"]) == (7, 2)


async def is_empty(jobs: Ferryman) -> bool:
    return not (await jobs.admin.queues.get("default")).counts
