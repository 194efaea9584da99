"""`ferryman health`, and what a worker answers to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from faces.process import Process
from faces.slow import SLOW
from faces.there import There
from faces.typed import Typed
from ferryman.health.pages import health_pages
from ferryman.health.port import Port
from ferryman.health.vitals import Health
from servers import free_port


@pytest.fixture
def port() -> Iterator[str]:
    """The health port of a worker that is live, and not ready."""
    health = Health(
        live=True,
        started=True,
        ready=False,
        status="quiet",
        loop_age=0.1,
        fetch_age=0.2,
        storage="answers",
        running=1,
    )
    with Port("127.0.0.1:0", health_pages(lambda: health)) as port:
        yield f"http://127.0.0.1:{port.number}"


def probe(*words: str, **environment: str) -> tuple[int, str, str]:
    """Run the command by the short way that `__main__` takes."""
    command = [sys.executable, "-m", "ferryman", "health", *words]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr


def test_a_worker_that_is_well_is_0_and_one_that_is_not_is_1(port: str) -> None:
    assert probe(f"{port}/livez")[0] == 0
    code, out, err = probe(f"{port}/readyz")

    assert (code, out) == (1, "")
    assert err.startswith(f'error: {port}/readyz answered 503: {{"live":true')


def test_without_a_url_it_asks_the_worker_of_this_environment(port: str) -> None:
    code, out, _ = probe(FERRYMAN_HEALTH_ADDR=port.removeprefix("http://"))

    assert (code, out[:12]) == (0, 'ok: {"live":')


def test_the_command_line_proper_says_the_same(port: str, ferryman: Typed) -> None:
    assert ferryman(f"health {port}/livez").out.startswith('ok: {"live":')
    assert ferryman(f"health {port}/readyz").code == 1
    answer = ferryman(f"health {port}/readyz --json")

    assert (answer.code, answer.data[0]["ok"], answer.data[0]["asked"]) == (1, False, f"{port}/readyz")


def test_a_heartbeat_file_is_judged_by_its_age(folder: Path, ferryman: Typed) -> None:
    (folder / "alive").write_text("{}")
    assert probe("--file", "alive")[0] == 0

    hour_ago = time.time() - 3600
    os.utime(folder / "alive", (hour_ago, hour_ago))

    code, _, err = probe("--file", "alive")
    assert (code, err) == (1, "error: The heartbeat file alive is 3600 s old: the worker is not live.\n")
    assert ferryman("health --file alive --max-age 2h").code == 0


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["localhost:8082"], 2, '"localhost:8082" is no address of a health port. Write it like http://'),
        (["https://localhost"], 2, "is no address of a health port"),
        (["http://localhost:x/"], 2, "is no address of a health port"),
        (["http://127.0.0.1:1/livez"], 1, "http://127.0.0.1:1/livez does not answer: Connection refused."),
        (["http://127.0.0.1:99999/"], 2, "is no address of a health port"),
        (["http://no.such.host.invalid/"], 1, "does not answer"),
        (["--file", "."], 2, "The heartbeat file . is a folder."),
        (["--file", "nowhere"], 1, "The heartbeat file nowhere cannot be looked at: No such file or directory."),
    ],
)
def test_what_is_wrong_is_a_sentence_by_either_way(
    words: list[str], code: int, complaint: str, ferryman: Typed
) -> None:
    ended, out, err = probe(*words)
    typed = ferryman("health", *words)

    assert (ended, out, typed.code, typed.out) == (code, "", code, "")
    assert complaint in err
    assert complaint in typed.err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("health http://x --file y", "Give one of them."),
        ("health --max-age 5s", "Name it: --file PATH."),
        ("health --file y --max-age soon", "cannot be read"),
        ("health --nonsense", "No such option"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(words: str, complaint: str, ferryman: Typed) -> None:
    answer = ferryman(words)

    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err


def test_a_page_that_is_not_there_names_those_that_are(port: str) -> None:
    assert "answered 404: There is nothing here. There are: /livez /readyz /startupz" in probe(f"{port}/x")[2]


@pytest.mark.slow
def test_a_worker_answers_on_its_port_and_writes_its_file(folder: Path, there: There) -> None:
    (folder / "slow.py").write_text(SLOW)
    where = f"127.0.0.1:{free_port()}"
    with Process("worker", "slow:jobs", "--health-addr", where, "--heartbeat-file", "alive", folder=folder) as worker:
        worker.hear("worker ready")
        there.available("quick")
        worker.hear("quick .* completed")

        assert [probe(f"http://{where}/{page}")[0] for page in ("livez", "readyz", "startupz")] == [0, 0, 0]
        assert probe("--file", "alive")[0] == 0
        numbers = urlopen(f"http://{where}/metrics").read().decode()
        assert 'ferryman_attempts_total{kind="quick",outcome="ok",queue="default"} 1.0' in numbers
        assert 'ferryman_jobs_finished_total{kind="patient",outcome="failed",queue="default"} 0.0' in numbers
        assert "ferryman_worker_slots 10.0" in numbers
        assert "_created" not in numbers

        worker.process.terminate()
        assert worker.ended() == 0
    assert not (folder / "alive").exists()


@pytest.mark.slow
def test_of_several_processes_only_their_supervisor_has_the_port(folder: Path, there: There) -> None:
    (folder / "slow.py").write_text(SLOW)
    where = f"127.0.0.1:{free_port()}"
    words = ("worker", "slow:jobs", "--processes", "2", "--health-addr", where)
    with Process(*words, folder=folder, FERRYMAN_HEALTH_ADDR=where) as supervisor:
        for _ in range(2):
            supervisor.hear("worker ready")
        there.available("quick")
        supervisor.hear("quick .* completed")
        while probe(f"http://{where}/readyz")[0]:  # each writes its file within a second
            assert supervisor.process.poll() is None

        numbers = urlopen(f"http://{where}/metrics").read().decode()
        assert 'ferryman_attempts_total{kind="quick",outcome="ok",queue="default"} 1.0' in numbers

        supervisor.process.terminate()
        assert supervisor.ended() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--health-addr", "nowhere"], 'The health address is "nowhere". It takes an address and a port'),
        (["--heartbeat-file", "no/such/folder"], "The heartbeat file no/such/folder cannot be written"),
    ],
)
def test_an_address_or_a_file_that_cannot_be_had_is_a_sentence(words: list[str], complaint: str, folder: Path) -> None:
    (folder / "slow.py").write_text(SLOW)
    with Process("worker", "slow:jobs", *words, folder=folder) as worker:
        assert worker.ended() == 2
        assert complaint in worker.text
        assert "Traceback" not in worker.text


def test_an_address_that_somebody_has_is_a_sentence(port: str) -> None:
    from ferryman.errors import ConfigError

    with pytest.raises(ConfigError, match=r"cannot be had: Address already in use\. Name another"):
        Port(port.removeprefix("http://"), {})
