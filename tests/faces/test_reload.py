"""`ferryman worker --reload`: anew at each change of the code."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from faces.process import Process
from faces.there import There
from faces.typed import Typed

pytestmark = pytest.mark.slow

ENDLESS = """
import asyncio
from shop import jobs

@jobs.task("endless")
async def endless() -> None:
    await asyncio.Event().wait()
"""


@pytest.fixture
def reloading(folder: Path) -> Iterator[Process]:
    """A worker that watches the folder, ready."""
    with Process("worker", "shop:jobs", "--reload", folder=folder) as process:
        process.hear("worker ready: 2 kinds")
        yield process


def test_a_change_starts_it_anew(reloading: Process, folder: Path) -> None:
    more = "@jobs.task('more')\ndef more() -> None: ...\n"
    (folder / "shop.py").write_text((folder / "shop.py").read_text() + more)

    reloading.hear("shop.py changed: starting anew")
    reloading.hear("worker stopped")
    reloading.hear("worker ready: 3 kinds")
    reloading.send(signal.SIGTERM)

    assert reloading.ended() == 0


def test_code_that_cannot_be_imported_is_shown_and_survived(reloading: Process, folder: Path) -> None:
    good = (folder / "shop.py").read_text()

    (folder / "shop.py").write_text("import nix\n")
    reloading.hear("error: shop cannot be imported: ModuleNotFoundError: No module named 'nix'")
    reloading.hear("ended with exit code 2; it is started again at the next change")
    (folder / "shop.py").write_text(good)

    reloading.hear("worker ready: 2 kinds")


def test_a_change_gives_running_jobs_a_little_time_only(folder: Path, there: There) -> None:
    (folder / "slow.py").write_text(ENDLESS)
    ref = there.available("endless")
    words = ("worker", "slow:jobs", "--reload", "--shutdown-timeout", "100ms")
    with Process(*words, folder=folder) as reloading:
        reloading.hear(f"endless {ref} started")

        (folder / "slow.py").touch()

        reloading.hear(f"endless {ref} went back unfinished")
        reloading.hear(f"endless {ref} started")
        reloading.send(signal.SIGTERM)
        assert reloading.ended() == 0


def test_ctrl_c_ends_it_also_while_nothing_runs(reloading: Process, folder: Path) -> None:
    (folder / "shop.py").write_text("import nix\n")
    reloading.hear("started again at the next change")

    reloading.send(signal.SIGINT)

    assert reloading.ended() == 0


def test_without_watchfiles_it_says_what_to_install(ferryman: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferryman.cli.watching.find_spec", lambda name: None)

    answer = ferryman("worker shop:jobs --reload")

    assert (answer.code, answer.out) == (2, "")
    assert 'Run: pip install "ferryman[reload]"' in answer.err
