"""What a Redis server says of itself, as facts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ferryman.connect import connect
from ferryman.errors import StorageError, StorageUnavailable
from ferryman.facts import NOT_PERMITTED, Fact, Unit
from ferryman.storage.asynq.info import facts_of
from servers import SERVERS, Server, program
from storage._sync.acts import store

INFO = """# Server
redis_version:7.2.4
used_memory:76
maxmemory:{most}
aof_enabled:1
mem_fragmentation_ratio:1.08
"""


def told(most: int = 100) -> dict[str, Fact]:
    return {each.name: each for each in facts_of(INFO.format(most=most).encode(), "standalone")}


def test_numbers_are_numbers_and_switches_are_words() -> None:
    facts = told()

    assert facts["version"].value == "Redis 7.2.4"
    assert facts["used memory"] == Fact("memory", "used memory", 76, Unit.BYTES, most=100)
    assert facts["fragmentation"].value == 1.08
    assert facts["AOF"].value == "on"


def test_a_limit_of_0_is_none_and_what_a_version_does_not_say_is_left_out() -> None:
    assert told(most=0)["used memory"].most is None
    assert "peak memory" not in told()


def test_a_server_that_may_not_be_asked_has_every_fact_all_the_same() -> None:
    facts = facts_of(StorageError("lacks a right"), "standalone")

    assert {each.why for each in facts if each.name != "topology"} == {NOT_PERMITTED}
    assert {each.topic for each in facts} == {"server", "memory", "persistence", "connections"}


@pytest.fixture
def guarded() -> Iterator[str]:
    """The URL of a user who may ask neither for settings nor for the slow log."""
    server = Server(program(), "user guest on >secret ~* &* +@all -config -slowlog").start()
    yield server.url.replace("//", "//guest:secret@")
    server.stop()


def test_what_a_user_may_not_ask_keeps_nothing_else_back(guarded: str) -> None:
    with connect(guarded).twin() as storage:
        facts = {each.name: each for each in storage.health.facts()}

    assert [name for name, each in facts.items() if each.why] == ["fsync", "slow log entries"]
    assert facts["fsync"].why == NOT_PERMITTED
    assert facts["used memory"].value


def test_a_server_that_is_gone_is_an_error_and_nothing_that_is_forbidden() -> None:
    server = Server(program()).start()
    with connect(server.url).twin() as storage:
        server.stop()
        with pytest.raises(StorageUnavailable):
            storage.health.facts()


@pytest.mark.slow
def test_a_cluster_says_which_node_keeps_each_queue() -> None:
    servers = SERVERS["cluster"]()
    servers.flush()
    with connect(servers.url).twin() as storage:
        store(storage)
        place = {each.name: each.value for each in storage.health.facts() if each.of == "default"}
        details = storage.queues.details("default")

    assert place == {"slot": details.slot, "node": details.nodes[0]}
