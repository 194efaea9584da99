"""The board and the alerts on a real Prometheus, which asks a worker and `ferryman metrics` that run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from deploy import numbers
from deploy.kit import Kit, needed
from servers import Servers, free_port, valkey, wait_until

pytestmark = pytest.mark.slow

APP = """
from ferryman import Discard, Ferryman

jobs = Ferryman()

@jobs.every("1s", on_start=True)
@jobs.task("tick", retries=0)
async def tick() -> None: ...

@jobs.every("1s", on_start=True)
@jobs.task("give-up", retries=0)
async def give_up() -> None:
    raise Discard("as it must")
"""
SCRAPE = """
global: {{scrape_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - {{job_name: worker, static_configs: [{{targets: ["127.0.0.1:{worker}"]}}]}}
  - {{job_name: storage, static_configs: [{{targets: ["127.0.0.1:{storage}"]}}]}}
"""
QUIET = {"ferryman_build_info", "ALERTS{"}
"""What has nothing to say while all is well: new versions, alerts."""


@contextmanager
def running(folder: Path, *command: str, **env: str) -> Iterator[None]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **env}, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


class Prometheus:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/api/v1/query"

    def asked(self, expression: str) -> list[object]:
        """Return what it finds.  Raises AssertionError when it cannot read the question."""
        try:
            said = httpx.get(self.url, params={"query": expression}, timeout=10).json()
        except httpx.TransportError:
            return []
        assert said["status"] == "success", f"{expression}: {said}"
        return list(said["data"]["result"])


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    program, folder = needed("prometheus"), tmp_path_factory.mktemp("board")
    worker, storage, port = free_port(), free_port(), free_port()
    (folder / "app.py").write_text(APP)
    rules = Kit().deploy / "prometheus/alerts.yaml"
    (folder / "prometheus.yml").write_text(SCRAPE.format(rules=rules, worker=worker, storage=storage))
    redis: Servers = valkey()
    redis.flush()
    ferryman = (sys.executable, "-m", "ferryman", "--url", redis.url)
    with ExitStack() as stack:
        stack.enter_context(running(folder, *ferryman, "worker", "app:jobs", "--health-addr", f"127.0.0.1:{worker}"))
        stack.enter_context(running(folder, *ferryman, "metrics", "--port", str(storage)))
        stack.enter_context(
            running(folder, program, "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{port}")
        )
        asked = Prometheus(port)
        done = 'rate(ferryman_jobs_finished_total{outcome="failed"}[20s]) > 0 and on () ferryman_archive_cap'
        wait_until(lambda: bool(asked.asked(done)), lambda: (folder / "log").read_text())
        yield asked


def test_every_panel_of_the_board_shows_something(prometheus: Prometheus) -> None:
    empty = []
    for expression in numbers.expressions(Kit()):
        plain = re.sub(r"\$\w+", ".*", expression.replace("$__rate_interval", "20s"))
        if not prometheus.asked(plain) and not any(quiet in plain for quiet in QUIET):
            empty.append(expression)
    assert empty == []


def test_every_alert_asks_what_prometheus_understands(prometheus: Prometheus) -> None:
    for alert in numbers.alerts(Kit()):
        prometheus.asked(alert["expr"])


def test_what_prometheus_gathers_is_what_the_page_on_metrics_lists(prometheus: Prometheus) -> None:
    told = numbers.metrics()
    unknown = set()
    for series in prometheus.asked('{__name__=~"ferryman_.+"}'):
        labels = dict(series["metric"])
        name = re.sub(r"_(bucket|sum|count)$", "", labels.pop("__name__"))
        unknown |= {f"{name} {label}" for label in labels.keys() - told.get(name, set()) - {"instance", "job", "le"}}
        unknown |= {name} - told.keys()
    assert unknown == set()
