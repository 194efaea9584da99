"""The compose file's own commands, run as processes of this machine instead of in containers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.kit import ROOT, Kit
from servers import Server, free_port, postgres, program, valkey, wait_until

pytestmark = pytest.mark.slow

PASSWORD = "only-in-this-test"
SERVICES: dict[str, Any] = Kit().compose["services"]


@pytest.mark.parametrize(("was", "now", "kept"), [("", "", b"here"), ("yes", "no", None)], ids=["shipped", "mistaken"])
def test_redis_brings_back_what_it_had_accepted_when_it_is_killed(was: str, now: str, kept: bytes | None) -> None:
    _, *flags = SERVICES["redis"]["command"]
    pairs = dict(zip(flags[::2], flags[1::2], strict=True))
    said = [f"{flag[2:]} {now if value == was else value}" for flag, value in pairs.items() if flag != "--dir"]
    server = Server(program(), *said).start()
    server.command("SET", "job", "here")
    if kept:
        assert server.command("WAITAOF", 1, 0, 10_000)[0] == 1  # it is on the disk

    server.kill()
    server.start()

    assert server.command("GET", "job") == kept
    server.kill()


class Stack:
    """The services of the compose file, with their hosts and ports put where they are here."""

    def __init__(self, folder: Path, database: str, redis: str) -> None:
        self.folder = folder
        self.web, self.mock, self.health, self.dashboard = (free_port() for _ in range(4))
        self.here = {
            "${FERRYMAN_URL:-postgres://app:app@postgres:5432/app}": redis,
            "postgres://app:app@postgres:5432/app": database,
            "${FERRYMAN_URL:-}": redis,
            **{f"{host}:8080": f"127.0.0.1:{self.web}" for host in ("0.0.0.0", "127.0.0.1")},
            **{f"{host}:9000": f"127.0.0.1:{self.mock}" for host in ("0.0.0.0", "127.0.0.1", "mock-webhook")},
            "127.0.0.1:8082": f"127.0.0.1:{self.health}",
            '"2-5"': '"0-0"',
            '"0.0.0.0", "--port", "8081"': f'"0.0.0.0", "--port", "{self.dashboard}"',
            ":8081": f":{self.dashboard}",
            "${FERRYMAN_DASHBOARD_PASSWORD:?set it in deploy/.env, see .env.example}": PASSWORD,
        }

    def service(self, name: str) -> dict[str, Any]:
        text = json.dumps(SERVICES[name])
        for there, here in self.here.items():
            text = text.replace(there, here)
        return json.loads(text)

    def environment(self, name: str) -> dict[str, str]:
        said = {key: value for key, value in self.service(name).get("environment", {}).items() if key != "S3_BUCKET"}
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("FERRYMAN_", "REDIS_"))}
        return {**clean, "PYTHONPATH": str(ROOT / "examples/briefings"), **said}

    def command(self, words: list[str]) -> list[str]:
        start = {"python": [sys.executable], "ferryman": [sys.executable, "-m", "ferryman"]}
        return [*start[words[0]], *words[1:]]

    def start(self, name: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            command = self.command(self.service(name)["command"])
            return subprocess.Popen(command, cwd=self.folder, env=self.environment(name), stdout=log, stderr=log)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    @contextmanager
    def running(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a service until the block ends; it begins when the service's own health check is content."""
        process = self.start(name)
        try:
            wait_until(lambda: self.is_well(name), lambda: self.log(name))
            yield process
        finally:
            process.kill()
            process.wait()

    def is_well(self, name: str) -> bool:
        kind, *words = self.service(name)["healthcheck"]["test"]
        assert kind == "CMD"
        return not subprocess.run(self.command(words), capture_output=True, env=self.environment(name)).returncode


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    valkey().flush()
    with postgres().database() as database:
        yield Stack(tmp_path, database, valkey().url)


def test_the_services_are_healthy_make_a_briefing_and_stop_in_order(stack: Stack) -> None:
    assert stack.start("migrate").wait(60) == 0, stack.log("migrate")
    with ExitStack() as running:
        for name in ("mock-webhook", "web", "dashboard"):
            running.enter_context(stack.running(name))
        worker = running.enter_context(stack.running("worker"))
        client = running.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{stack.web}"))

        answer = client.post("/briefings", json={"topic": "hello"})
        assert answer.status_code == 202
        here = answer.headers["location"]
        said = {"accept": "application/json"}
        wait_until(lambda: client.get(here, headers=said).json()["status"] == "completed", lambda: stack.log("worker"))

        dashboard = f"http://127.0.0.1:{stack.dashboard}/s/main/jobs"
        assert client.get(dashboard).status_code in (302, 303, 401)
        assert "briefing:generate" in client.get(dashboard, auth=("dev", PASSWORD), follow_redirects=True).text

        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert re.search("worker stopped", stack.log("worker"))
