"""`ferryman stats`, `config show` and `completion`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from faces.there import There
from faces.typed import Typed
from ferryman.numbers import Cell, page_of, write_cells
from ferryman.storage.values import Note


def test_jobs_are_weighed_by_kind(ferryman: Typed, there: There) -> None:
    there.completed()
    there.completed()
    there.failed()
    there.completed(kind="report")
    there.available(kind="waiting")

    rows = {row["name"]: row for row in ferryman("stats --json").data}

    assert set(rows) == {"mail:send", "report"}
    assert (rows["mail:send"]["ended"], rows["mail:send"]["failed"]) == (3, 1)
    assert rows["report"]["p50"] < 5
    assert rows["mail:send"]["per_minute"] == 0.05


def test_a_table_is_for_people_and_by_queue_when_asked_for(ferryman: Typed, there: There) -> None:
    there.failed(queue="mail")

    title, row = ferryman("stats --by queue --window 30m").lines

    assert title.split() == ["ENDED", "PER", "MIN", "FAILED", "ERRORS", "P50", "P95", "NAME"]
    assert row.split()[0] == "1"
    assert row.split()[-1] == "mail"
    assert "100.0%" in row


def test_what_workers_counted_goes_before_what_is_stored(ferryman: Typed, there: There) -> None:
    there.failed()
    cell = Cell("default", "mail:send", ok=90, error=10, run={0: 100}, wait={4: 100})
    start = int(datetime.now(UTC).timestamp()) // 60 * 60
    there.storage.notebook.write(
        [Note(page_of(60, start), "w1", write_cells({("default", "mail:send"): cell}), timedelta(hours=1))]
    )

    (row,) = ferryman("stats --json").data

    assert (row["ended"], row["failed"], row["wait_p95"] > 2) == (100, 10, True)
    assert [row["ended"] for row in ferryman("stats --stored --json").data] == [1]


def test_nothing_worked_is_no_failure(ferryman: Typed) -> None:
    answer = ferryman("stats")

    assert (answer.code, answer.out) == (0, "")
    assert answer.err == "No job has ended in this time, or none of them is kept.\n"


@pytest.mark.parametrize("window", ["soon", "0s", "99999999d"])
def test_a_wrong_window_is_a_sentence(window: str, ferryman: Typed) -> None:
    answer = ferryman(f"stats --window {window}")

    assert (answer.code, answer.out) == (2, "")
    assert "--window" in answer.err


def test_each_setting_is_shown_with_its_origin(ferryman: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRYMAN_CONCURRENCY", "7")
    (folder / "ferryman.toml").write_text('timeout = "1m"\nqueues = {mail = 3}\n')

    rows = {row["name"]: row for row in ferryman("config show --url redis://ada:hunter2@db --json").data}

    assert rows["concurrency"] == {"name": "concurrency", "value": 7, "origin": "FERRYMAN_CONCURRENCY"}
    assert rows["timeout"] == {"name": "timeout", "value": 60.0, "origin": "ferryman.toml"}
    assert rows["queues"]["value"] == {"mail": 3}
    assert rows["listen"]["origin"] == "default"
    assert rows["url"] == {"name": "url", "value": "redis://ada:***@db", "origin": "--url"}


def test_settings_are_a_table_for_people(ferryman: Typed) -> None:
    lines = ferryman("config show").lines

    assert lines[0].split() == ["SETTING", "VALUE", "FROM"]
    assert ["queues", "default:1", "default"] in [line.split() for line in lines]


def test_a_wrong_setting_is_a_sentence_there_too(ferryman: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRYMAN_CONCURRENCY", "ten")

    assert 'FERRYMAN_CONCURRENCY is "ten"' in ferryman("config show").err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str, ferryman: Typed) -> None:
    answer = ferryman(f"completion {shell}")

    assert answer.code == 0
    assert f"_FERRYMAN_COMPLETE={shell}_complete" in answer.out
    assert ferryman(f"completion {shell} --json").data[0]["script"].splitlines() == answer.lines


def test_installing_twice_adds_it_once(ferryman: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))

    assert ferryman("completion bash --install").code == 0
    assert "loads it already" in ferryman("completion bash --install").err
    assert (folder / ".bashrc").read_text() == '\neval "$(ferryman completion bash)"\n'


def test_a_shell_that_we_do_not_know_is_a_sentence(ferryman: Typed) -> None:
    assert ferryman("completion tcsh").code == 2


def pressed_tab(*words: str, **environment: str) -> list[str]:
    """Ask as the script for bash does."""
    line = {"COMP_WORDS": " ".join(["ferryman", *words]), "COMP_CWORD": str(len(words))}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv = ['ferryman']; from ferryman.__main__ import main; main()"],
        env={**os.environ, **line, "_FERRYMAN_COMPLETE": "bash_complete", **environment},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return [offered.partition(",")[2] for offered in done.stdout.split()]


def test_tab_offers_what_fits(folder: Path, there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    from ferryman.cli import completing
    from ferryman.cli.root import cli

    there.available(queue="mail")
    monkeypatch.setattr(completing, "_PATIENCE", 30.0)  # what is offered, and not how soon

    from click.shell_completion import ShellComplete

    from ferryman.cli.session import Session

    def tab(args: list[str], start: str) -> list[str]:
        offer = ShellComplete(cli, {"obj": Session()}, "ferryman", "_FERRYMAN_COMPLETE")
        return [each.value for each in offer.get_completions(args, start)]

    assert tab(["queue", "pause"], "m") == ["mail"]
    assert tab(["job", "list", "--queue"], "") == ["mail"]
    assert tab(["job", "list", "--state"], "dis") == ["discarded"]
    assert tab(["--app", "shop:jobs", "enqueue"], "mail") == ["mail:send"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_takes_what_has_colons_for_one_word(folder: Path, ferryman: Typed) -> None:
    echo = folder / "ferryman"
    echo.write_text('#!/bin/sh\necho "plain,$COMP_WORDS:$COMP_CWORD"\necho plain,mail:send\n')
    echo.chmod(0o755)
    press = 'COMP_POINT=${#COMP_LINE}; _ferryman_completion "$PWD/ferryman"; printf "%s\n" "${COMPREPLY[@]}"'

    def offered(line: str, breaks: str = ":") -> list[str]:
        typed = f"COMP_WORDBREAKS={breaks!r}; COMP_LINE={line!r}"
        script = f"complete() {{ :; }}\n{ferryman('completion bash').out}\n{typed}; {press}"
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()

    assert offered("ferryman failed --app shop:jobs ") == ["ferryman failed --app shop:jobs :4", "mail:send"]
    assert offered("ferryman failed --kind mail:s") == ["ferryman failed --kind mail:s:3", "send"]
    assert offered("ferryman failed --kind mail:s", breaks=" ")[1] == "mail:send"


@pytest.mark.slow
def test_tab_is_silent_where_nothing_answers_and_makes_no_file(folder: Path) -> None:
    assert "queue" in pressed_tab("que")
    assert pressed_tab("queue", "pause", "") == []
    assert pressed_tab("queue", "pause", "", FERRYMAN_URL="redis://127.0.0.1:1") == []
    assert pressed_tab("queue", "pause", "", FERRYMAN_URL="nonsense") == []
    assert not (folder / "ferryman.db").exists()
