"""Where the steps are played: Briefings on one storage, each program a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from servers import Server, free_port
from whole.objects import Objects
from whole.program import Place, Program, until

__all__ = ["Stage", "require"]

HASTY = {
    "ORPHAN_AGE": "0s",  # an orphan need not be a day old
    "JOB_TIMEOUT": "10s",
    "FERRYMAN_RESCUE_AFTER": "10s",  # never below the timeout of the job
    "FERRYMAN_RESCUE_INTERVAL": "0.5s",
}
"""What production has in minutes and hours."""


def require(true: object, otherwise: object) -> None:
    """Raise AssertionError, which ends the play, unless this is as it should be."""
    assert true, otherwise


class Stage(Place):
    """A folder for one storage, with the programs that run in it."""

    def __init__(self, name: str, folder: Path, objects: Objects, redis: Server | None = None, **env: str) -> None:
        super().__init__(folder, **HASTY, **objects.bucket(folder.name), **env)
        self.name = name
        self.objects = objects
        self.redis = redis
        self.pages = free_port()
        self.env |= {"FERRYMAN_APP": "briefings.tasks:jobs", "LOG_FORMAT": "text"}
        self.programs = ExitStack()
        self.workers: list[Program] = []
        self.ports: list[int] = []
        """Where each of the workers tells how it is."""
        self.seen: dict[str, str] = {}
        """What a step leaves for those after it, such as the id of a briefing."""

    @property
    def url(self) -> str:
        """Where the jobs are."""
        return self.env.get("REDIS_URL", self.env["DATABASE_URL"])

    @contextmanager
    def set(self, latency: str) -> Iterator[None]:
        """Start what every step needs, with a service that takes so many seconds; end after the block whatever runs."""
        with self.programs:
            self.programs.enter_context(self.service(latency))
            self.web_program = self.start_web()
            self.new_worker()
            yield

    def start_web(self, **env: str) -> Program:
        program = self.programs.enter_context(self.start("--web", "--no-embedded-worker", **env))
        program.says("Briefings on")
        return program

    def new_worker(self) -> Program:
        """Start one more worker."""
        self.ports.append(free_port())
        address = f"127.0.0.1:{self.ports[-1]}"
        self.workers.append(self.programs.enter_context(self.start("--worker", FERRYMAN_HEALTH_ADDR=address)))
        self.worker.says("worker ready")
        return self.worker

    def metrics(self) -> list[str]:
        """Return what each worker that runs tells Prometheus."""
        running = [port for port, worker in zip(self.ports, self.workers, strict=True) if worker.process.poll() is None]
        return [httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60).raise_for_status().text for port in running]

    @property
    def worker(self) -> Program:
        return self.workers[-1]

    def start_dashboard(self, port: int, *options: str) -> Program:
        said = ("dashboard", "--port", str(port), *options)
        return self.programs.enter_context(self.start_module("ferryman", *said))

    def ferryman(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `ferryman` that ends by itself."""
        command = [sys.executable, "-m", "ferryman", *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.env | env, capture_output=True, text=True, timeout=90)

    def data(self, *arguments: str, **env: str) -> Any:
        """Run a command of `ferryman`, and return the data that it prints."""
        done = self.ferryman(*arguments, "--json", **env)
        require(done.returncode == 0, f"ferryman {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)["data"]

    @cached_property
    def dashboard(self) -> httpx.Client:
        """A browser at the dashboard: what it sends comes from the dashboard's own pages."""
        self.start_dashboard(self.pages).says("dashboard on")
        url = f"http://127.0.0.1:{self.pages}"
        return httpx.Client(base_url=url, headers={"Origin": url, "Accept": "text/html"}, timeout=60)

    def look(self, path: str, **words: str) -> str:
        """Return a page of the dashboard."""
        answer = self.dashboard.get(f"/s/main/{path}", params=words)
        require(answer.is_success, f"the dashboard answered {answer.status_code} to {path}: {answer.text[:300]}")
        return answer.text

    def api(self, path: str, **words: str) -> Any:
        """Return what the dashboard's API says."""
        answer = self.dashboard.get(f"/api/v1/s/main/{path}", params=words)
        require(answer.is_success, f"the API answered {answer.status_code} to {path}: {answer.text[:300]}")
        return answer.json()

    def jobs_of(self, briefing: str) -> list[Any]:
        """Return the jobs of a briefing, as the dashboard has them."""
        return list(self.api("jobs", **{"kind": "briefing:generate", "args.briefing_id": briefing})["jobs"])

    def called(self, id: str) -> str:
        """Wait until the service is at work for a briefing."""
        return until(lambda: id if id in self.calls() else "")

    @property
    def logs(self) -> str:
        """Everything that every program has said."""
        return "\n".join(log.read_text("utf-8") for log in sorted(self.folder.glob("*.log")))
