"""Leadership, the scheduler, periodic jobs, rescue (spec/river-conformance.md 2.10, 2.12)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from conformance.adapter import Adapter, Refused, wait_for
from conformance.conftest import Env

pytestmark = pytest.mark.slow

FAST = {"elect_interval_ms": 200, "rescuer_interval_ms": 200, "scheduler_interval_ms": 200}


def periodic(env: Env, id: str = "conformance-periodic") -> list[dict[str, Any]]:
    found = [env.db.stored(row["id"]) for row in env.db.rows("select id from river_job order by id")]
    return [row for row in found if row["metadata"].get("river:periodic_job_id") == id]


def test_terms_move_by_request_and_by_stop(env: Env, one: Adapter, two: Adapter) -> None:
    names = {"one": one, "two": two}
    for name, adapter in names.items():
        adapter.start(client_id=name, max_workers=2)
    first = env.db.wait_leader()
    one.request_resign()
    second = env.db.wait_leader(but_not=first["elected_at"])
    two.request_resign()
    third = env.db.wait_leader(but_not=second["elected_at"])
    leader = third["leader_id"]
    (follower,) = set(names) - {leader}
    names[leader].stop()
    wait_for(lambda: (row := env.db.leader()) and row["leader_id"] == follower, "the follower to lead", 30)


def test_a_request_in_a_transaction_counts_when_it_commits(env: Env, one: Adapter, two: Adapter) -> None:
    one.start(client_id="resigning", max_workers=1)
    term = env.db.wait_leader()
    told = env.db.told()
    for commit in (False, True):
        two.tx_begin(tx="t")
        two.request_resign(tx="t")
        two.tx_end(tx="t", commit=commit)
        requests = [said for _, said in told.next() if said["action"] == "request_resign"]
        assert len(requests) == commit
    env.db.wait_leader(but_not=term["elected_at"])


def test_a_client_that_never_leads_works_what_the_leader_enqueues(env: Env, one: Adapter, two: Adapter) -> None:
    with pytest.raises(Refused):
        one.start(client_id="never", leader_election_disabled=True, periodic_run_on_start=True)
    one.start(client_id="never", leader_election_disabled=True, max_workers=1, tuning=FAST)

    def works(message: str) -> None:
        row = env.db.wait_job(two.insert_one(message)["id"])
        assert (row["state"], row["attempted_by"]) == ("completed", ["never"])
        assert env.db.leader() is None

    works("before")
    two.start(client_id="leads", max_workers=1, periodic_run_on_start=True, queues=["elsewhere"], tuning=FAST)
    assert env.db.wait_leader()["leader_id"] == "leads"
    wait_for(lambda: two.stats()["periodic_starts"] == 1, "the schedule", 10)
    (job,) = wait_for(lambda: periodic(env), "the periodic job", 45)
    row = env.db.wait_job(job["id"])
    assert row["attempted_by"] == ["never"]
    assert row["metadata"]["periodic"] is True
    assert row["args"] == {"behavior": "", "duration_ms": 0, "message": "periodic run on start"}
    assert one.stats()["periodic_starts"] == 0
    two.stop()
    works("after")
    one.stop()
    one.start(client_id="never", leader_election_disabled=True, max_workers=1, tuning=FAST)
    works("again")
    assert len(periodic(env)) == 1


def test_a_unique_periodic_job_is_enqueued_once_over_terms(env: Env, one: Adapter, two: Adapter) -> None:
    for number, adapter in enumerate((one, two), start=1):
        adapter.start(
            client_id=f"p{number}", max_workers=2, periodic_run_on_start=True, periodic_unique=True, tuning=FAST
        )
        wait_for(lambda n=number: len(periodic(env, "conformance-periodic-marker")) == n, "the marker", 45)
        (job,) = periodic(env)
        assert env.db.wait_job(job["id"])["state"] == "completed"
        assert adapter.stats()["periodic_starts"] == 1
        adapter.stop()


def test_due_retries_that_repeat_a_key_are_discarded(env: Env, one: Adapter, two: Adapter) -> None:
    states = ["available", "pending", "running", "scheduled"]
    unique = {"unique": {"by_args": True, "by_state": states}, "scheduled_at": "2020-01-01T00:00:00Z"}

    def retryable(message: str, at: str, **opts: Any) -> int:
        id: int = one.insert_one(message, **opts)["id"]
        env.db.rows(
            "update river_job set state = 'retryable', scheduled_at = $2 where id = $1".replace(
                "$2", f"'2026-01-01 00:00:0{at}.000{'' if env.driver == 'sqlite' else 'Z'}'"
            ),
            id,
        )
        return id

    loser = retryable("held", "1", **unique)
    holder = one.insert_one("held", unique=unique["unique"], queue="nobody_works_this")["id"]
    later, earlier = retryable("two", "2", **unique), None
    earlier = retryable("two", "1", **unique)
    plain = retryable("plain", "1")
    two.start(client_id="scheduler", max_workers=1, queues=["elsewhere"], tuning=FAST)
    gone = [env.db.wait_job(id, "discarded", within=45) for id in (loser, later)]
    free = [env.db.wait_job(id, "available", within=45) for id in (earlier, plain)]

    assert all(row["metadata"]["unique_key_conflict"] == "scheduler_discarded" for row in gone)
    assert all(row["finalized_at"] is not None for row in gone)
    assert not any("unique_key_conflict" in row["metadata"] for row in free)
    assert env.db.row(holder)["state"] == "available"


@pytest.mark.parametrize("restarted", [True, False])
def test_a_killed_process_has_its_job_rescued(env: Env, one: Adapter, restarted: bool) -> None:
    victim = env.adapter()
    victim.start(client_id="victim", max_workers=1, leader_election_disabled=True)
    id = one.insert_one("k", "cooperative_cancel" if restarted else "sleep", 600)["id"]
    env.db.rows(f"update river_job set args = {json_of(env)} where id = $1", id, json.dumps(
        {"behavior": "sleep", "duration_ms": 1000, "message": "k"}
    ))  # fmt: skip
    env.db.wait_job(id, "running")
    victim.kill()
    env.db.rows(f"update river_job set attempted_at = '{env.db.past}' where id = $1", id)
    rescuer = env.adapter() if restarted else one
    rescuer.start(
        client_id="rescuer", max_workers=1, job_timeout_ms=1500, rescue_after_ms=1500, retry_delay_ms=1, tuning=FAST
    )
    row = env.db.wait_job(id, within=45)

    assert (row["state"], row["attempt"], row["attempted_by"]) == ("completed", 2, ["victim", "rescuer"])
    assert [error["error"] for error in row["errors"]] == ["Stuck job rescued by JobRescuer"]
    assert row["errors"][0]["trace"] == ""
    assert row["metadata"]["river:rescue_count"] == 1


def json_of(env: Env) -> str:
    return "jsonb($2)" if env.driver == "sqlite" else "$2::jsonb"


def test_a_leader_discards_lost_jobs_of_kinds_that_it_does_not_know(env: Env, one: Adapter, two: Adapter) -> None:
    ids = [one.insert_one("r", "sleep", 60_000)["id"] for _ in range(2)]
    env.db.rows(f"update river_job set state = 'running', attempt = 1, attempted_at = '{env.db.past}'")
    env.db.rows("update river_job set kind = 'nobody_knows' where id = $1", ids[1])
    two.start(
        client_id="rescuer",
        queues=["elsewhere"],
        rescue_after_ms=1000,
        job_timeout_ms=1000,
        retry_delay_ms=60_000,
        tuning=FAST,
    )
    known, unknown = env.db.wait_job(ids[0], "retryable", within=45), env.db.wait_job(ids[1], within=45)

    assert (unknown["state"], unknown["finalized_at"] is None) == ("discarded", False)
    for row in (known, unknown):
        assert [(error["error"], error["trace"]) for error in row["errors"]] == [
            ("Stuck job rescued by JobRescuer", "")
        ]
        assert row["metadata"]["river:rescue_count"] == 1


def test_a_dead_leader_is_followed_when_its_lease_is_over(env: Env, one: Adapter) -> None:
    leader, follower = env.adapter(), env.adapter()
    leader.start(client_id="leader", max_workers=1, periodic_run_on_start=True, tuning=FAST)
    wait_for(lambda: len(periodic(env)) == 1, "the first run", 45)
    follower.start(client_id="follower", max_workers=1, periodic_run_on_start=True, tuning=FAST)
    assert follower.stats()["periodic_starts"] == 0
    leader.kill()
    env.db.rows(f"update river_leader set expires_at = '{env.db.past}', elected_at = '{env.db.past}'")
    wait_for(lambda: (row := env.db.leader()) and row["leader_id"] == "follower", "the follower to lead", 30)
    wait_for(lambda: len(periodic(env)) == 2, "the second run", 45)
    assert follower.stats()["periodic_starts"] == 1


def test_a_new_leader_does_its_chores_at_once(env: Env, one: Adapter, two: Adapter) -> None:
    lost, due = one.insert_one("lost")["id"], one.insert_one("due", scheduled_at="2026-01-01T00:00:00Z")["id"]
    running = f"state = 'running', attempt = 1, attempted_at = '{env.db.past}', max_attempts = 1"
    env.db.rows(f"update river_job set {running} where id = $1", lost)
    began = time.monotonic()
    two.start(client_id="leads", max_workers=1)
    assert env.db.wait_job(lost)["state"] == "discarded"
    assert env.db.wait_job(due)["state"] == "completed"

    assert time.monotonic() - began < 5
