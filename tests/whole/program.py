"""Starts Briefings as a process of its own, and waits for what it says.

Every program of a test lives in one folder: its database, its objects and its logs.
Waiting is always for a condition, with a limit that is only reached when a test fails.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import psycopg

from ferryman import Ferryman
from ferryman.sqlite import library
from servers import free_port

__all__ = ["Place", "Program", "until"]

T = TypeVar("T")

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "briefings"
FINAL = ("completed", "failed")
TURN = 1_651_663_983
"""The lock that whoever writes on Postgres holds."""


def until(condition: Callable[[], T], within: float = 60.0) -> T:
    """Ask again and again until the answer is true, and return it."""
    began = time.monotonic()
    while not (answer := condition()):
        waited = time.monotonic() - began
        assert waited < within, f"this did not become true within {within:g} s"
        time.sleep(min(max(0.02, waited / 10), 0.25))  # what takes longer is asked for more seldom: asking is work too
    return answer


class Program:
    """A running process; what it writes goes into a file."""

    def __init__(self, log: Path, command: tuple[str, ...], env: dict[str, str]) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=log.parent, env=env, stdout=output, stderr=output)

    def says(self, text: str, within: float = 60.0) -> str:
        """Wait for a line with this text, and return it."""

        def found() -> str:
            line = next((line for line in self.text.splitlines() if text in line), "")
            assert line or self.process.poll() is None, f"it ended without saying {text!r}:\n{self.text}"
            return line

        return until(found, within)

    @property
    def text(self) -> str:
        return self.log.read_text("utf-8")

    def end(self, signal_number: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Place:
    """A folder with a database, and the ports of the programs that share it."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.web, self.mock = free_port(), free_port()
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("FERRYMAN_", "REDIS_"))},
            "PYTHONPATH": str(EXAMPLE),
            "APP_ENV": "development",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "OBJECTS_FOLDER": str(folder / "objects"),
            "HTTP_ADDR": f"127.0.0.1:{self.web}",
            "MOCK_ADDR": f"127.0.0.1:{self.mock}",
            "MOCK_LATENCY": "0-0",
            "FIRST_RETRY": "0.5s",
            "FERRYMAN_SCHEDULE_INTERVAL": "0.1s",
            **env,
        }

    @property
    def database(self) -> Path:
        return self.folder / "briefings.db"

    def start(self, *arguments: str, **env: str) -> Program:
        """Start a program; who starts it also ends it (`with`)."""
        return self.start_module("briefings", *arguments, **env)

    def start_module(self, module: str, *arguments: str, **env: str) -> Program:
        """Start any Python program that belongs to the place."""
        log = self.folder / f"{len(list(self.folder.glob('*.log')))}.log"
        return Program(log, (sys.executable, "-m", module, *arguments), self.env | env)

    @contextmanager
    def running(self, *arguments: str, **env: str) -> Iterator[Program]:
        """Start the web, and wait until it can be reached."""
        with self.start(*arguments, **env) as program:
            program.says("Briefings on")
            yield program

    @contextmanager
    def service(self, latency: str) -> Iterator[None]:
        """Run the mock of the briefing service alone, and have all programs use it."""
        self.env["WEBHOOK_URL"] = f"http://127.0.0.1:{self.mock}/briefings"
        with self.start("mock-webhook", MOCK_LATENCY=latency) as program:
            program.says("the mock service on")
            yield

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a mode that ends by itself."""
        command = [sys.executable, "-m", "briefings", *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.env | env, capture_output=True, text=True, timeout=60)

    @cached_property
    def http(self) -> httpx.Client:
        # A connection for each request: who keeps one may find it closed by the server at the very moment of asking.
        alone = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(base_url=f"http://127.0.0.1:{self.web}", timeout=30, limits=alone)

    def create(self, topic: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post("/briefings", json={"topic": topic}, headers=named)

    def new(self, topic: str) -> str:
        """Create a briefing, and return its id."""
        return str(self.create(topic).json()["id"])

    def show(self, id: str) -> dict[str, Any]:
        return dict(self.http.get(f"/briefings/{id}").json())

    def page(self, path: str) -> str:
        return self.http.get(path, headers={"Accept": "text/html"}).text

    def final(self, id: str) -> dict[str, Any]:
        """Wait until nothing more happens to a briefing; a database that is busy for a moment is asked again."""
        return until(lambda: shown if (shown := self.show(id)).get("status") in FINAL else None)

    def calls(self) -> list[str]:
        """Return the Idempotency-Key of each call that the mock has seen."""
        return list(httpx.get(f"http://127.0.0.1:{self.mock}/calls").json())

    @property
    def on_postgres(self) -> bool:
        """Whether briefings are kept there, and not in a file."""
        return self.env["DATABASE_URL"].startswith("postgres")

    def sql(self, statement: str, *values: object) -> list[Any]:
        """Run a statement behind the program's back."""
        if self.on_postgres:
            with psycopg.connect(self.env["DATABASE_URL"], autocommit=True) as postgres:
                found = postgres.execute(statement.replace("?", "%s").encode(), values or None)
                return found.fetchall() if found.description else []
        connection = library().connect(self.database, isolation_level=None, timeout=10)
        try:
            return list(connection.execute(statement, values).fetchall())
        finally:
            connection.close()

    @property
    def jobs_table(self) -> str:
        """Where the web writes the job of a briefing down."""
        return "outbox" if "REDIS_URL" in self.env else "river_job"

    def enqueued(self, id: str = "") -> int:
        """Return how many jobs were written down for this briefing, or for all."""
        found = {
            "outbox": "select count(*) from outbox where job_ref like ?",
            "river_job": "select count(*) from river_job where kind = 'briefing:generate' "
            "and cast(args as text) like ?",
        }
        return int(self.sql(found[self.jobs_table], f"%{id}%")[0][0])

    @contextmanager
    def refusing(self, when: str) -> Iterator[None]:
        """Refuse what is written `when`: "before insert on table"."""
        if self.on_postgres:
            body = "returns trigger language plpgsql as 'begin raise exception ''not today''; end'"
            self.sql(f"create function refuse() {body}")
            self.sql(f"create trigger refuse {when} for each row execute function refuse()")
        else:
            self.sql(f"create trigger refuse {when} begin select raise(abort, 'not today'); end")
        try:
            yield
        finally:
            self.sql("drop function refuse cascade" if self.on_postgres else "drop trigger refuse")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else from writing, as a database that is away does."""
        if self.on_postgres:
            with psycopg.connect(self.env["DATABASE_URL"]) as postgres:
                postgres.execute("select pg_advisory_xact_lock(%s)", [TURN])
                yield
                return
        connection = library().connect(self.database, isolation_level=None, timeout=10)
        try:
            connection.execute("begin immediate")
            yield
        finally:
            connection.close()

    @contextmanager
    def jobs(self) -> Iterator[Ferryman]:
        """Open the jobs as another program would."""
        jobs = Ferryman(self.env.get("REDIS_URL", self.env["DATABASE_URL"]))
        try:
            yield jobs
        finally:
            asyncio.run(jobs.close())
