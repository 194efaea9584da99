"""`ferryman worker --processes N`: several processes under one supervisor."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from faces.process import Process
from faces.slow import SLOW, Gate
from faces.there import There

pytestmark = pytest.mark.slow


@pytest.fixture
def pair(folder: Path) -> Iterator[Process]:
    """Two worker processes under one supervisor, both ready."""
    (folder / "slow.py").write_text(SLOW)
    with Process("worker", "slow:jobs", "--processes", "2", folder=folder) as supervisor:
        supervisor.hear("worker ready")
        supervisor.hear("worker ready")
        yield supervisor


def pids(supervisor: Process) -> set[int]:
    return {child.pid for child in psutil.Process(supervisor.process.pid).children()}


def test_several_processes_work_side_by_side(pair: Process) -> None:
    assert len(pids(pair)) == 2
    assert "process 1 started" in pair.text
    assert "process 2 started" in pair.text


def test_one_that_dies_is_replaced(pair: Process) -> None:
    victim, survivor = pids(pair)

    os.kill(victim, signal.SIGKILL)
    pair.hear(rf"\(pid {victim}\) was ended by signal 9; it is started again in 0.5 s")
    pair.hear("worker ready")

    assert survivor in pids(pair)
    assert len(pids(pair)) == 2


def test_one_that_has_grown_too_large_says_so_and_is_replaced(folder: Path) -> None:
    (folder / "slow.py").write_text(SLOW)
    with Process("worker", "slow:jobs", "--processes", "2", "--max-rss", "1MiB", folder=folder) as supervisor:
        supervisor.hear(r"worker stopping \(it has grown to [\d,]+ MiB, and --max-rss is 1 MiB\): 0 running")
        supervisor.hear(r"ended with exit code 75; it is started again in 0.5 s")
        supervisor.send(signal.SIGTERM)

        assert supervisor.ended() == 0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_them_all_and_all_is_well(stop: signal.Signals, pair: Process) -> None:
    pair.send(stop)
    pair.hear(rf"worker stopping \({stop.name}\)")
    pair.hear(rf"worker stopping \({stop.name}\)")

    assert pair.ended() == 0


def test_ctrl_c_in_a_terminal_reaches_each_worker_once(pair: Process, there: There, gate: Gate) -> None:
    ref = there.available("patient")
    gate.wait_until_it_is_there()
    assert os.getpgid(pair.process.pid) not in {os.getpgid(pid) for pid in pids(pair)}

    os.killpg(pair.process.pid, signal.SIGINT)  # a terminal tells the whole foreground group
    pair.hear("worker stopping")
    pair.hear("worker stopping")
    gate.open()

    assert pair.ended() == 0
    assert there.state(ref) == "completed"


def test_the_second_signal_is_passed_on_too(pair: Process, there: There) -> None:
    ref = there.available("endless")
    pair.hear("endless .* started")

    pair.send(signal.SIGTERM)
    pair.hear("worker stopping .*1 running")
    pair.send(signal.SIGINT)

    assert pair.ended() == 130
    assert there.state(ref) == "available"


def test_quiet_is_passed_on_and_who_dies_then_is_not_replaced(pair: Process) -> None:
    pair.send(signal.SIGTSTP)
    pair.hear("worker quiet")
    pair.hear("worker quiet")
    victim, _ = pids(pair)

    os.kill(victim, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(victim)] if psutil.pid_exists(victim) else [], timeout=60)
    pair.send(signal.SIGTERM)

    assert pair.ended() == 137
    assert pair.text.count("started (pid") == 2


def test_no_worker_outlives_its_supervisor(pair: Process) -> None:
    children = [psutil.Process(pid) for pid in pids(pair)]

    pair.send(signal.SIGKILL)
    pair.hear(r"worker stopping \(the supervisor has ended\)")

    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []


def test_a_burst_is_over_when_all_have_ended(folder: Path, there: There) -> None:
    (folder / "quick.py").write_text("from shop import jobs\n@jobs.task('quick')\ndef quick() -> None: ...\n")
    refs = [there.available("quick") for _ in range(5)]

    with Process("worker", "quick:jobs", "--processes", "2", "--burst", folder=folder) as supervisor:
        assert supervisor.ended() == 0

    assert {there.state(ref) for ref in refs} == {"completed"}


def test_an_app_that_cannot_be_had_is_not_tried_again_and_again(folder: Path) -> None:
    with Process("worker", "nowhere:jobs", "--processes", "2", folder=folder) as supervisor:
        assert supervisor.ended() == 2

    assert "There is no module nowhere" in supervisor.text
    assert "started again" not in supervisor.text
