"""Every URL that names a Redis is read as everybody means it, and asynq's as asynq does (spec/asynq.md 9.1)."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.connect import connect
from ferryman.errors import ConfigError
from ferryman.storage.asynq.urls import Address, Node

LOCAL = Node("localhost", 6379)


def read(url: str) -> Address:
    return Address.parse(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://", {"nodes": (LOCAL,)}),
        ("redis://:6380", {"nodes": (Node("localhost", 6380),)}),
        ("redis://quay:6380/3", {"nodes": (Node("quay", 6380),), "db": 3}),
        ("redis://quay/", {"nodes": (Node("quay", 6379),), "db": 0}),
        ("redis://quay?db=4", {"db": 4}),
        ("redis://:pa%2Fss@quay", {"username": None, "password": "pa/ss"}),
        ("redis://ada:secret@quay", {"username": "ada", "password": "secret"}),
        ("redis://[::1]:6380", {"nodes": (Node("::1", 6380),)}),
        ("rediss://quay", {"tls": ()}),
        ("rediss://quay?ssl_cert_reqs=none&ssl_ca_certs=/ca.pem", {"nodes": (Node("quay", 6379),)}),
    ],
)
def test_one_server(url: str, said: dict[str, Any]) -> None:
    address = read(url)

    assert address.kind == "one"
    assert {name: getattr(address, name) for name in said} == said


@pytest.mark.parametrize("scheme", ["unix", "redis-socket"])
def test_a_socket_is_named_by_its_path(scheme: str) -> None:
    address = read(f"{scheme}://:secret@/run/redis%20a.sock?db=2")

    assert (address.kind, address.nodes, address.db) == ("socket", (Node("/run/redis a.sock"),), 2)
    assert (address.username, address.password) == (None, "secret")


def test_sentinels_are_asked_for_a_master() -> None:
    url = "redis+sentinel://ada:secret@one,two:26380/jobs/3?sentinel_username=guard&sentinel_password=hush"
    address = read(url)

    assert address.nodes == (Node("one", 26379, is_sentinel=True), Node("two", 26380, is_sentinel=True))
    assert (address.kind, address.master, address.db) == ("sentinel", "jobs", 3)
    to_master, to_sentinel = address.options(Node("master", 6379)), address.options(address.nodes[0])
    assert (to_master["username"], to_master["password"], to_master["db"]) == ("ada", "secret", 3)
    assert (to_sentinel["username"], to_sentinel["password"], "db" in to_sentinel) == ("guard", "hush", False)


def test_asynqs_own_form_gives_the_password_to_the_sentinel() -> None:
    address = read("redis-sentinel://:hush@one:5000,two:5001/2?master=jobs")

    assert (address.master, address.db, address.password, address.sentinel_password) == ("jobs", 2, None, "hush")


def test_a_cluster_is_found_by_any_of_its_nodes() -> None:
    address = read("redis+cluster://:secret@one:7000,two")

    assert (address.kind, address.nodes) == ("cluster", (Node("one", 7000), Node("two", 6379)))
    assert address.options(address.nodes[1])["password"] == "secret"


@pytest.mark.parametrize(
    "url",
    [
        "redis://ada:secret@quay:6380/3",
        "rediss://:secret@quay/0",
        "unix://:secret@/run/redis.sock",
        "redis+sentinel://:secret@one,two/jobs/1",
        "redis-sentinel://:secret@one,two/1?master=jobs",
        "redis+cluster://:secret@one,two",
    ],
)
def test_an_address_is_told_without_its_password_and_reads_back(url: str) -> None:
    address = read(url)

    assert "secret" not in str(address)
    again = read(str(address))
    assert (again.kind, again.nodes, again.db, again.master) == (
        address.kind,
        address.nodes,
        address.db,
        address.master,
    )


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://quay/jobs", '"jobs" is no number of a database'),
        ("redis://quay/-1", "no number of a database"),
        ("redis://quay:99999", "no host and port"),
        ("redis://one,two", "no host and port"),
        ("redis://quay?database=1", "the unknown option database"),
        ("redis://:pa/ss@quay", "password seems to contain"),
        ("unix://", "names no socket"),
        ("redis-socket://", "names no socket"),
        ("redis+sentinel://one", "does not name the master"),
        ("redis-sentinel://one/2", "does not name the master"),
        ("redis+cluster://one/2", "a Cluster has only 0"),
        ("redis+cluster://one?db=2", "unknown option db"),
    ],
)
def test_what_is_wrong_with_a_url_is_said_without_its_password(url: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        read(url)

    assert "ss@" not in str(caught.value)


def test_a_scheme_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigError, match="redisx"):
        connect("redisx://quay", "FERRYMAN_URL")
