"""Finding the app: --app, FERRYMAN_APP, and what is said when it cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from faces.typed import Typed


def test_check_lists_the_tasks_without_connecting(ferryman: Typed, folder: Path) -> None:
    answer = ferryman("worker shop:jobs --check -Q mail:3 --concurrency 4")

    assert answer.code == 0
    assert [row.split() for row in answer.lines] == [
        ["KIND", "RUNS", "IN", "QUEUE", "RETRIES", "TIMEOUT", "SCHEDULE"],
        ["mail:send", "event", "loop", "mail", "3", "5m"],
        ["report", "thread", "@every", "1h"],
    ]
    assert "2 tasks, queues mail, 4 slots, storage sqlite:///ferryman.db (the default)" in answer.err
    assert not (folder / "ferryman.db").exists()


def test_check_is_for_scripts_too(ferryman: Typed) -> None:
    assert ferryman("worker shop:jobs --check --json").data == [
        {"kind": "mail:send", "run": "async", "schedules": []},
        {"kind": "report", "run": "thread", "schedules": ["@every 1h"]},
    ]


def test_the_app_may_be_named_in_three_ways(ferryman: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ferryman("worker shop:jobs --check").out
    assert ferryman("worker --app shop:jobs --check").out == expected
    assert ferryman("--app shop:jobs worker --check").out == expected
    monkeypatch.setenv("FERRYMAN_APP", "shop:jobs")
    assert ferryman("worker --check").out == expected


def test_the_app_that_is_typed_last_wins(ferryman: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRYMAN_APP", "nowhere:jobs")

    assert ferryman("worker shop:jobs --app elsewhere:jobs --check").code == 0


def test_what_an_app_prints_at_import_is_no_data(ferryman: Typed, folder: Path) -> None:
    (folder / "loud.py").write_text('print("hello")\nfrom shop import jobs\n')

    answer = ferryman("job list --app loud:jobs --json")

    assert answer.data == []
    assert answer.err == "hello\n"


def test_an_app_brings_its_own_storage(ferryman: Typed, folder: Path) -> None:
    (folder / "own.py").write_text('from ferryman import Ferryman\njobs = Ferryman("sqlite:///own.db")\n')

    assert ferryman("job list --app own:jobs").code == 0
    assert (folder / "own.db").exists()
    assert not (folder / "ferryman.db").exists()


@pytest.mark.parametrize(
    ("app", "complaint"),
    [
        ("shop", "not of the form MODULE:NAME"),
        (":jobs", "not of the form MODULE:NAME"),
        ("shop:", "not of the form MODULE:NAME"),
        ("shop.py:jobs", "Write it as Python imports it: shop:jobs"),
        ("./app/shop.py:jobs", "Write it as Python imports it: app.shop:jobs"),
        ("nowhere:jobs", "There is no module nowhere."),
        ("shop.nowhere:jobs", "There is no module shop.nowhere."),
        ("shop:job", 'shop has no "job". Write shop:jobs.'),
        ("shop:jobs.nope", 'shop has no "jobs.nope"'),
        ("shop:unused", "shop:unused is a dict and not a Ferryman. Write shop:jobs."),
        ("empty:jobs", 'empty has no "jobs". It has no Ferryman at all'),
        ("broken:jobs", "broken cannot be imported: ModuleNotFoundError: No module named 'nix' (broken.py, line 2)."),
        ("inner:jobs", "inner cannot be imported: ModuleNotFoundError: No module named 'nix' (broken.py, line 2)."),
        ("syntax:jobs", "(syntax.py, line 1)"),
        ("quits:jobs", "quits cannot be imported: SystemExit: 3 (quits.py, line 1)"),
    ],
)
def test_an_app_that_cannot_be_had_is_a_sentence(app: str, complaint: str, ferryman: Typed, folder: Path) -> None:
    (folder / "empty.py").write_text("")
    (folder / "broken.py").write_text("\nimport nix\n")
    (folder / "inner.py").write_text("import broken\n")
    (folder / "syntax.py").write_text("def f(:\n")
    (folder / "quits.py").write_text("raise SystemExit(3)\n")

    answer = ferryman(f"worker {app} --check")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert complaint in answer.err


def test_a_worker_needs_an_app(ferryman: Typed) -> None:
    answer = ferryman("worker")

    assert answer.code == 2
    assert "ferryman worker app.main:jobs" in answer.err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("--concurrency ten", 'concurrency is "ten"'),
        ("--concurrency 0", "concurrency is 0"),
        ("-Q a:x", 'queues is "a:x"'),
        ("-Q a:0", 'queues is "a:0"'),
        ("--shutdown-timeout -1s", "shutdown_timeout"),
        ("--processes 0", "--processes"),
        ("--processes 2 --reload", "Give one of them"),
        ("--max-jobs 0", "--max-jobs"),
        ("--max-rss much", "such as 512MiB"),
        ("--url nowhere", '--url is "nowhere", which has no scheme'),
    ],
)
def test_wrong_worker_options_are_found_before_it_starts(options: str, complaint: str, ferryman: Typed) -> None:
    answer = ferryman(f"worker shop:jobs --check {options}")

    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err


def test_a_task_whose_arguments_cannot_travel_is_found_by_check(ferryman: Typed, folder: Path) -> None:
    (folder / "odd.py").write_text("from shop import jobs\n@jobs.task('odd')\ndef odd(*numbers: int) -> None: ...\n")

    answer = ferryman("worker odd:jobs --check")

    assert (answer.code, answer.out) == (2, "")
    assert "*numbers" in answer.err
