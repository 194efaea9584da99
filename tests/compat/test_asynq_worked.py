"""What working leaves in Redis is what asynq's server leaves, key by key.

A recorded scenario is walked as it was: its calls are made, a worker takes the jobs and
writes what became of them, and what is in Redis after each step is compared.
"""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime, timedelta
from typing import Any

import pytest
from asynq_calls import Call, Player, moment
from asynq_server import Server
from asynq_store import Store

from ferryman.aggregation import GroupRules
from ferryman.job import AttemptError, NewJob
from ferryman.outcome import Completed, Discarded, Finished, Released, Retry, Revoked, Uncounted
from ferryman.storage.asynq.times import EPOCH
from ferryman.storage.values import Retention

REFUSED = "smtp: connection refused"
SENT = b'{"ok":true,"sent":1}'


def on(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("player", names, indirect=True)


@pytest.fixture
def server(player: Player) -> Server:
    return Server(player)


def retry(player: Player, after: timedelta, text: str = REFUSED) -> Retry:
    return Retry(player.now + after, AttemptError(player.now, 1, text))


def discard(player: Player, text: str) -> Discarded:
    return Discarded(AttemptError(player.now, 1, text))


def client_calls(player: Player) -> list[Call]:
    return [call for call in player.calls if call["api"] == "Client.Enqueue"]


def looks(player: Player) -> list[Call]:
    return [call for call in player.calls if call["api"] == "Inspector.GetTaskInfo"]


def back_in_the_queue(id: str, player: Player) -> Any:
    """Return a correction: asynq does not say since when a job waits that came back (defect D18)."""

    def correct(recorded: Store) -> None:
        key = f"asynq:{{default}}:t:{id}"
        if since := player.redis.hget(key, "pending_since"):
            recorded[key][1]["pending_since"] = float(since) / 1e9

    return correct


def no_servers(recorded: Store) -> None:
    """Leave servers out of the comparison, where it is not them that the scenario is about."""
    for key in [key for key in recorded if key.startswith(("asynq:servers", "asynq:workers"))]:
        del recorded[key]


# It worked


@on("processed_success")
async def test_a_job_that_is_done_is_gone_and_so_is_its_lock(player: Player, server: Server) -> None:
    await player.play_all()
    await server.beat()
    await server.take()
    await server.end(ok=Completed())
    player.compare(after="processed, server still up")

    await server.leave()

    player.compare()


@on("processed_retention")
async def test_jobs_that_are_kept_are_completed(player: Player, server: Server) -> None:
    await player.play_all(client_calls(player))
    await server.take()

    await server.end(keep=Completed(), keep_unique=Completed())

    player.compare()
    await player.play_all(looks(player))


@on("processed_result")
async def test_results_are_where_asynqs_writer_puts_them(player: Player, server: Server) -> None:
    await player.play_all(client_calls(player))
    await server.take()

    await server.end(res=Completed(SENT), res_twice=Completed(b"second"))
    await server.end(res_then_error=retry(player, timedelta(hours=1)), output=SENT)

    player.compare()
    await player.play_all(looks(player))


@on("retention_expired")
async def test_a_completed_job_is_deleted_when_its_time_is_over(player: Player, server: Server) -> None:
    await player.play_all()
    await server.beat()
    await server.take()
    await server.end(exp=Completed())
    player.compare(after="completed")

    await player.storage.jobs.prune(Retention(), limit=10, now=player.now + timedelta(seconds=2))
    await server.leave()

    player.compare()


# It failed


@on("failed_retry")
async def test_a_job_that_fails_waits_for_its_retry_and_keeps_its_lock(player: Player, server: Server) -> None:
    enqueue, look, run, look_again = player.calls
    await player.play_all([enqueue])
    await server.take()
    await server.end(bad=retry(player, timedelta(hours=1)))
    player.compare(after="first failure")
    await player.play_all([look, run])
    player.compare(back_in_the_queue("bad", player), after="RunTask on the retry task")

    await server.take()
    await server.end(bad=retry(player, timedelta(minutes=90), f"second: {REFUSED}"))

    player.compare()
    await player.play_all([look_again])


@on("failed_default_delay", "handler_not_found", "panic")
async def test_any_failure_leaves_what_asynqs_leaves(player: Player, server: Server) -> None:
    (id,) = (call["result"]["ID"] for call in client_calls(player))
    (failed,) = looks(player)
    await player.play_all(client_calls(player))
    await server.take()

    await server.end(**{id: Retry(due(player, id), AttemptError(player.now, 1, failed["result"]["LastErr"]))})

    player.compare()
    await player.play_all([failed])


def due(player: Player, id: str) -> datetime:
    """Return when a job is to be tried again, by the recording."""
    retries = player.recording["keys"]["asynq:{default}:retry"]["value"]
    (second,) = (float(each["score"]) for each in retries if each["member"]["text"] == id)
    return EPOCH + timedelta(seconds=second) + player.shift


@on("not_a_failure")
async def test_an_error_that_is_no_failure_is_retried_and_counted_nowhere(player: Player, server: Server) -> None:
    enqueue, look = player.calls
    await player.play_all([enqueue])
    await server.take()

    await server.end(nf=Uncounted(due(player, "nf"), AttemptError(player.now, 1, REFUSED)))

    player.compare()
    await player.play_all([look])


@on("revoked")
async def test_a_revoked_job_is_deleted_and_counted_as_worked(player: Player, server: Server) -> None:
    await player.play_all()
    await server.take()
    error = AttemptError(player.now, 1, "JobCancelError: no longer wanted")

    await server.end(rev=Revoked(error), rev_retention=Revoked(error))

    player.compare()


@on("handler_not_found")
async def test_a_kind_that_nobody_knows_fails_with_asynqs_own_words(player: Player) -> None:
    (look,) = looks(player)

    assert player.storage.wording.unknown_kind.format(kind="email:welcome") == look["result"]["LastErr"]


@on("timeout")
async def test_jobs_that_run_out_of_time_are_tried_again(player: Player, server: Server) -> None:
    await player.play_all(client_calls(player))
    await server.take()

    for look in looks(player):
        id, error = look["args"]["id"], AttemptError(player.now, 1, look["result"]["LastErr"])
        await server.end(**{id: Retry(due(player, id), error)})

    player.compare()
    await player.play_all(looks(player))


@on("archived")
async def test_jobs_that_give_up_are_archived(player: Player, server: Server) -> None:
    await player.play_all(client_calls(player))
    await server.take()

    await server.end(
        max0=discard(player, REFUSED),
        skip=discard(player, f"{REFUSED}: skip retry for the task"),
        bare_skip=discard(player, "skip retry for the task"),
    )

    player.compare()
    await player.play_all(looks(player))


# It did not come to an end


@on("cancel_processing")
async def test_a_cancellation_is_published_as_asynqs(player: Player, server: Server) -> None:
    enqueue, cancel, look = player.calls
    await player.play_all([enqueue])
    await server.take()
    with player.redis.pubsub() as heard:
        heard.subscribe("asynq:cancel")
        heard.get_message(timeout=60)

        await player.play_all([cancel])

        message = heard.get_message(timeout=60)
    (published,) = player.recording["pubsub_messages"]
    assert (message["channel"].decode(), message["data"]) == (published["channel"], b64decode(published["payload_b64"]))
    await server.end(c1=Retry(due(player, "c1"), AttemptError(player.now, 1, look["result"]["LastErr"])))
    player.compare()


@on("server_shutdown_requeue")
async def test_a_job_that_is_given_back_is_the_next_to_run(player: Player, server: Server) -> None:
    enqueue, look = player.calls
    await player.play_all([enqueue])
    await server.beat()
    await server.take()
    player.compare(after="active")

    await server.end(stuck=Released())
    await server.leave()

    player.compare(back_in_the_queue("stuck", player))
    await player.play_all([look])


@on("lease_recovered")
async def test_a_job_whose_worker_was_killed_is_taken_back(player: Player, server: Server) -> None:
    enqueue, active, look = player.calls
    await player.play_all([enqueue])
    await server.take()
    player.compare(no_servers, after="killed")
    await player.play_all([active])

    player.redis.zadd("asynq:{default}:lease", {"orph": player.now.timestamp() - 60})
    (lost,) = await player.storage.jobs.stuck(older_than=timedelta(hours=1), limit=10, now=player.now)
    error = AttemptError(player.now, 1, player.storage.wording.rescued)
    await player.storage.jobs.rescue([Finished(lost, Retry(due(player, "orph"), error))], now=player.now)

    player.compare(no_servers)
    await player.play_all([look])


# Groups


@on("aggregated")
async def test_a_group_becomes_one_job_as_in_asynq(player: Player) -> None:
    server = Server(player, concurrency=1)
    rules = GroupRules(grace=timedelta(minutes=1), max_size=3)
    await player.play_all()
    player.now += timedelta(seconds=5)
    await server.beat()
    player.now = moment(player.recording["steps"][0]["dumped_unix_ns"]) + player.shift
    (found,) = await player.storage.groups.gather("default", rules, now=player.now)
    player.compare(after="inside Aggregate (aggregation set staged)")
    (called,) = player.recording["aggregate_calls"]
    assert (found.group, [job.args for job in found.jobs]) == (
        called["group"],
        [b64decode(task["payload_b64"]) for task in called["tasks"]],
    )

    combined = b"".join(job.args + b"\n" for job in found.jobs)
    job = NewJob(kind="aggregated:email:welcome", args=combined, id="the-aggregate", max_attempts=3, retention=86_400.0)
    await player.storage.groups.replace(found, job, now=player.now)
    await server.take()
    player.compare(after="aggregate task active")
    await server.end(the_aggregate=Completed())
    await server.leave()

    player.compare()
