"""Inserting, listing, cancelling, retrying and migrating, by either process (spec/river-conformance.md 2.3 to 2.7)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from conformance.adapter import Adapter, Refused, wait_for
from conformance.conftest import Env

pytestmark = pytest.mark.slow

TEXT = "a<b>&c\u2028d\u2029 é"


def insert(adapter: Adapter, tx: str | None = None, **opts: Any) -> Any:
    return adapter.insert(jobs=[{"message": opts.pop("message", "x"), "opts": opts}], tx=tx)["results"][0]


def state(adapter: Adapter, id: int, tx: str | None = None) -> str | None:
    jobs = adapter.list(ids=[id], tx=tx)["jobs"]
    return jobs[0]["state"] if jobs else None


# Batches and transactions


def test_a_batch_is_stored_whole_or_not_at_all(env: Env, one: Adapter) -> None:
    unique = {"opts": {"unique": {"by_args": True}}, "message": "same"}
    for jobs in (
        [],
        [{"message": "fine"}, {"opts": {"priority": 99}}],
        [unique, unique],
        [{"opts": {"unique": {"exclude_kind": True}}}],
    ):
        with pytest.raises(Refused):
            one.insert(jobs=jobs)

    assert env.db.count("true") == 0


def test_a_duplicate_in_a_batch_is_the_job_that_the_other_stored(one: Adapter, two: Adapter) -> None:
    first = insert(two, message="u", unique={"by_args": True}, metadata={"by": "two"})["job"]

    results = one.insert(
        jobs=[
            {"message": "u", "opts": {"unique": {"by_args": True}}},
            {"message": "waits", "opts": {"pending": True}},
        ]
    )["results"]

    assert [each["unique_skipped_as_duplicate"] for each in results] == [True, False]
    assert results[0]["job"] == first
    assert (results[1]["job"]["state"], results[1]["job"]["errors"]) == ("pending", [])


def test_a_cancellation_in_a_transaction_is_seen_inside_only(one: Adapter, two: Adapter) -> None:
    id = insert(two)["job"]["id"]
    for commit in (False, True):
        one.tx_begin(tx="t")
        inside = one.cancel(id=id, tx="t")
        assert (inside["state"], inside["finalized_at"] is None) == ("cancelled", False)
        assert (state(one, id), state(two, id), state(one, id, "t")) == ("available", "available", "cancelled")
        one.tx_end(tx="t", commit=commit)
        assert state(two, id) == ("cancelled" if commit else "available")


def test_a_transaction_sees_its_own_writes_and_nobody_else_does(env: Env, one: Adapter, two: Adapter) -> None:
    cancelled = insert(two)["job"]["id"]
    two.cancel(id=cancelled)
    one.tx_begin(tx="t")
    inside = insert(one, tx="t")["job"]["id"]
    one.retry(id=cancelled, tx="t")
    with pytest.raises(Refused):
        insert(one, tx="t", priority=99)

    assert (state(one, inside), state(two, inside), state(two, cancelled)) == (None, None, "cancelled")
    if env.driver == "sqlite":
        assert state(one, inside, "t") == state(one, cancelled, "t") == "available"
        one.tx_end(tx="t", commit=True)
        assert (state(two, inside), state(two, cancelled)) == ("available", "available")
    else:
        one.tx_end(tx="t")
        assert (state(two, inside), state(two, cancelled)) == (None, "cancelled")


# Unique


def test_unique_columns_are_rivers(env: Env, one: Adapter) -> None:
    far = "2099-02-03T04:35:06Z"
    args = '{"behavior":"","duration_ms":0,"message":"m"}'
    four = ["available", "pending", "running", "scheduled"]
    everything = [*four, "cancelled", "completed", "discarded", "retryable"]
    cases: list[tuple[dict[str, Any], str, int]] = [
        ({"unique": {"by_args": True}}, f"&kind=conformance_echo&args={args}", 245),
        ({"unique": {"by_args": True, "exclude_kind": True}}, f"&args={args}", 245),
        (
            {"unique": {"by_period_ms": 3_600_000}, "scheduled_at": far},
            "&kind=conformance_echo&period=2099-02-03T04:00:00Z",
            245,
        ),
        ({"unique": {"by_queue": True}, "queue": "unique_queue"}, "&kind=conformance_echo&queue=unique_queue", 245),
        ({"unique": {"by_state": four}}, "&kind=conformance_echo", 209),
        (
            {
                "unique": {"by_args": True, "by_period_ms": 86_400_000, "by_queue": True, "by_state": everything},
                "scheduled_at": far,
            },
            f"&kind=conformance_echo&args={args}&period=2099-02-03T00:00:00Z&queue=default",
            255,
        ),
    ]
    for opts, text, mask in cases:
        job = insert(one, message="m", **opts)["job"]
        row = env.db.stored(job["id"])
        digest = hashlib.sha256(text.encode()).digest()
        assert (row["unique_key"], row["unique_states"]) == (digest, mask)
        assert job["unique_key"] == digest.hex()
        assert job["unique_states"] == sorted(job["unique_states"])
    plain = env.db.stored(insert(one)["job"]["id"])
    assert plain["unique_key"] is plain["unique_states"] is None


def test_a_duplicate_of_another_kind_leaves_that_kind_alone(env: Env, one: Adapter, two: Adapter) -> None:
    opts = {"unique": {"by_args": True, "exclude_kind": True}}
    first = insert(one, **opts)["job"]
    env.db.rows("update river_job set kind = 'other_kind' where id = $1", first["id"])

    again = insert(two, **opts)

    assert again["unique_skipped_as_duplicate"]
    assert again["job"] == {**first, "kind": "other_kind"} == one.listed(first["id"])


@pytest.mark.only("postgres")
@pytest.mark.parametrize("unique", [{"by_args": True}, {"by_queue": True}, {"by_args": True, "by_queue": True}])
def test_the_loser_of_a_unique_race_waits_and_gets_the_winners_job(
    env: Env, one: Adapter, two: Adapter, unique: dict[str, Any]
) -> None:
    one.tx_begin(tx="w")
    winner = insert(one, tx="w", unique=unique)["job"]
    two.tx_begin(tx="l")
    loser = two.start_call("insert", jobs=[{"message": "x", "opts": {"unique": unique}}], tx="l")
    wait_for(lambda: env.db.is_waiting(two.name), "the loser to wait", 10)

    one.tx_end(tx="w", commit=True)
    (result,) = loser(5)["results"]
    two.tx_end(tx="l", commit=True)

    assert (result["unique_skipped_as_duplicate"], result["job"]) == (True, winner)
    assert env.db.count("true") == 1


# Lists


@pytest.mark.parametrize("by", ["id", "scheduled_at", "time"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_a_page_of_one_goes_on_in_the_other(one: Adapter, two: Adapter, by: str, direction: str) -> None:
    ids = [insert(one, scheduled_at=f"2099-01-01T00:00:0{n}.{n}2Z")["job"]["id"] for n in (1, 2, 3)]
    expected = ids if direction == "asc" else ids[::-1]
    params: dict[str, Any] = {"direction": direction, "limit": 2, "order_by": by, "states": ["scheduled"]}

    page = one.list(**params)

    assert page == two.list(**params)
    assert [job["id"] for job in page["jobs"]] == expected[:2]
    rest = two.list(**params, after=page["cursor"])
    assert [job["id"] for job in rest["jobs"]] == expected[2:]
    assert two.list(**params, after=rest["cursor"]) == {"cursor": None, "jobs": []}


def test_a_time_over_several_states_is_that_of_the_first(one: Adapter, two: Adapter) -> None:
    ids = [insert(one)["job"]["id"] for _ in range(3)]
    for id in ids:
        one.cancel(id=id)
        time.sleep(0.003)
    two.retry(id=ids[1])

    def pages(*states: str, direction: str = "asc") -> list[int]:
        params: dict[str, Any] = {"direction": direction, "limit": 2, "order_by": "time", "states": list(states)}
        page = one.list(**params)
        return [job["id"] for each in (page, two.list(**params, after=page["cursor"])) for job in each["jobs"]]

    assert pages("cancelled", "available") == [ids[0], ids[2], ids[1]]
    assert pages("cancelled", "available", direction="desc") == [ids[1], ids[2], ids[0]]
    assert pages("available", "cancelled") == [ids[1], ids[0], ids[2]] or pages("available", "cancelled") == [
        ids[0],
        ids[2],
        ids[1],
    ]


def test_filters_narrow(env: Env, one: Adapter) -> None:
    ids = [insert(one, priority=n, tags=["tag_all", f"tag_{n}"], metadata={"n": n})["job"]["id"] for n in (1, 2, 3)]
    insert(one, queue="elsewhere")

    def found(**params: Any) -> list[int]:
        return [job["id"] for job in one.list(**params)["jobs"]]

    assert found(tags_all=["tag_all"], priorities=[1, 3]) == [ids[0], ids[2]]
    assert found(tags_all=["tag_all", "tag_2"], queues=["default"]) == [ids[1]]
    assert found(ids=ids[:2], states=["available"], kinds=["conformance_echo"]) == ids[:2]
    assert found(kinds=["other"]) == []
    if env.driver == "postgres":
        assert found(metadata={"n": 2}) == [ids[1]]
    else:
        with pytest.raises(Refused):
            found(metadata={"n": 2})


@pytest.mark.only("sqlite")
def test_times_are_rounded_as_go_rounds_them(env: Env, one: Adapter) -> None:
    for said, stored in [
        ("2026-01-02T03:04:05.1234Z", "2026-01-02 03:04:05.123"),
        ("2026-01-02T03:04:05.1238Z", "2026-01-02 03:04:05.124"),
        ("2026-01-02T03:04:05.0004999Z", "2026-01-02 03:04:05.000"),
        ("2026-01-02T03:04:05.0005Z", "2026-01-02 03:04:05.001"),
        ("2026-01-02T03:04:05.9995Z", "2026-01-02 03:04:06.000"),
        ("1969-12-31T23:59:59.9995Z", "1970-01-01 00:00:00.000"),
        ("1969-12-31T23:59:59.9975Z", "1969-12-31 23:59:59.998"),
    ]:
        job = insert(one, scheduled_at=said)["job"]
        assert env.db.stored(job["id"])["scheduled_at"] == stored
        assert job["state"] == "scheduled"


def test_ids_beyond_what_a_float_holds_are_exact(env: Env, one: Adapter, two: Adapter) -> None:
    large = 9007199254740993
    for id in (large, large + 1):
        env.db.rows("update river_job set id = $1 where id = $2", id, insert(one)["job"]["id"])
    params: dict[str, Any] = {"ids": [large, large + 1], "limit": 1}

    page = one.list(**params)
    assert page == two.list(**params)
    assert [job["id"] for job in two.list(**params, after=page["cursor"])["jobs"]] == [large + 1]
    assert two.cancel(id=large)["state"] == "cancelled"
    assert one.listed(large)["state"] == "cancelled"


# Rows


def test_new_rows_are_written_as_rivers(env: Env, one: Adapter) -> None:
    job = one.insert_one(TEXT, metadata={"note": TEXT, "nested": {"z": [1, None]}, "n": 1.5}, tags=["tag_2"])
    row = env.db.stored(job["id"])

    assert row["attempted_by"] is row["errors"] is row["attempted_at"] is row["finalized_at"] is None
    assert row["args"] == {"behavior": "", "duration_ms": 0, "message": TEXT}
    assert row["metadata"].pop("note") == TEXT
    assert ("river:unique_nonce" in row["metadata"]) == (env.driver == "sqlite")
    assert row["tags"] == ["tag_2"]
    if env.driver == "sqlite":
        (types,) = env.db.rows("select typeof(args) a, typeof(metadata) m, typeof(tags) t from river_job")
        assert set(types.values()) == {"blob"}


@pytest.mark.only("postgres")
def test_too_many_attempts_are_cut_on_postgres(env: Env, one: Adapter) -> None:
    assert [insert(one, max_attempts=n)["job"]["max_attempts"] for n in (40_000, 7)] == [32_767, 7]


@pytest.mark.only("sqlite")
def test_many_attempts_are_kept_on_sqlite(env: Env, one: Adapter) -> None:
    assert insert(one, max_attempts=40_000)["job"]["max_attempts"] == 40_000


def test_a_row_of_others_is_read_as_it_is(env: Env, one: Adapter) -> None:
    id = insert(one)["job"]["id"]
    error = '{"at":"2026-01-02T03:04:06.123456Z","attempt":3,"error":"failed: \\"x\\"","trace":"frame\\nframe"}'
    if env.driver == "sqlite":
        env.db.rows(
            "update river_job set errors = jsonb('[' || $1 || ']'), attempted_by = jsonb('[\"go\",\"py\"]'), "
            "unique_key = unhex($2), unique_states = 245, state = 'discarded', "
            "finalized_at = '2026-01-02 03:04:07.001'",
            error,
            "ab" * 32,
        )
    else:
        env.db.rows(
            "update river_job set errors = array[$1::jsonb], attempted_by = array['go','py'], "
            "unique_key = decode($2, 'hex'), unique_states = B'11110101', state = 'discarded', "
            "finalized_at = '2026-01-02 03:04:07.000001Z'",
            error,
            "ab" * 32,
        )

    job = one.listed(id)

    assert job["errors"] == [
        {"at": "2026-01-02T03:04:06.123456Z", "attempt": 3, "error": 'failed: "x"', "trace": "frame\nframe"}
    ]
    assert (job["attempted_by"], job["unique_key"]) == (["go", "py"], "ab" * 32)
    assert job["unique_states"] == ["available", "completed", "pending", "retryable", "running", "scheduled"]
    digits = "000001" if env.driver == "postgres" else "001000"
    assert job["finalized_at"] == f"2026-01-02T03:04:07.{digits}Z"


def test_cancel_and_retry_by_turns_leave_what_all_see(env: Env, one: Adapter, two: Adapter) -> None:
    id = insert(one, tags=["tag_1"])["job"]["id"]

    cancelled = two.cancel(id=id)
    assert cancelled == one.listed(id)
    assert (cancelled["state"], cancelled["finalized_at"] is None) == ("cancelled", False)
    stamp = env.db.stored(id)["metadata"]["cancel_attempted_at"]
    assert stamp.endswith("Z")
    assert not stamp.rstrip("Z").endswith("0") or "." not in stamp
    retried = one.retry(id=id)
    assert retried == two.listed(id)
    assert (retried["state"], retried["finalized_at"]) == ("available", None)


@pytest.mark.only("postgres")
@pytest.mark.parametrize("act", ["cancel", "retry"])
def test_the_loser_of_a_race_gets_what_was_committed(env: Env, one: Adapter, two: Adapter, act: str) -> None:
    id = insert(one)["job"]["id"]
    if act == "retry":
        one.cancel(id=id)
    one.tx_begin(tx="w")
    winner = one.call(act, {"id": id, "tx": "w"})
    loser = two.start_call(act, id=id)
    wait_for(lambda: env.db.is_waiting(two.name), "the loser to wait", 10)

    one.tx_end(tx="w", commit=True)

    assert loser(5) == winner


def test_huge_numbers_survive_a_cancel(env: Env, one: Adapter) -> None:
    id = insert(one)["job"]["id"]
    numbers = (
        '{"n":-9223372036854775808,"b":123456789012345678901234567890,"h":1e400,"d":0.1000000000000000055511151231}'
    )
    env.db.rows(f"update river_job set metadata = {'jsonb($1)' if env.driver == 'sqlite' else '$1::jsonb'}", numbers)

    one.cancel(id=id)

    text = "json(metadata)" if env.driver == "sqlite" else "metadata::text"
    (row,) = env.db.rows(f"select {text} as t from river_job")
    assert "123456789012345678901234567890" in row["t"]
    assert "0.1000000000000000055511151231" in row["t"]
    assert "1e400" in row["t"] or "1" + "0" * 400 in row["t"]


# Notices


def test_each_operation_tells_what_rivers_would(env: Env, one: Adapter) -> None:
    told = env.db.told()
    job = insert(one, queue="payloads")["job"]
    assert told.next() == [("river_insert", {"queue": "payloads"})]
    one.cancel(id=job["id"])
    assert told.next() == [("river_control", {"action": "cancel", "job_id": job["id"], "queue": "payloads"})]
    one.cancel(id=job["id"])
    assert told.next() == []
    time.sleep(0.25)
    one.retry(id=job["id"])
    assert told.next() == []
    one.start(client_id="payloads", max_workers=1)
    term = env.db.wait_leader()
    assert told.next() == []
    one.queue(action="update", name="default", metadata={"zeta": "z", "alpha": 1})
    assert told.next() == [
        ("river_control", {"action": "metadata_changed", "metadata": {"zeta": "z", "alpha": 1}, "queue": "default"})
    ]
    for action in ("pause", "resume"):
        one.queue(action=action, name="default")
        assert told.next() == [("river_control", {"action": action, "queue": "default"})]
    one.request_resign()
    env.db.wait_leader(but_not=term["elected_at"])
    resigned = [("river_leadership", {"action": "resigned", "leader_id": "payloads"})] * (env.driver == "postgres")
    assert told.next() == [("river_leadership", {"action": "request_resign", "leader_id": ""}), *resigned]
    one.stop()
    assert told.next() == resigned


def test_notices_follow_the_commit(env: Env, one: Adapter, two: Adapter, listening: Callable[[Adapter], None]) -> None:
    told = env.db.told()
    id = insert(one)["job"]["id"]
    told.next()
    for commit in (False, True):
        one.tx_begin(tx="t")
        one.cancel(id=id, tx="t")
        one.queue(action="pause", name="*", tx="t")
        one.queue(action="resume", name="*", tx="t")
        one.request_resign(tx="t")
        one.tx_end(tx="t", commit=commit)
        topics = [topic for topic, _ in told.next()]
        assert topics == (["river_control"] * 3 + ["river_leadership"] if commit else [])
    two.start(client_id="woken", fetch_poll_interval_ms=60_000, max_workers=2)
    listening(two)
    for commit in (False, True):
        time.sleep(0.25)
        one.tx_begin(tx="i")
        one.insert(jobs=[{"message": "1"}, {"message": "2"}], tx="i")
        began = time.monotonic()
        one.tx_end(tx="i", commit=commit)
        if commit:
            wait_for(lambda: env.db.count("state = 'completed'") == 2, "both jobs")
            assert time.monotonic() - began < 5
        assert ("river_insert" in [topic for topic, _ in told.next()]) == commit


# Migrations


def test_every_version_can_be_a_start(unmigrated: Env) -> None:
    one, two = unmigrated.adapter(), unmigrated.adapter()
    for version in range(1, 9):
        assert one.migrate(target_version=version)["versions"] == list(range(1, version + 1))
        assert two.migrate()["versions"] == list(range(version + 1, 9))
        assert two.migrate(target_version=version)["versions"] == []
        id = insert(one)["job"]["id"]
        assert two.listed(id)["state"] == "available"
        assert one.migrate(direction="down", target_version=version)["versions"] == list(range(8, version, -1))
        assert two.migrate()["versions"] == list(range(version + 1, 9))
        assert one.migrate(direction="down", target_version=-1)["versions"] == list(range(8, 0, -1))
    assert one.migrate(direction="up")["versions"] == list(range(1, 9))
    assert two.migrate(direction="down")["versions"] == [8]


def test_a_runtime_works_on_what_was_rebuilt(env: Env, one: Adapter, two: Adapter) -> None:
    insert(two)
    one.migrate(direction="down", target_version=-1)
    assert one.migrate()["versions"] == list(range(1, 9))

    two.start(client_id="rebuilt")
    id = insert(one)["job"]["id"]

    assert env.db.wait_job(id)["state"] == "completed"


@pytest.mark.only("postgres")
@pytest.mark.parametrize("name", ["OtherSchema", "s" * 46])
def test_a_schema_of_its_own_has_its_own_jobs(env: Env, one: Adapter, name: str) -> None:
    env.db.connection.execute(f'drop schema if exists "{name}" cascade'.encode())
    env.db.connection.execute(f'create schema "{name}"'.encode())
    try:
        assert one.migrate(schema=name)["versions"] == list(range(1, 9))
        assert one.migrate(schema=name)["versions"] == []
        job = one.insert(jobs=[{"message": "x"}], schema=name)["results"][0]["job"]
        assert one.list(schema=name)["jobs"] == [job]
        assert one.list()["jobs"] == []
        one.start(client_id="other", schema=name)
        wait_for(lambda: one.list(schema=name)["jobs"][0]["state"] == "completed", "the job")
        one.stop()
    finally:
        env.db.connection.execute(f'drop schema "{name}" cascade'.encode())
    with pytest.raises(Refused) as refused:
        one.insert(jobs=[{"message": "x"}], schema="s" * 47)
    assert refused.value.code == -32002
