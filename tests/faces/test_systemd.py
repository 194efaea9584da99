"""What systemd hears of a worker: a unit of Type=notify waits for READY=1, and restarts who is silent."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from faces.process import Process
from faces.slow import SLOW
from ferryman.health.systemd import telling_systemd
from ferryman.health.vitals import Health

WELL = Health(
    live=True, started=True, ready=True, status="active", loop_age=0, fetch_age=0, storage="answers", running=2
)


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(30)
        yield ear


def until(ear: socket.socket, line: str) -> list[str]:
    """Return what is heard up to this line."""
    heard: list[str] = []
    while line not in heard:
        heard.append(ear.recv(1000).decode())
    return heard


def test_it_is_ready_once_and_alive_again_and_again(ear: socket.socket) -> None:
    with telling_systemd(ear.getsockname(), lambda: WELL):
        first, second = until(ear, "WATCHDOG=1"), until(ear, "WATCHDOG=1")
    assert first == ["READY=1", "STATUS=active, 2 running, the storage answers", "WATCHDOG=1"]
    assert "READY=1" not in second
    assert until(ear, "STOPPING=1")


def test_one_that_is_stuck_no_longer_says_that_it_lives(ear: socket.socket) -> None:
    with telling_systemd(ear.getsockname(), lambda: replace(WELL, live=False)):
        heard = until(ear, "STATUS=active, 2 running, the storage answers")
    assert "WATCHDOG=1" not in heard + until(ear, "STOPPING=1")


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_worker_tells_systemd_how_it_is(folder: Path, ear: socket.socket, processes: str) -> None:
    (folder / "slow.py").write_text(SLOW)
    words = ("worker", "slow:jobs", "--processes", processes)
    with Process(*words, folder=folder, NOTIFY_SOCKET=ear.getsockname()) as worker:
        assert "WATCHDOG=1" in until(ear, "READY=1") + until(ear, "WATCHDOG=1")
        worker.send(signal.SIGTERM)
        assert until(ear, "STOPPING=1")
        assert worker.ended() == 0
