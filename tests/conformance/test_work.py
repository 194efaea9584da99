"""Working jobs: outcomes, rows, cancellations, pauses, kinds (spec/river-conformance.md 2.6 to 2.9)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from conformance.adapter import Adapter, Refused, wait_for
from conformance.conftest import Env

pytestmark = pytest.mark.slow

Listening = Callable[[Adapter], None]
MINUTE = 60_000


def moment(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def seconds_between(earlier: Any, later: Any) -> float:
    one, two = moment(earlier), moment(later)
    return (two.replace(tzinfo=None) - one.replace(tzinfo=None)).total_seconds()


def test_a_barrier_keeps_one_attempt_running(env: Env, one: Adapter) -> None:
    one.start(client_id="barrier", max_workers=1)
    id = one.insert_one("gate", "barrier_wait")["id"]
    held = env.db.wait_job(id, "running")
    one.release(name="gate")
    done = env.db.wait_job(id)

    assert (done["state"], done["attempt"], done["attempted_by"]) == ("completed", 1, ["barrier"])
    assert done["attempted_at"] == held["attempted_at"]
    passes = one.insert_one("gate", "barrier_wait")["id"]
    assert env.db.wait_job(passes)["state"] == "completed"
    assert one.events() == ["job_completed", "job_completed"]


def test_worked_rows_are_rivers(env: Env, one: Adapter, two: Adapter) -> None:
    jobs = [
        {"behavior": behavior, "message": "a<b>&c é", "opts": {"max_attempts": 1, "metadata": {"note": "<é>"}}}
        for behavior in ("", "error", "output")
    ]
    ids = [each["job"]["id"] for each in one.insert(jobs=jobs)["results"]]
    two.start(client_id="worked-rows", max_workers=1)
    done, failed, output = (env.db.wait_job(id) for id in ids)

    assert (done["state"], failed["state"], output["state"]) == ("completed", "discarded", "completed")
    assert done["errors"] is output["errors"] is None
    (error,) = failed["errors"]
    assert {**error, "at": ""} == {"at": "", "attempt": 1, "error": "conformance retryable error", "trace": ""}
    assert error["at"].endswith("Z")
    assert output["metadata"]["output"] == {"message": "a<b>&c é"}
    assert output["metadata"]["note"] == "<é>"
    assert sorted(two.events()) == ["job_completed", "job_completed", "job_failed"]


@pytest.mark.parametrize("poll_only", [False, True])
def test_a_running_job_is_cancelled_from_elsewhere(
    env: Env, one: Adapter, two: Adapter, listening: Listening, poll_only: bool
) -> None:
    two.start(client_id="w", max_workers=1, poll_only=poll_only, fetch_poll_interval_ms=100 if poll_only else MINUTE)
    if not poll_only:
        listening(two)
    id = one.insert_one("c", "cooperative_cancel", metadata={"user": 1})["id"]
    env.db.wait_job(id, "running")
    began = time.monotonic()
    job = one.cancel(id=id)
    done = env.db.wait_job(id)

    assert (job["state"], job["finalized_at"]) == ("running", None)
    assert time.monotonic() - began < (6 if poll_only else 5)
    assert (done["state"], done["attempt"], done["finalized_at"] is None) == ("cancelled", 1, False)
    assert [error["error"] for error in done["errors"]] == ["JobCancelError: job cancelled remotely"]
    assert done["metadata"]["user"] == 1
    assert two.events() == ["job_cancelled"]


def test_a_cancellation_between_claim_and_work_is_seen(
    env: Env, one: Adapter, two: Adapter, listening: Listening
) -> None:
    two.start(client_id="claim", claim_barrier="claim", max_workers=1)
    listening(two)
    id = one.insert_one("c", "cooperative_cancel")["id"]
    env.db.wait_job(id, "running")
    one.cancel(id=id)
    time.sleep(0.3)
    two.release(name="claim")
    done = env.db.wait_job(id)

    assert (done["state"], done["errors"][0]["error"]) == ("cancelled", "JobCancelError: job cancelled remotely")
    assert two.stats()["cancelled_at_start"] == 1
    assert two.stats()["events"] == ["job_cancelled"]


def test_stopping_releases_a_claim_that_is_held(env: Env, one: Adapter) -> None:
    id = one.insert_one("c")["id"]
    one.start(client_id="claim", claim_barrier="never", max_workers=1)
    env.db.wait_job(id, "running")

    one.stop()

    assert env.db.row(id)["state"] == "completed"


@pytest.mark.parametrize(("ms", "state"), [(5, "completed"), (10_000, "scheduled")])
def test_a_snooze_costs_no_attempt(env: Env, one: Adapter, ms: int, state: str) -> None:
    one.start(client_id="snooze", max_workers=1)
    id = one.insert_one("s", "snooze_once", ms)["id"]
    row = env.db.wait_job(id, state)

    assert (row["attempt"], row["errors"], row["metadata"]["snoozes"]) == (int(ms == 5), None, 1)
    if state == "scheduled":
        assert 9.9 <= seconds_between(row["attempted_at"], row["scheduled_at"]) <= 12
        wait_for(lambda: one.events() == ["job_snoozed"], "the event", 10)


def test_nothing_runs_before_its_time(env: Env, one: Adapter, two: Adapter) -> None:
    one.start(client_id="never-early", max_workers=2)
    soon = datetime.fromtimestamp(time.time() + 1).astimezone().isoformat()
    job = two.insert_one("later", scheduled_at=soon)
    assert job["state"] == "scheduled"
    snoozed = two.insert_one("s", "snooze_once", 2000)["id"]
    early = wait_for(lambda: (row := env.db.row(snoozed)) and "snoozes" in row["metadata"] and row, "the snooze")
    done = [env.db.wait_job(id) for id in (job["id"], snoozed)]

    assert (early["state"], seconds_between(early["attempted_at"], early["scheduled_at"]) > 1.5) == ("available", True)
    assert all(seconds_between(row["scheduled_at"], row["attempted_at"]) >= 0 for row in done)


def test_a_late_completion_never_overwrites_what_others_wrote(env: Env, one: Adapter, two: Adapter) -> None:
    one.start(client_id="race", max_workers=1)
    for number, (behavior, outside) in enumerate(
        [("barrier_output", "completed"), ("barrier_output", "discarded"), ("barrier_wait", "completed")]
    ):
        id = two.insert_one(f"race-{number}", behavior)["id"]
        env.db.wait_job(id, "running")
        patch = "jsonb_set(metadata, '$.external', 1)" if env.driver == "sqlite" else "metadata || '{\"external\": 1}'"
        now = "strftime('%Y-%m-%d %H:%M:%f')" if env.driver == "sqlite" else "now()"
        env.db.rows(
            f"update river_job set state = '{outside}', finalized_at = {now}, metadata = {patch} where id = $1", id
        )
        before = env.db.stored(id)
        one.release(name=f"race-{number}")
        wait_for(lambda n=number: len(one.events()) > n, "the event", 10)
        after = env.db.stored(id)
        output = after["metadata"].pop("output", None)
        assert after == before
        assert output == ({"race": "worker"} if behavior == "barrier_output" else None)

    assert one.events() == ["job_completed", "job_failed", "job_completed"]


def test_attempted_by_keeps_the_last_hundred(env: Env, one: Adapter) -> None:
    id = one.insert_one("h")["id"]
    names = [f"client-{n}" for n in range(100)]
    if env.driver == "sqlite":
        import json

        env.db.rows(
            "update river_job set attempted_by = jsonb($1), attempt = 100, max_attempts = 200", json.dumps(names)
        )
    else:
        env.db.rows("update river_job set attempted_by = $1::text[], attempt = 100, max_attempts = 200", names)
    one.start(client_id="newest", max_workers=1)

    assert env.db.wait_job(id)["attempted_by"] == [*names[1:], "newest"]


def test_reserved_metadata_are_rivers(env: Env, one: Adapter, two: Adapter) -> None:
    user = {"river:log": [{"attempt": 1, "log": "x"}], "user": {"a": None}}
    one.start(client_id="meta", max_workers=3)
    output = two.insert_one("o", "output", metadata=user)["id"]
    snooze = two.insert_one("s", "snooze_once", 1, metadata=user)["id"]
    rows = [env.db.wait_job(id)["metadata"] for id in (output, snooze)]

    for row in rows:
        row.pop("river:unique_nonce", None)
        assert {name: row.pop(name) for name in user} == user
    assert rows == [{"output": {"message": "o"}}, {"snoozes": 1}]


def test_each_attempt_of_steps_may_run_elsewhere(env: Env, one: Adapter, two: Adapter) -> None:
    id = one.insert_one("r", "resumable_cursor", metadata={"user": 1})["id"]
    for attempt, adapter in enumerate((one, two, one), start=1):
        adapter.start(client_id=f"attempt-{attempt}", max_workers=1, retry_delay_ms=MINUTE)
        row = env.db.wait_job(id, "retryable", "completed")
        adapter.stop()
        metadata = row["metadata"]
        assert metadata["first_attempt"] == metadata["user"] == 1
        assert metadata["river:resumable_step"] == ("first" if attempt == 1 else "second")
        assert (metadata.get("river:resumable_cursor") or None) == ({"second": 7} if attempt == 1 else None)
        assert metadata.get("cursor_observed") == (None if attempt == 1 else 7)
        if attempt < 3:
            adapter.retry(id=id)
    assert (row["state"], row["attempt"], len(row["errors"])) == ("completed", 3, 2)


@pytest.mark.parametrize(
    ("behavior", "most", "state", "after"), [("error", 1, "discarded", 2), ("cancel", 3, "cancelled", 3)]
)
def test_a_finished_job_is_retried_with_an_attempt_left(
    env: Env, one: Adapter, two: Adapter, behavior: str, most: int, state: str, after: int
) -> None:
    id = one.insert_one("e", behavior, max_attempts=most)["id"]
    one.start(client_id="x", max_workers=1)
    done = env.db.wait_job(id)
    one.stop()
    job = two.retry(id=id)

    assert (done["state"], job["state"], job["attempt"], job["max_attempts"]) == (state, "available", 1, after)
    assert (job["finalized_at"], len(job["errors"])) == (None, 1)
    assert job == one.listed(id)
    assert seconds_between(done["finalized_at"], job["scheduled_at"]) > 0


@pytest.mark.only("sqlite")
def test_attempts_beyond_sixteen_bits_are_counted(env: Env, one: Adapter) -> None:
    ids = [one.insert_one("w", behavior)["id"] for behavior in ("", "error")]
    env.db.rows("update river_job set attempt = 40000, max_attempts = 40000 + id")
    one.start(client_id="wide", max_workers=2, retry_delay_ms=MINUTE)
    done, failed = env.db.wait_job(ids[0]), env.db.wait_job(ids[1], "retryable")

    assert (done["attempt"], failed["attempt"], failed["errors"][0]["attempt"]) == (40_001, 40_001, 40_001)


def test_metadata_numbers_survive_the_runtime(env: Env, one: Adapter, two: Adapter) -> None:
    numbers = '{"b":123456789012345678901234567890,"h":1e400,"d":0.1000000000000000055511151231257827}'
    ids = [one.insert_one("n", behavior)["id"] for behavior in ("output", "snooze_once", "cooperative_cancel")]
    env.db.rows(f"update river_job set metadata = {'jsonb($1)' if env.driver == 'sqlite' else '$1::jsonb'}", numbers)
    two.start(client_id="numbers", max_workers=3)
    env.db.wait_job(ids[2], "running")
    one.cancel(id=ids[2])
    for id in ids:
        env.db.wait_job(id)
    text = "json(metadata)" if env.driver == "sqlite" else "metadata::text"
    for row in env.db.rows(f"select {text} as t from river_job"):
        assert "123456789012345678901234567890" in row["t"]
        assert "0.1000000000000000055511151231257827" in row["t"]
        assert "1e400" in row["t"] or "1" + "0" * 400 in row["t"]


# Kinds


def test_claims_go_by_priority_then_time_then_id(env: Env, one: Adapter, two: Adapter) -> None:
    plan = [(2, 3), (1, 3), (1, 1), (3, 1), (1, 1), (2, 2)]
    ids = [
        one.insert_one("o", priority=priority, scheduled_at=f"2026-01-01T00:00:0{second}Z")["id"]
        for priority, second in plan
    ]
    assert env.db.count("state = 'scheduled'") == 6
    two.start(client_id="order", max_workers=1, tuning={"scheduler_interval_ms": 100})
    rows = [env.db.wait_job(id) for id in ids]
    order = sorted(ids, key=lambda id: rows[ids.index(id)]["attempted_at"])

    assert order == [ids[n] for n in (2, 4, 1, 5, 0, 3)]
    times = sorted(row["attempted_at"] for row in rows)
    assert len(set(times)) == 6


def test_other_kinds_are_left_when_told_so(env: Env, one: Adapter, two: Adapter) -> None:
    other = one.insert_one("other", priority=1)["id"]
    env.db.rows("update river_job set kind = 'conformance_echo_peer' where id = $1", other)
    two.start(client_id="known", max_workers=1, fetch_only_known_kinds=True)
    mine = one.insert_one("mine", priority=4)["id"]

    assert env.db.wait_job(mine)["state"] == "completed"
    left = env.db.row(other)
    assert (left["state"], left["attempt"]) == ("available", 0)


@pytest.mark.parametrize("only_known", [False, True])
def test_a_renamed_kind_works_jobs_of_the_old_name(env: Env, one: Adapter, only_known: bool) -> None:
    old, new = one.insert_one("old")["id"], one.insert_one("new")["id"]
    env.db.rows("update river_job set kind = 'conformance_echo_renamed' where id = $1", new)
    one.start(client_id="alias", worker_kinds=["conformance_echo_renamed"], fetch_only_known_kinds=only_known)
    kinds = [env.db.wait_job(id)["kind"] for id in (old, new)]

    assert kinds == ["conformance_echo", "conformance_echo_renamed"]


def test_an_unknown_kind_fails_and_keeps_nobody_up(env: Env, one: Adapter, two: Adapter) -> None:
    ids = [one.insert_one("u", max_attempts=most)["id"] for most in (1, 3)]
    env.db.rows("update river_job set kind = 'nobody_knows'")
    two.start(client_id="unknown", max_workers=1)
    mine = one.insert_one("mine")["id"]
    assert env.db.wait_job(mine)["state"] == "completed"
    discarded, waits = env.db.wait_job(ids[0]), env.db.wait_job(ids[1], "retryable")

    text = "job kind is not registered in the client's Workers bundle: nobody_knows"
    assert {error["error"] for row in (discarded, waits) for error in row["errors"]} == {text}
    assert (discarded["state"], waits["attempt"]) == ("discarded", 2)


def test_an_error_handler_cancels_what_fails(env: Env, one: Adapter) -> None:
    one.start(client_id="handler", error_handler_cancel=True)
    id = one.insert_one("e", "error")["id"]
    row = env.db.wait_job(id)

    assert (row["state"], row["errors"][0]["error"]) == ("cancelled", "conformance retryable error")
    assert one.stats()["error_handler_calls"] == 1
    assert one.events() == ["job_cancelled"]


# Wake-ups and pauses


def test_an_insert_wakes_whoever_polls_once_a_minute(
    env: Env, one: Adapter, two: Adapter, listening: Listening
) -> None:
    two.start(client_id="woken", fetch_poll_interval_ms=MINUTE, max_workers=1)
    listening(two)
    began = time.monotonic()
    env.db.wait_job(one.insert_one("w")["id"])

    assert time.monotonic() - began < 5


def events(adapter: Adapter) -> tuple[int, int]:
    found = adapter.events()
    return found.count("queue_paused"), found.count("queue_resumed")


def test_a_paused_queue_is_not_worked_while_another_is(env: Env, one: Adapter, two: Adapter) -> None:
    two.start(client_id="pause", max_workers=1, queues=["default", "marker"])
    one.queue(action="pause", name="default")
    wait_for(lambda: events(two) == (1, 0), "the pause", 10)
    paused, marker = one.insert_one("p")["id"], one.insert_one("m", queue="marker")["id"]
    env.db.wait_job(marker)
    assert env.db.row(paused)["state"] == "available"

    one.queue(action="resume", name="default")
    queue = env.db.queue("default")
    row = env.db.wait_job(paused)

    assert queue["paused_at"] is None
    assert row["attempted_at"] >= queue["updated_at"]
    wait_for(lambda: events(two) == (1, 1), "the resume", 10)


def test_each_real_change_of_all_queues_is_one_event(env: Env, one: Adapter, two: Adapter) -> None:
    two.start(client_id="events", fetch_poll_interval_ms=MINUTE, max_workers=1)
    env.db.wait_job(one.insert_one("warm")["id"])
    for actions, seen in [
        (["pause"], (1, 0)),
        (["pause", "resume"], (1, 1)),
        (["resume", "pause"], (2, 1)),
        (["resume"], (2, 2)),
    ]:
        for action in actions:
            one.queue(action=action, name="*")
        wait_for(lambda seen=seen: events(two) == seen, f"{seen}", 10)


def test_queue_changes_in_a_transaction_wait_for_its_commit(env: Env, one: Adapter, two: Adapter) -> None:
    one.start(client_id="creator", max_workers=1)
    one.stop()
    two.tx_begin(tx="t")
    two.queue(action="update", name="default", metadata={"by": "tx"}, tx="t")
    two.queue(action="pause", name="default", tx="t")
    assert env.db.queue("default")["paused_at"] is None
    two.tx_end(tx="t", commit=True)
    committed = env.db.queue("default")
    assert committed["paused_at"] is not None
    two.tx_begin(tx="r")
    two.queue(action="resume", name="default", tx="r")
    two.tx_end(tx="r")
    assert env.db.queue("default") == committed


def test_two_share_a_queue_and_work_each_job_once(env: Env, one: Adapter, two: Adapter) -> None:
    number, workers = (150, 8) if env.driver == "postgres" else (20, 2)
    for adapter in (one, two):
        adapter.insert(jobs=[{"behavior": "sleep", "duration_ms": 5}] * number)
    one.start(client_id="one", max_workers=workers)
    two.start(client_id="two", max_workers=workers)
    wait_for(lambda: env.db.count("state = 'completed'") == 2 * number, "all of them", 30)

    assert env.db.count("attempt <> 1") == 0
    text = "json(attempted_by)" if env.driver == "sqlite" else "attempted_by::text"
    by = {row["t"] for row in env.db.rows(f"select distinct {text} as t from river_job")}
    assert len(by) == 2


def test_stop_with_cancel_gives_jobs_back(env: Env, one: Adapter) -> None:
    one.start(client_id="gives-back", max_workers=1)
    id = one.insert_one("s", "sleep", 60_000)["id"]
    env.db.wait_job(id, "running")
    began = time.monotonic()
    one.stop(cancel=True)
    row = env.db.row(id)

    assert time.monotonic() - began < 5
    assert (row["state"], row["attempt"], row["errors"]) == ("available", 0, None)
    with pytest.raises(Refused):
        one.stats()
