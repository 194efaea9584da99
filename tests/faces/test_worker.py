"""`ferryman worker` as a process: the line it starts with, signals, bursts."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faces.process import Process
from faces.slow import SLOW, Gate
from faces.there import There
from faces.typed import Typed

pytestmark = pytest.mark.slow

Start = Callable[..., Process]


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start a worker of the slow app: `start("--burst")`."""
    (folder / "slow.py").write_text(SLOW)
    running: list[Process] = []

    def start(*words: str, **environment: str) -> Process:
        process = Process("worker", "slow:jobs", *words, folder=folder, **environment)
        running.append(process.__enter__())
        return process

    yield start
    for process in running:
        process.__exit__(None, None, None)


def test_it_says_what_it_works_on_and_where_that_was_said(start: Start) -> None:
    worker = start("-Q", "mail:3", "-Q", "default", "--concurrency", "4")

    worker.hear(r"worker ready: 3 kinds, queues mail default, 4 slots, storage sqlite:///ferryman.db \(the default\)$")


@pytest.mark.parametrize(
    ("words", "environment", "whence"),
    [
        (["--url", "sqlite:///x.db"], {}, r"sqlite:///x.db \(from --url\)"),
        ([], {"FERRYMAN_URL": "sqlite:///y.db"}, r"sqlite:///y.db \(from FERRYMAN_URL\)"),
    ],
)
def test_the_storage_is_named_with_its_origin(
    words: list[str], environment: dict[str, str], whence: str, start: Start
) -> None:
    start(*words, "--burst", **environment).hear(f"worker ready: .* storage {whence}$")


def test_a_burst_ends_when_there_is_nothing_to_do(start: Start, there: There) -> None:
    refs = [there.available("quick") for _ in range(3)]

    worker = start("--burst")

    assert worker.ended() == 0
    assert {there.state(ref) for ref in refs} == {"completed"}


def test_a_worker_may_end_after_so_many_jobs(start: Start, there: There) -> None:
    refs = [there.available("quick") for _ in range(3)]

    assert start("--max-jobs", "2").ended() == 0
    assert sorted(there.state(ref) for ref in refs) == ["available", "completed", "completed"]


def test_it_takes_from_the_queues_that_were_named(start: Start, there: There) -> None:
    mail, other = there.available("quick", queue="mail"), there.available("quick", queue="other")

    assert start("--burst", "-Q", "mail").ended() == 0
    assert (there.state(mail), there.state(other)) == ("completed", "available")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_lets_running_jobs_end(stop: signal.Signals, start: Start, there: There, gate: Gate) -> None:
    ref = there.available("patient")
    worker = start()
    gate.wait_until_it_is_there()

    worker.send(stop)
    worker.hear(rf"worker stopping \({stop.name}\): 1 running")
    gate.open()

    assert worker.ended() == 0
    assert there.state(ref) == "completed"


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_second_signal_stops_now_and_the_jobs_go_back(
    stop: signal.Signals, code: int, start: Start, there: There
) -> None:
    ref = there.available("endless")
    worker = start()
    worker.hear("endless .* started")

    worker.send(signal.SIGTERM)
    worker.hear("worker stopping")
    worker.send(stop)

    assert worker.ended() == code
    job = there.job(ref)
    assert (job.state, job.attempt) == ("available", 0)
    assert "1 jobs went back" in worker.text


def test_a_drain_that_takes_too_long_gives_the_jobs_back(start: Start, there: There) -> None:
    ref = there.available("endless")
    worker = start("--shutdown-timeout", "100ms")
    worker.hear("endless .* started")

    worker.send(signal.SIGTERM)

    assert worker.ended() == 0
    assert there.state(ref) == "available"


@pytest.mark.parametrize("quiet", [signal.SIGUSR1, signal.SIGTSTP])
def test_a_quiet_worker_takes_no_more_jobs_but_stays(
    quiet: signal.Signals, start: Start, there: There, gate: Gate
) -> None:
    running = there.available("patient")
    worker = start()
    gate.wait_until_it_is_there()

    worker.send(quiet)
    worker.hear(rf"worker quiet \({quiet.name}\): it takes no more jobs, 1 running")
    later = there.available("quick")
    gate.open()
    worker.hear("patient .* completed")
    worker.send(signal.SIGTERM)

    assert worker.ended() == 0
    assert (there.state(running), there.state(later)) == ("completed", "available")


def test_time_that_is_over_stops_a_worker_now(start: Start, there: There) -> None:
    ref = there.available("endless")

    assert start("--within", "700ms").ended() == 124
    assert there.state(ref) == "available"


def test_logs_are_json_for_machines(start: Start) -> None:
    worker = start("--burst", LOG_FORMAT="")

    worker.ended()

    first = json.loads(worker.said[0])
    assert (first["level"], first["origin"], first["queues"]) == ("info", "default", ["default"])


def test_quiet_logs_only_what_is_wrong(start: Start) -> None:
    worker = start("--burst", "-q")

    assert (worker.ended(), worker.text) == (0, "")


def test_the_storage_that_is_not_there_is_a_sentence_and_a_code(start: Start) -> None:
    worker = start("--url", "sqlite:////nowhere/at/all.db")

    assert worker.ended() == 5
    assert worker.text.startswith("error: sqlite:////nowhere/at/all.db cannot be opened")


def test_a_schema_that_does_not_fit_is_a_sentence_and_a_code(start: Start, ferryman: Typed) -> None:
    ferryman("migrate up --line main --to 5")

    worker = start()

    assert worker.ended() == 1
    assert worker.text.startswith("error: The database is at River migration 5")
