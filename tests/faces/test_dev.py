"""`ferryman dev`: web and worker side by side, anew at each change of the code."""

from __future__ import annotations

import re
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from faces.process import Process
from faces.slow import SLOW
from faces.there import There
from faces.typed import Typed
from ferryman.cli.children import Children
from ferryman.cli.console import Console

pytestmark = pytest.mark.slow

PAGE = """
import signal, sys
import shop

def end(number, frame):
    print("page down")
    sys.exit()

signal.signal(signal.SIGTERM, end)
print("page up")
while True:
    signal.pause()
"""


@pytest.fixture
def both(folder: Path) -> Iterator[Process]:
    """A page and a worker that run; which command makes the page stands in the settings file."""
    (folder / "page.py").write_text(PAGE)
    (folder / "ferryman.toml").write_text('web = "python page.py"\n')
    with Process("dev", "shop:jobs", "--no-dashboard", folder=folder) as process:
        hear_both(process)
        yield process


def hear_both(process: Process, *also: str) -> None:
    """Wait until page and worker run, and for what else is said meanwhile; the order is open."""
    left = {r"^ web    \| page up", r"^ worker \| .* worker ready", *also}
    while left:
        line = process.hear("|".join(left)).string
        left -= {pattern for pattern in left if re.search(pattern, line)}


def children(process: Process) -> list[psutil.Process]:
    return psutil.Process(process.process.pid).children()


def test_the_dashboard_is_served_beside_them(folder: Path) -> None:
    with Process("dev", "shop:jobs", "--dashboard-port", "0", folder=folder) as process:
        address = process.hear(r"^ dashboard \| dashboard on (http://127.0.0.1:\d+)")[1]

        with urlopen(f"{address}/-/livez") as answer:
            assert answer.read() == b"ok\n"


def test_a_change_starts_both_anew(both: Process, folder: Path) -> None:
    more = "@jobs.task('more')\ndef more() -> None: ...\n"
    (folder / "shop.py").write_text((folder / "shop.py").read_text() + more)

    hear_both(both, r"^ reload \| shop.py changed: stopped web in \d\.\d s, worker in \d\.\d s; starting anew")

    assert "worker ready: 3 kinds" in both.text
    assert "\x1b" not in both.text


def test_code_that_cannot_be_imported_is_shown_and_leaves_everything_as_it_was(both: Process, folder: Path) -> None:
    good, before = (folder / "shop.py").read_text(), children(both)

    (folder / "shop.py").write_text("import nix\n")
    both.hear(r"^ reload \| ModuleNotFoundError: No module named 'nix'")
    both.hear("shop.py changed, but cannot be imported; what runs goes on as it was")
    assert children(both) == before

    (folder / "shop.py").write_text(good)
    hear_both(both, "shop.py changed: stopped")


def test_what_is_broken_at_the_start_waits_for_a_change(folder: Path) -> None:
    good = (folder / "shop.py").read_text()
    (folder / "shop.py").write_text("import nix\n")
    with Process("dev", "shop:jobs", "--no-dashboard", "--web", "nix-server shop:web", folder=folder) as process:
        process.hear(r"^ web    \| nix-server cannot be started: No such file or directory")
        process.hear(r"^ worker \| error: shop cannot be imported: ModuleNotFoundError")
        process.hear(r"^ worker \| ended with exit code 2; it is started again at the next change")

        (folder / "shop.py").write_text(good)

        process.hear("worker ready: 2 kinds")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_the_page_first_and_then_the_worker(both: Process, stop: signal.Signals) -> None:
    started = children(both)

    both.send(stop)

    assert both.ended() == 0
    assert both.text.index("page down") < both.text.index("worker stopping (SIGTERM)")
    assert "started again" not in both.text
    assert [child for child in started if child.is_running()] == []


def test_the_second_ctrl_c_means_now(folder: Path, there: There) -> None:
    (folder / "slow.py").write_text(SLOW)
    ref = there.available("endless")
    with Process("dev", "slow:jobs", "--no-dashboard", folder=folder) as process:
        process.hear(f"endless {ref} started")

        process.send(signal.SIGINT)
        process.hear("worker stopping .*1 running")
        process.send(signal.SIGINT)

        assert process.ended() == 130
    assert there.state(ref) == "available"


async def test_a_program_that_does_not_end_is_killed_with_what_it_started(folder: Path) -> None:
    code = "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'input()']); print(child.pid)"
    deaf = Children([sys.executable, "-u", "-c", f"{code}; child.wait()"], output=PIPE)
    child = await deaf.start()
    assert child.stdout is not None
    grandchild = psutil.Process(int(await child.stdout.readline()))

    deaf.kill()

    assert await deaf.ended(child) == -signal.SIGKILL
    psutil.wait_procs([grandchild], timeout=60)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_each_program_has_a_colour_where_colour_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    for color in (True, None):
        console = Console(["web", "worker"], color=color)
        console.say("web", "one")
        console.say("worker", "two")

    assert capsys.readouterr().err == (
        "\x1b[36m web    |\x1b[0m one\n\x1b[32m worker |\x1b[0m two\n web    | one\n worker | two\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("dev", "No app is named. Write it like: ferryman dev app.main:jobs"),
        ('dev shop:jobs --web "uvicorn \'x"', "cannot be read: No closing quotation"),
        ("dev shop:jobs --reload-dir nowhere", "Directory 'nowhere' does not exist"),
    ],
)
def test_what_is_wrong_with_the_words_is_a_sentence(words: str, sentence: str, ferryman: Typed) -> None:
    answer = ferryman(words)

    assert (answer.code, answer.out) == (2, "")
    assert sentence in answer.err


def test_without_watchfiles_it_says_what_to_install(ferryman: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferryman.cli.watching.find_spec", lambda name: None)

    assert 'Run: pip install "ferryman[dev]"' in ferryman("dev shop:jobs").err
