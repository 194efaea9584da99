"""What only a real process can show: a terminal, a closed pipe, Ctrl-C, a full disk, time that is over."""

from __future__ import annotations

import re
import shlex
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from faces.process import Process
from faces.terminal import FERRYMAN, on_a_terminal
from faces.there import There
from ferryman.cli.session import Session
from ferryman.job import NewJob
from storage.samples import EVERYTHING

pytestmark = pytest.mark.slow


def test_a_table_fits_its_terminal_and_is_coloured(there: There) -> None:
    there.failed("ValueError: " + "a very long story " * 10)

    code, shown = on_a_terminal("failed")

    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown.splitlines()]
    (row,) = [line for line in lines if "ValueError" in line]
    assert code == 0
    assert row.endswith("…")
    assert len(row) == 60
    assert "\x1b[31mdiscarded\x1b[0m" in on_a_terminal("job", "list")[1]


@pytest.mark.parametrize(("words", "environment"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"})])
def test_colour_can_be_declined(words: list[str], environment: dict[str, str], there: There) -> None:
    there.failed()

    for command in (["job", "show", "1"], ["job", "show", "99"]):
        assert "\x1b" not in on_a_terminal(*command, *words, **environment)[1]


@pytest.mark.parametrize(("answer", "code", "gone"), [("y\n", 0, True), ("n\n", 6, False), ("\n", 6, False)])
def test_a_person_is_asked_before_a_job_is_deleted(answer: str, code: int, gone: bool, there: There) -> None:
    ref = there.failed()

    ended, shown = on_a_terminal("job", "delete", ref, answer=answer)

    assert f"Delete job {ref} for good? [y/N]: " in shown
    assert ended == code
    assert (on_a_terminal("job", "show", ref)[0] == 3) is gone


def test_ids_are_not_waited_for_on_a_terminal() -> None:
    code, shown = on_a_terminal("job", "retry", "-")

    assert code == 2
    assert "stdin is a terminal" in shown


def test_json_is_easy_to_read_on_a_terminal() -> None:
    assert '{\n  "v": 1,\n  "data": [],' in on_a_terminal("failed", "--json")[1]


@pytest.mark.parametrize("words", ["job list --all", "job list --all -o jsonl"])
def test_a_reader_that_has_enough_is_no_error(words: str, there: There) -> None:
    there.storage.jobs.insert([NewJob(kind="report") for _ in range(3_000)])
    process = subprocess.Popen(
        [*FERRYMAN, *words.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert process.stderr is not None

    process.stdout.readline()
    process.stdout.close()

    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


def test_a_full_disk_is_a_sentence(there: There) -> None:
    there.available()
    with Path("/dev/full").open("w") as full:
        for words in (["job", "list"], ["job", "list", "-o", "ids"], ["--help"]):
            result = subprocess.run([*FERRYMAN, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            assert result.returncode == 1
            assert result.stderr == "error: The system refused: [Errno 28] No space left on device.\n"


def test_who_closed_everything_is_told_nothing_and_has_his_job(there: There) -> None:
    closed = f"exec {shlex.join(FERRYMAN)} enqueue report <&- >&- 2>&-"

    assert subprocess.run(["sh", "-c", closed], check=False).returncode == 0
    assert [job.kind for job in there.storage.jobs.list(EVERYTHING).items] == ["report"]


def test_a_closed_stdout_is_no_error(there: There) -> None:
    there.available()
    for words in ("job list --json", "--help", "version"):
        result = subprocess.run(
            ["sh", "-c", f"exec {shlex.join(FERRYMAN)} {words} >&-"], capture_output=True, check=False
        )
        assert (result.returncode, result.stderr) == (0, b"")


def test_ctrl_c_is_quiet_and_says_so_in_its_code(folder: Path) -> None:
    # An app whose import does not end until we let go: by then the command has surely begun.
    (folder / "waits.py").write_text("import sys\nprint('here', file=sys.stderr, flush=True)\nsys.stdin.read()\n")
    with Process("job", "list", "--app", "waits:jobs", folder=folder) as process:
        process.hear("here")

        process.send(signal.SIGINT)

        assert process.ended() == 130
        assert process.text.strip() == "here"


def test_time_that_is_over_ends_a_command_whatever_it_waits_for(folder: Path, there: There) -> None:
    other = sqlite3.connect(folder / "ferryman.db", isolation_level=None)
    other.execute("begin immediate")
    try:
        with Process("enqueue", "report", "--within", "200ms", folder=folder) as process:
            assert process.ended() == 124
        assert process.text == "error: This took longer than 0.2 s (--within) and was given up.\n"
        with Process("enqueue", "report", "--within", "200ms", "--json", folder=folder) as process:
            assert process.ended() == 124
        assert '"code":"timed_out"' in process.text
    finally:
        other.execute("rollback")
        other.close()


def test_a_command_that_ends_in_time_is_not_ended(folder: Path) -> None:
    with Process("failed", "--within", "1h", folder=folder) as process:
        assert process.ended() == 0


@pytest.mark.parametrize(
    ("said", "env", "shows"), [({}, "", True), ({"no_progress": True}, "", False), ({}, "1", False)]
)
def test_a_line_that_changes_is_for_people_who_watch(
    said: dict[str, bool], env: str, shows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", env)
    session = Session()
    for name, value in said.items():
        setattr(session, name, value)

    assert session.shows_progress is shows
