"""What is said about a Redis server, from what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ferryman.connect import connect
from ferryman.errors import StorageError
from ferryman.findings import Finding, Level
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.asynq.checks import CHECKS, Facts, judge
from servers import Server, program

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GOOD = {
    "redis_version": "7.2.4",
    "aof_enabled": "1",
    "maxmemory_policy": "noeviction",
    "role": "master",
    "connected_slaves": "1",
    "maxclients": "100",
}


def said(info: dict[str, str] | None = None, **answers: Any) -> list[Finding]:
    """Return what is found on a server that is in order but for this."""
    text = "".join(f"{name}:{value}\r\n" for name, value in {**GOOD, **(info or {})}.items())
    good = {
        "info": b"# Server\r\n" + text.encode(),
        "role": [b"master", 0, []],
        "save": {b"save": b""},
        "appendfsync": {b"appendfsync": b"everysec"},
        "slowlog": [],
        "time": [str(int(NOW.timestamp())).encode(), b"0"],
        "rights": [b"OK"],
        "strays": (700, []),
    }
    place = {"archived": {}, "is_cluster": False, "production": True}
    given = {name: answers.pop(name, value) for name, value in place.items()}
    return judge(Facts({**good, **answers}, asked=NOW, answered=NOW, **given))


def wrong(found: list[Finding]) -> list[tuple[str, str]]:
    return [(each.id, each.level.value) for each in found if each.level is not Level.OK]


def test_a_server_in_order_passes_every_check() -> None:
    assert wrong(said()) == []
    assert {each.id for each in said()} == CHECKS.keys() - {"R-CLUSTER"}


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"redis_version": "6.0.16"}, ("R-VERSION", "error")),
        ({"redis_version": "6.2.14"}, ("R-VERSION", "warning")),
        ({"maxmemory_policy": "allkeys-lru"}, ("R-EVICT", "error")),
        ({"aof_enabled": "0"}, ("R-AOF", "error")),
        ({"aof_last_write_status": "err"}, ("R-AOF", "error")),
        ({"used_memory": "76", "maxmemory": "100"}, ("R-MEM", "warning")),
        ({"used_memory": "90", "maxmemory": "100"}, ("R-MEM", "error")),
        ({"evicted_keys": "3"}, ("R-EVICTED", "error")),
        ({"connected_slaves": "0"}, ("R-REPLICA", "warning")),
        ({"connected_clients": "81"}, ("R-CLIENTS", "warning")),
        ({"used_memory": "200000000", "mem_fragmentation_ratio": "1.9"}, ("R-FRAG", "warning")),
        ({"cluster_enabled": "1"}, ("R-CLUSTER", "warning")),
    ],
)
def test_what_a_server_says_of_itself_is_judged(info: dict[str, str], expected: tuple[str, str]) -> None:
    assert wrong(said(info)) == [expected]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"role": [b"slave", b"host", 6379, b"connected", 1]}, ("R-ROLE", "error")),
        ({"appendfsync": {b"appendfsync": b"no"}}, ("R-AOF", "warning")),
        (
            {"slowlog": [[1, 1, 60_000, [b"EVALSHA", b"abc", b"1", b"asynq:{q}:pending"], b"", b""]]},
            ("R-SLOW", "warning"),
        ),
        ({"archived": {"mail": 8_000}}, ("R-ARCHIVE", "warning")),
        ({"archived": {"mail": 9_500, "low": 3}}, ("R-ARCHIVE", "error")),
        ({"rights": [b"OK", b"User x has no permissions to run the 'hset' command"]}, ("R-PERMS", "error")),
        ({"time": [str(int(NOW.timestamp()) + 3).encode(), b"0"]}, ("C-CLOCK", "warning")),
        ({"time": [str(int(NOW.timestamp()) - 60).encode(), b"0"]}, ("C-CLOCK", "error")),
    ],
)
def test_every_other_answer_is_judged(answers: dict[str, Any], expected: tuple[str, str]) -> None:
    assert wrong(said(**answers)) == [expected]


def test_on_a_developers_machine_nothing_needs_to_survive() -> None:
    found = said({"aof_enabled": "0", "connected_slaves": "0"}, production=False)

    assert wrong(found) == [("R-AOF", "warning")]


def test_snapshots_alone_lose_what_came_since() -> None:
    (found,) = [each for each in said({"aof_enabled": "0"}, save={b"save": b"3600 1 300 100"}) if each.id == "R-AOF"]

    assert (found.level, "3,600 s" in found.text) == (Level.WARNING, True)


def test_slow_commands_of_others_are_their_own_affair() -> None:
    assert wrong(said(slowlog=[[1, 1, 900_000, [b"KEYS", b"asynq:*"], b"", b""]])) == []


def test_what_may_not_be_asked_is_said_and_the_rest_is_judged() -> None:
    found = said({"maxmemory_policy": "allkeys-lru"}, role=StorageError("NOPERM"), slowlog=StorageError("NOPERM"))

    assert wrong(found) == [("R-ROLE", "warning"), ("R-EVICT", "error"), ("R-SLOW", "warning")]
    assert "does not allow it: NOPERM" in found[1].text


@pytest.fixture
def guarded() -> Iterator[tuple[Storage, Server]]:
    """A server that keeps its data, and a user on it who may do nothing but ask for queues."""
    server = Server(program(), "appendonly yes", "maxmemory-policy allkeys-lru").start()
    server.command("ACL", "SETUSER", "guest", "on", ">secret", "~*", "+@read", "+ping", "+hello", "+client")
    with connect(server.url.replace("//", "//guest:secret@")).twin() as storage:
        yield storage, server
    server.stop()


def test_a_user_without_rights_hears_of_it_and_of_no_more(guarded: tuple[Storage, Server]) -> None:
    storage, _ = guarded

    found = {each.id: each for each in storage.health.check(production=True)}

    assert found["R-EVICT"].level is Level.WARNING
    assert "lacks a right" in found["R-EVICT"].text
    assert all("secret" not in each.text for each in found.values())


def test_a_real_server_is_judged_by_its_settings(guarded: tuple[Storage, Server]) -> None:
    _, server = guarded
    with connect(server.url).twin() as storage:
        found = {each.id: each.level for each in storage.health.check(production=False)}

    assert (found["R-EVICT"], found["R-AOF"], found["R-PERMS"]) == (Level.ERROR, Level.OK, Level.OK)


def test_the_clock_is_compared_in_the_middle_of_the_question() -> None:
    later = NOW + timedelta(seconds=10)
    facts = Facts({"time": [str(int(NOW.timestamp()) + 5).encode(), b"0"]}, {}, NOW, later, False, True)

    assert CHECKS["C-CLOCK"]("C-CLOCK", facts).level is Level.OK  # type: ignore[union-attr]
