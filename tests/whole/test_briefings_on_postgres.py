"""Briefings with everything on one Postgres: what becomes of it when the server dies, and what it needs to start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from ferryman.storage.filters import JobFilter
from servers import PostgresServer, postgres_programs, valkey
from whole.program import Place, until

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server that keeps on disk what it was told, and that may be killed."""
    server = PostgresServer(postgres_programs(), fsync="on").start()
    yield server
    server.kill()


@pytest.fixture
def place(server: PostgresServer, tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path, DATABASE_URL=server.url)
    yield place
    place.http.close()


def ended(place: Place) -> dict[str, int]:
    """Count the briefings that are over, by status."""
    return dict(place.sql("select status, count(*) from briefings where finished_at is not null group by status"))


def test_postgres_is_killed_in_the_middle_of_a_run_and_every_briefing_is_made(
    place: Place, server: PostgresServer
) -> None:
    hasty = {"JOB_TIMEOUT": "3s", "FERRYMAN_RESCUE_AFTER": "3s", "FERRYMAN_RESCUE_INTERVAL": "0.5s"}
    with ExitStack() as running:
        running.enter_context(place.service("0.05-0.15"))
        running.enter_context(place.running("--web", "--no-embedded-worker"))
        workers = [running.enter_context(place.start("--worker", **hasty)) for _ in range(2)]
        for worker in workers:
            worker.says("worker ready")
        ids = [place.new(f"before {number}") for number in range(60)]
        until(lambda: sum(ended(place).values()) > 10)

        server.kill()
        refused = place.create("meanwhile")
        for worker in workers:
            worker.says("storage does not answer")
        server.start()
        ids += [place.new(f"after {number}") for number in range(20)]

        until(lambda: sum(ended(place).values()) == len(ids))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert ended(place) == {"completed": len(ids)}
        assert set(place.calls()) == set(ids)
        with place.jobs() as jobs:
            until(lambda: jobs.sync.admin.jobs.count(JobFilter(queues=("default",))) == {"completed": len(ids)})
        for worker in workers:
            assert worker.text.count("storage does not answer") == worker.text.count("storage answers again") == 1
            assert "Traceback" not in worker.text.partition("storage does not answer")[0]


def test_in_production_the_tables_are_made_by_a_command_and_nobody_starts_without_them(place: Place) -> None:
    production = {"APP_ENV": "production", "WEBHOOK_URL": "https://briefings.example/"}

    refused = place.run("--worker", **production)
    assert refused.returncode == 2
    assert "Run: python -m briefings migrate" in refused.stderr
    assert place.run("migrate", "--check", **production).returncode == 1

    made = place.run("migrate", **production)
    assert made.returncode == 0, made.stderr
    for name in ("main 008", "ferryman 001", "0001_briefings.sql"):
        assert name in made.stdout
    assert place.run("migrate", "--check", **production).returncode == 0


def test_jobs_may_be_on_redis_while_briefings_are_on_postgres(tmp_path: Path, server: PostgresServer) -> None:
    valkey().flush()
    place = Place(tmp_path, DATABASE_URL=server.url, REDIS_URL=valkey().url)
    with place.running():
        assert place.final(place.new("both"))["status"] == "completed"
        until(lambda: place.sql("select count(*) from outbox where sent_at is null") == [(0,)])
    place.http.close()


def test_a_server_that_is_not_there_is_one_sentence(place: Place, server: PostgresServer) -> None:
    server.stop()

    ended = place.run("--worker")

    assert ended.returncode != 0
    assert "Connection refused" in ended.stderr
    assert "Traceback" not in ended.stderr
    with pytest.raises(httpx.ConnectError):
        place.http.get("/healthz")
