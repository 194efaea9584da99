"""The way to a storage: the steps that are told, and where each kind of trouble ends it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ferryman.connect import connect
from ferryman.storage import way
from ferryman.storage.way import Blocked, Line, Step, first_through, walk
from servers import MASTER, cluster, free_port, postgres, sentinel, valkey


def to(url: str) -> Sequence[Step]:
    return connect(url).twin().health.way()


def plainly(host: str, port: int = 6379) -> list[Step]:
    with closing(Line(host, port)) as line:
        return walk(line.moves())


def names(steps: Sequence[Step]) -> list[str]:
    return [step.name for step in steps]


def end(steps: Sequence[Step]) -> Step:
    """Return the step that failed, which is the last."""
    assert [step.failed for step in steps] == [False] * (len(steps) - 1) + [True]
    return steps[-1]


@contextmanager
def listening(answer: bytes) -> Iterator[int]:
    """Give the port of a server that answers everybody with the same bytes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    visitor, _ = server.accept()
                except OSError:
                    return
                with visitor:
                    visitor.recv(1024)
                    visitor.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "_PATIENCE", 0.05)


# By hand


def test_a_host_that_nobody_knows_ends_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **said: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    found = end(plainly("cache"))

    assert (found.name, found.fix) == ("name lookup", "getent hosts cache")
    assert "nobody knows a host cache" in found.text


def test_name_servers_that_keep_silent_are_not_waited_for(hasty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **said: silent.wait() and [])

    found = end(plainly("cache"))
    silent.set()

    assert "no name server said within 0.05 s where cache is" in found.text


def test_a_port_where_nobody_listens_is_told() -> None:
    found = end(plainly("127.0.0.1", port := free_port()))

    assert (found.name, found.fix) == ("connect", f"nc -vz 127.0.0.1 {port}")
    assert f"127.0.0.1:{port} refuses: nothing listens there" in found.text


def test_a_second_address_is_tried_where_the_first_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(b"") as port:
        monkeypatch.setattr(way, "_addresses", lambda host: ["127.0.0.9", "127.0.0.1"])

        steps = plainly("cache", port)

    assert [step.text for step in steps] == ["cache is 127.0.0.9, 127.0.0.1", f"127.0.0.1:{port} answers"]


def test_a_server_that_does_not_speak_tls_is_told() -> None:
    with listening(b"-ERR unknown command\r\n") as port, closing(Line("127.0.0.1", port)) as line:
        walk(line.moves())

        with pytest.raises(Blocked, match=r"does not agree on TLS \(wrong version number\). Say it without"):
            line.secure(ssl.create_default_context(), "Say it without")


def test_one_server_of_several_is_enough() -> None:
    def broken() -> str:
        raise Blocked("down")

    tried = [[("connect", broken)], [("connect", lambda: "up"), ("login", lambda: "in")]]

    assert [step.text for step in first_through(tried)] == ["up", "in"]
    assert [step.text for step in first_through(tried[:1] * 2)] == ["down"]


# Redis


def test_every_step_to_redis_is_told_and_timed() -> None:
    steps = to(valkey().url)

    assert names(steps) == ["name lookup", "connect", "login", "first command"]
    assert not any(step.failed for step in steps)
    assert all(step.seconds >= 0 for step in steps)


def test_a_sentinel_and_a_cluster_lead_on() -> None:
    there = ["name lookup", "connect", "login"]

    assert names(to(sentinel().url)) == [*there, "master", *there, "first command"]
    assert names(to(cluster().url)) == [*there, "node", *there, "first command"]


def test_a_socket_needs_no_name() -> None:
    assert names(to(f"unix://{valkey().nodes[0].socket}")) == ["socket", "login", "first command"]
    assert "cannot be reached" in end(to("unix:///nowhere/redis.sock")).text


def test_a_wrong_password_is_told_and_not_shown() -> None:
    port = valkey().nodes[0].port

    found = end(to(f"redis://ann:hush@127.0.0.1:{port}/0"))

    assert "refuses this user and password" in found.text
    assert found.fix == f"redis-cli -h 127.0.0.1 -p {port} --user ann --askpass ping"
    assert "hush" not in str(found)


def test_a_name_that_no_sentinel_knows_is_told() -> None:
    found = end(to(sentinel().url.replace(MASTER, "other")))

    assert found.name == "master"
    assert 'where the master "other" is' in found.text


# Postgres


def test_every_step_to_postgres_is_told() -> None:
    with postgres().database() as url:
        steps = to(url)

    assert names(steps) == ["name lookup", "connect", "TLS", "login", "first command"]
    assert steps[2].text == "the server speaks none, and nobody insists on it"
    assert not steps[-1].failed


def test_a_server_without_the_tls_that_the_url_asks_for_is_told() -> None:
    found = end(to(f"{postgres().url}?sslmode=require"))

    assert found.text.startswith("the server speaks none, and the URL has sslmode=require")
    assert names(to(f"{postgres().url}?sslmode=disable")) == ["name lookup", "connect", "login", "first command"]


def test_a_database_that_is_not_there_ends_the_way_at_the_login() -> None:
    found = end(to(postgres().url.replace("ferryman@", "ferryman:hush@") + "_gone"))

    assert found.name == "login"
    assert "does not exist" in found.text
    assert found.fix.startswith("psql postgres://ferryman@")
    assert "hush" not in str(found)


def test_what_is_no_postgres_is_told() -> None:
    with listening(b"-ERR") as port:
        assert "Is that Postgres?" in end(to(f"postgres://127.0.0.1:{port}/app")).text


# SQLite


def test_the_folder_the_file_and_the_database_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("no database, " * 100)

    assert names(to("sqlite://")) == []
    assert [step.failed for step in to(f"sqlite:///{tmp_path}/new.db")] == [False] * 3
    assert not (tmp_path / "new.db").exists()
    assert end(to(f"sqlite:///{tmp_path}/none/jobs.db")).fix == f"mkdir -p {tmp_path}/none"
    assert "is no file" in end(to(f"sqlite:///{tmp_path}")).text
    assert "file is not a database" in end(to(f"sqlite:///{tmp_path}/app.py")).text
