"""Locks, outages, damaged rows, load (spec/river-conformance.md 2.12 and 2.13)."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from conformance.adapter import Adapter, wait_for
from conformance.conftest import Env

pytestmark = pytest.mark.slow

MINUTE = 60_000


@pytest.mark.only("postgres")
def test_a_completion_waits_for_a_lock_on_its_row(env: Env, one: Adapter) -> None:
    one.start(client_id="lock", max_workers=1)
    id = one.insert_one("gate", "barrier_wait")["id"]
    env.db.wait_job(id, "running")
    with env.db.connect() as other, other.transaction():
        other.execute("select 1 from river_job where id = %s for update", (id,))
        one.release(name="gate")
        wait_for(lambda: env.db.is_waiting(one.name), "the completion to wait", 10)
    row = env.db.wait_job(id)

    assert (row["state"], row["attempt"]) == ("completed", 1)


@pytest.mark.only("postgres")
def test_a_completion_that_fails_in_passing_is_tried_again(env: Env, one: Adapter) -> None:
    env.db.rows("create sequence failures")
    env.db.rows(
        "create function fail_once() returns trigger language plpgsql as $$ begin "
        "if new.state = 'completed' and nextval('failures') = 1 then "
        "raise exception 'in passing' using errcode = '40001'; end if; return new; end $$"
    )
    env.db.rows("create trigger fails before update on river_job for each row execute function fail_once()")
    one.start(client_id="transient", max_workers=1)
    row = env.db.wait_job(one.insert_one("x")["id"], within=30)

    assert (row["state"], row["attempt"], row["errors"]) == ("completed", 1, None)


@pytest.mark.only("sqlite")
def test_a_writers_lock_beyond_all_patience_delays_a_completion_only(env: Env, one: Adapter) -> None:
    one.start(client_id="locked", max_workers=1)
    id = one.insert_one("gate", "barrier_wait")["id"]
    env.db.wait_job(id, "running")
    with env.db.locked():
        one.release(name="gate")
        time.sleep(6)
    row = env.db.wait_job(id, within=60)

    assert (row["state"], row["attempt"], row["errors"]) == ("completed", 1, None)


def test_a_job_that_nobody_told_of_is_found(env: Env, one: Adapter) -> None:
    one.start(client_id="polls", max_workers=1, fetch_poll_interval_ms=250)
    id = one.insert_one("lost", scheduled_at="2099-01-01T00:00:00Z")["id"]
    env.db.rows(f"update river_job set state = 'available', scheduled_at = '{env.db.past}'")

    assert env.db.wait_job(id)["state"] == "completed"


@pytest.mark.only("postgres")
def test_a_worker_listens_again_after_its_connections_were_ended(
    env: Env, one: Adapter, two: Adapter, listening: Callable[[Adapter], None]
) -> None:
    two.start(client_id="listens", max_workers=1, fetch_poll_interval_ms=MINUTE)
    listening(two)
    for only_listener in (True, False):
        pids = {row["pid"] for row in env.db.backends(two.name)}
        if only_listener:
            (listener,) = [
                row["pid"] for row in env.db.backends(two.name) if row["query"].lower().startswith("listen ")
            ]
            env.db.rows("select pg_terminate_backend($1)", listener)
            pids = {listener}
        else:
            env.db.terminate(two.name)
        ends = time.monotonic() + 10
        wait_for(
            lambda gone=pids: any(
                row["query"].lower().startswith("listen ") and row["pid"] not in gone
                for row in env.db.backends(two.name)
            ),
            "another listener",
            10,
        )
        row = env.db.wait_job(one.insert_one("w")["id"], within=max(ends - time.monotonic(), 1))
        assert (row["state"], row["attempt"]) == ("completed", 1)
    assert two.insert_one("after")["state"] == "available"


class Proxy:
    """Passes connections on to a server, until it is closed."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.is_open = True
        self.refused = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Reset every connection, and take no more."""
        self.is_open = False
        for each in self._open:
            with suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if not self.is_open:
                self.refused += 1
                client.close()
                continue
            server = socket.create_connection(self._target)
            self._open += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        self.close()
        self._server.close()


@pytest.mark.only("postgres")
def test_an_outage_delays_what_was_done_and_loses_nothing(env: Env, one: Adapter) -> None:
    parts = urlsplit(env.db.url)
    proxy = Proxy(parts.hostname or "", parts.port or 0)
    direct = env.db.environment["RIVER_CONFORMANCE_DATABASE_URL"]
    env.db.environment["RIVER_CONFORMANCE_DATABASE_URL"] = direct.replace(f":{parts.port}", f":{proxy.port}")
    cut_off = env.adapter()
    env.db.environment["RIVER_CONFORMANCE_DATABASE_URL"] = direct
    cut_off.start(client_id="cut-off", max_workers=1, fetch_poll_interval_ms=250)
    id = one.insert_one("gate", "barrier_wait")["id"]
    env.db.wait_job(id, "running")
    proxy.close()
    began = time.monotonic()
    cut_off.release(name="gate")
    assert time.monotonic() - began < 2
    meanwhile = one.insert_one("meanwhile")["id"]
    wait_for(lambda: proxy.refused >= 3, "three tries to come back", 60)
    assert env.db.row(id)["state"] == "running"
    proxy.is_open = True
    rows = [env.db.wait_job(each, within=60) for each in (id, meanwhile)]
    proxy_ends = cut_off.close()
    proxy.end()

    assert [(row["state"], row["attempt"], row["errors"]) for row in rows] == [("completed", 1, None)] * 2
    assert proxy_ends == 0


@pytest.mark.only("sqlite")
def test_rows_that_hold_no_json_fail_alone_on_sqlite(env: Env, one: Adapter) -> None:
    columns = ("args", "attempted_by", "errors", "metadata", "tags")
    ids = {column: one.insert_one(column, max_attempts=3)["id"] for column in columns}
    for column, id in ids.items():
        env.db.rows(f"update river_job set {column} = 'not json' where id = $1", id)
    one.start(client_id="damaged", max_workers=2, retry_delay_ms=MINUTE)
    sound = [one.insert_one("sound")["id"] for _ in range(3)]

    assert all(env.db.wait_job(id)["state"] == "completed" for id in sound)
    wait_for(lambda: one.events().count("job_failed") == 5, "five failures")
    for column, id in ids.items():
        row = env.db.wait_job(id, "retryable")
        errors = row["errors"]
        if column == "errors":
            assert errors.pop(0) == "not json"
        else:
            assert row[column] == "not json"
        assert errors[0]["error"].startswith("job row couldn't be decoded: ")


@pytest.mark.only("postgres")
def test_odd_errors_and_metadata_keep_nobody_from_working_on_postgres(env: Env, one: Adapter) -> None:
    odd = [
        '{"at":"yesterday","attempt":"3","error":7,"trace":["x"]}',
        '{"at":"2026-01-02T03:04:05.120Z","attempt":true,"error":null}',
        "[1]",
        "7",
    ]
    id = one.insert_one("odd")["id"]
    env.db.rows("update river_job set errors = $1::jsonb[] where id = $2", [json.dumps(json.loads(x)) for x in odd], id)
    before = env.db.rows("select errors::text from river_job")
    listed = one.listed(id)["errors"]
    assert listed[0] == {"at": "0001-01-01T00:00:00Z", "attempt": 3, "error": "7", "trace": '["x"]'}
    assert (listed[1]["at"], listed[1]["attempt"], listed[1]["error"]) == ("2026-01-02T03:04:05.120000Z", 0, "null")
    assert [error["error"] for error in listed[2:]] == ["[1]", "7"]
    array = one.insert_one("array")["id"]
    env.db.rows("update river_job set metadata = '[1, {\"a\": 2}]' where id = $1", array)
    one.start(client_id="odd", max_workers=1)

    assert env.db.wait_job(id)["state"] == "completed"
    assert env.db.rows("select errors::text from river_job where id = $1", id) == before
    row = env.db.wait_job(array)
    assert (row["state"], row["metadata"]) == ("completed", [1, {"a": 2}])


def test_processes_are_replaced_under_load(env: Env, one: Adapter, two: Adapter) -> None:
    three, four = env.adapter(), env.adapter()
    for number, (old, new) in enumerate(((one, three), (two, four))):
        old.start(client_id=f"old-{number}", max_workers=4)
        new.handshake()
    for number in range(100):
        (one, two)[number % 2].insert_one("n", "sleep", 5)
        if number in (30, 60):
            old, new = (one, three) if number == 30 else (two, four)
            old.stop()
            new.start(client_id=f"new-{number}", max_workers=4)
    wait_for(lambda: env.db.count("state = 'completed'") == 100, "all of them", 30)

    assert env.db.count("attempt <> 1") == 0
    text = "json(attempted_by)" if env.driver == "sqlite" else "attempted_by::text"
    by = {row["t"] for row in env.db.rows(f"select distinct {text} as t from river_job")}
    assert sum("new" in name for name in by) == 2
    wait_for(lambda: (row := env.db.leader()) and row["leader_id"].startswith("new"), "a new leader", 30)


@pytest.mark.only("postgres")
def test_a_thousand_completions_share_their_transactions(env: Env, one: Adapter) -> None:
    one.insert(jobs=[{"behavior": "barrier_wait", "message": "gate"}] * 1000)
    one.start(client_id="batches", max_workers=1000)
    wait_for(lambda: env.db.count("state = 'running'") == 1000, "all to run", 20)
    sql = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as x"
    before = env.db.rows(sql)[0]["x"]
    one.release(name="gate")
    wait_for(lambda: env.db.count("state = 'completed'") == 1000, "all to complete", 20)

    assert env.db.rows(sql)[0]["x"] - before < 250


@pytest.mark.only("postgres")
def test_a_process_keeps_to_its_few_connections(env: Env, one: Adapter, two: Adapter) -> None:
    one.insert(jobs=[{"behavior": "sleep", "duration_ms": 10}] * 600)
    most = 0
    for name, adapter in (("one", one), ("two", two)):
        adapter.start(client_id=name, max_workers=100)
    ends = time.monotonic() + 60
    while env.db.count("state = 'completed'") < 600:
        most = max(most, *(len(env.db.backends(adapter.name)) for adapter in (one, two)))
        assert time.monotonic() < ends
        time.sleep(0.01)

    assert env.db.count("attempt <> 1") == 0
    assert most <= 20


@pytest.mark.only("postgres")
def test_a_server_without_notices_is_polled(env: Env, one: Adapter) -> None:
    env.db.rows(
        "create function version() returns text language sql as "
        "$$ select 'PostgreSQL 15.2-YB-2.25.0.0-b0 on x86_64'::text $$"
    )
    env.db.rows(
        "create function current_setting(text, boolean) returns text language sql as "
        "$$ select case $1 when 'yb_enable_listen_notify' then null else pg_catalog.current_setting($1, $2) end $$"
    )
    env.db.rows(
        "create function pg_notify(text, text) returns void language plpgsql as "
        "$$ begin raise exception 'no notices here'; end $$"
    )
    path = env.db.environment["RIVER_CONFORMANCE_DATABASE_URL"]
    env.db.environment["RIVER_CONFORMANCE_DATABASE_URL"] = path + ",pg_catalog"
    yugabyte = env.adapter()
    worker = env.adapter()
    worker.start(client_id="yugabyte", max_workers=1)
    plain = yugabyte.insert_one("plain", scheduled_at="2099-01-01T00:00:00Z")["id"]
    opts = {"unique": {"by_args": True}, "scheduled_at": "2099-01-01T00:00:00Z"}
    jobs = [{"message": "u", "opts": opts}]
    first, second = (yugabyte.insert(jobs=jobs)["results"][0] for _ in range(2))
    id = yugabyte.insert_one("c", "cooperative_cancel")["id"]
    env.db.wait_job(id, "running")
    began = time.monotonic()
    yugabyte.cancel(id=id)
    row = env.db.wait_job(id)

    assert time.monotonic() - began < 6
    assert row["state"] == "cancelled"
    assert (first["unique_skipped_as_duplicate"], second["unique_skipped_as_duplicate"]) == (False, True)
    assert first["job"]["id"] == second["job"]["id"]
    nonces = [env.db.stored(each)["metadata"].get("river:unique_nonce", "") for each in (first["job"]["id"], plain)]
    assert (len(nonces[0]), nonces[1]) == (16, "")
    for action in ("pause", "resume"):
        yugabyte.queue(action=action, name="*")
