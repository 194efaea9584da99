"""The wire: identity, strictness, error codes, the end of the process (spec/river-conformance.md 1, 2.3)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from conformance.adapter import Adapter, Refused
from conformance.conftest import Env

pytestmark = pytest.mark.slow

METHODS = {
    "handshake": {},
    "insert": {"jobs": []},
    "cancel": {"id": 1},
    "retry": {"id": 1},
    "list": {},
    "migrate": {},
    "queue": {"action": "pause", "name": "*"},
    "request_resign": {},
    "start": {},
    "stats": {},
    "stop": {},
    "release": {"name": "a"},
    "tx_begin": {"tx": "a"},
    "tx_end": {"tx": "a"},
}


def code(adapter: Adapter, method: str, **params: Any) -> int:
    """Return the code with which a request is refused."""
    with pytest.raises(Refused) as refused:
        adapter.call(method, params)
    return refused.value.code


def test_it_names_itself_without_any_table(unmigrated: Env) -> None:
    hello = unmigrated.adapter().handshake()

    assert (hello["driver"], hello["implementation"]) == (unmigrated.driver, "py")
    assert hello["version"]


@pytest.mark.only("sqlite")
def test_what_is_no_request_has_its_code(unmigrated: Env) -> None:
    adapter = unmigrated.adapter()

    assert adapter.send(b"{not json")["error"]["code"] == -32700
    assert adapter.send({"id": 7, "method": "handshake"})["error"]["code"] == -32600
    unknown = adapter.send({"id": 8, "jsonrpc": "2.0", "method": "dance", "params": {"x": 1}})
    assert (unknown["id"], unknown["jsonrpc"], unknown["error"]["code"]) == (8, "2.0", -32601)
    assert adapter.send({"id": 9, "jsonrpc": "2.0", "method": "handshake", "params": None})["result"]
    assert adapter.send({"id": 10, "jsonrpc": "2.0", "method": "handshake"})["result"]


@pytest.mark.only("sqlite")
def test_nothing_unknown_is_passed_over(unmigrated: Env) -> None:
    adapter = unmigrated.adapter()

    for method, params in METHODS.items():
        assert code(adapter, method, **params, surprise=1) == -32602, method
    job = {"behavior": "", "message": "x"}
    for opts in ({"surprise": 1}, {"unique": {"surprise": 1}}, {"priority": "1"}, {"scheduled_at": "soon"}):
        assert code(adapter, "insert", jobs=[{**job, "opts": opts}]) == -32602, opts
    assert code(adapter, "insert", jobs=[{**job, "surprise": 1}]) == -32602
    for said in (
        {"tuning": {"surprise": 1}},
        {"max_workers": "4"},
        {"worker_kinds": ["conformance_unknown"]},
        {"periodic_unique": True},
    ):
        assert code(adapter, "start", **said) == -32602, said
    assert code(adapter, "list", direction="sideways") == -32602
    assert code(adapter, "list", after="no cursor") == -32602
    assert code(adapter, "queue", action="dance", name="default") == -32602
    assert code(adapter, "migrate", direction="sideways") == -32602
    assert code(adapter, "tx_begin") == code(adapter, "tx_begin", tx="") == -32602


def test_what_is_not_there_is_not_found_and_what_cannot_be_is_rejected(one: Adapter) -> None:
    assert code(one, "cancel", id=99) == code(one, "retry", id=99) == -32001
    for action in ("pause", "resume", "update"):
        assert code(one, "queue", action=action, name="nowhere", metadata={}) == -32001
    for method, params in (("list", {}), ("insert", {"jobs": [{}]}), ("cancel", {"id": 1}), ("request_resign", {})):
        assert code(one, method, **params, tx="nowhere") == -32001
    assert code(one, "tx_end", tx="nowhere") == -32001
    assert code(one, "stats") == code(one, "stop") == -32002
    assert code(one, "insert", jobs=[]) == code(one, "insert") == -32002
    assert code(one, "start", leader_election_disabled=True, periodic_run_on_start=True) == -32002
    assert code(one, "stats") == -32002
    one.tx_begin(tx="a")
    assert code(one, "tx_begin", tx="a") == -32002
    one.tx_end(tx="a")
    one.start()
    assert code(one, "start") == -32002


def test_a_worker_without_tables_is_rejected_and_none_runs(unmigrated: Env) -> None:
    adapter = unmigrated.adapter()

    assert code(adapter, "start") == -32002
    assert code(adapter, "stats") == -32002


def test_null_is_as_good_as_missing(one: Adapter) -> None:
    opts = {"max_attempts": None, "metadata": None, "tags": None, "unique": None, "scheduled_at": None}
    job = one.insert(jobs=[{"behavior": None, "message": None, "opts": opts}], tx=None)["results"][0]["job"]

    assert job["args"] == {"behavior": "", "duration_ms": 0, "message": ""}
    assert (job["state"], job["metadata"], job["tags"]) == ("available", {}, [])


def test_at_the_end_of_input_it_ends_well_whatever_goes_on(env: Env, one: Adapter) -> None:
    one.start(client_id="ends", max_workers=2)
    held = one.insert_one("never", "barrier_wait")
    env.db.wait_job(held["id"], "running")
    one.tx_begin(tx="open")
    one.insert(jobs=[{"message": "rolled back"}], tx="open")

    assert one.close() == 0
    assert env.db.count("state = 'running'") == 0
    assert env.db.count("true") == 1
    assert env.db.leader() is None


@pytest.mark.only("sqlite")
def test_an_unknown_driver_ends_the_process(unmigrated: Env) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ferryman.testing.river_adapter"],
        env={**os.environ, "RIVER_CONFORMANCE_DRIVER": "mysql"},
        capture_output=True,
        check=False,
    )

    assert done.returncode != 0
    assert b"mysql" in done.stderr
    assert done.stdout == b""


@pytest.mark.only("sqlite")
def test_long_lines_go_both_ways(one: Adapter) -> None:
    jobs = [{"behavior": "", "duration_ms": n, "message": "x" * 500} for n in range(6000)]

    results = one.insert(jobs=jobs)["results"]

    assert [each["job"]["args"]["duration_ms"] for each in results] == list(range(6000))
    assert not any(each["unique_skipped_as_duplicate"] for each in results)


def test_every_field_is_always_there_and_times_end_in_z(one: Adapter) -> None:
    job = one.insert_one("report")

    assert set(job) == {
        "args", "attempt", "attempted_at", "attempted_by", "created_at", "errors", "finalized_at", "id", "kind",
        "max_attempts", "metadata", "priority", "queue", "scheduled_at", "state", "tags", "unique_key", "unique_states",
    }  # fmt: skip
    assert job["created_at"].endswith("Z")
    assert (job["attempted_by"], job["errors"], job["tags"]) == ([], [], [])
    assert job["unique_key"] is job["unique_states"] is job["attempted_at"] is None


def test_large_numbers_go_through_the_wire_as_they_are(one: Adapter) -> None:
    numbers = b'{"a":123456789012345678901234567890,"b":0.1000000000000000055511151231257827}'
    line = b'{"id":1,"jsonrpc":"2.0","method":"insert","params":{"jobs":[{"opts":{"metadata":%s}}]}}' % numbers

    one.begin(line)
    assert one.process.stdout is not None
    answer = one._answers.get(timeout=10)

    assert b"123456789012345678901234567890" in answer
    assert b"0.1000000000000000055511151231257827" in answer
    json.loads(answer)
