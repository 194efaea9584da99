"""What goes wrong outside a command: the URL, the file, the settings; and every error's exit code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faces.there import There
from faces.typed import Typed
from ferryman import errors
from ferryman.cli.failures import GroupNotFound, Refused, asks_for_json, code_of, exit_code

EXITS = {
    errors.ConfigError: 2,
    errors.InvalidJob: 2,
    errors.InvalidArguments: 2,
    errors.MissingExtra: 2,
    errors.Unsupported: 2,
    errors.JobNotFound: 3,
    errors.QueueNotFound: 3,
    errors.ScheduleNotFound: 3,
    errors.BulkNotFound: 3,
    errors.UnknownTask: 3,
    errors.DuplicateJob: 4,
    errors.WrongState: 4,
    errors.StorageUnavailable: 5,
    errors.Forbidden: 5,
    errors.StorageError: 1,
    errors.SchemaOutOfDate: 1,
    GroupNotFound: 3,
    Refused: 6,
}


def every(error: type[errors.FerrymanError]) -> set[type[errors.FerrymanError]]:
    return {error}.union(*(every(below) for below in error.__subclasses__()))


@pytest.mark.parametrize("kind", EXITS, ids=lambda kind: kind.__name__)
def test_each_error_has_its_exit_code(kind: type[errors.FerrymanError]) -> None:
    assert exit_code(kind.__new__(kind)) == EXITS[kind]


def test_every_error_has_an_exit_code_that_a_script_can_tell() -> None:
    public = {getattr(errors, name) for name in errors.__all__} - {errors.FerrymanError}

    assert public <= EXITS.keys()
    assert {exit_code(kind.__new__(kind)) for kind in every(errors.FerrymanError)} <= {1, 2, 3, 4, 5, 6}


def test_an_error_is_named_in_json_by_its_class() -> None:
    assert code_of(errors.ConfigError("")) == "config_error"
    assert code_of(errors.SchemaOutOfDate("")) == "schema_out_of_date"


@pytest.mark.parametrize(
    ("args", "otherwise", "expected"),
    [
        (["job", "list"], None, False),
        (["job", "list", "--json"], None, True),
        (["-o", "json", "job", "list"], None, True),
        (["--output=jsonl", "job"], None, True),
        (["-ojson", "job"], None, True),
        (["job", "-o"], None, False),
        (["job", "-o", "table"], "json", False),
        (["job"], "json", True),
        (["enqueue", "--", "--json"], None, False),
    ],
)
def test_json_errors_are_for_whoever_asks_for_json(args: list[str], otherwise: str | None, expected: bool) -> None:
    assert asks_for_json(args, otherwise) is expected


@pytest.mark.parametrize(
    ("url", "code", "complaint"),
    [
        ("localhost:6379", 2, '--url is "localhost:6379", which has no scheme'),
        ("nosql://x", 2, "there is no storage for nosql://"),
        ("sqlite://x.db", 2, "sqlite:///x.db"),
        ("sqlite:///x.db?color=red", 2, "unknown option color"),
        ("sqlite:////nowhere/at/all/x.db", 5, "cannot be opened"),
        ("sqlite:///.", 5, "cannot be opened"),
        ("sqlite:///shop.py", 1, "file is not a database. Name another file"),
    ],
)
def test_a_wrong_url_is_a_sentence(url: str, code: int, complaint: str, ferryman: Typed) -> None:
    answer = ferryman("job", "list", "--url", url)

    assert (answer.code, answer.out) == (code, "")
    assert answer.err.count("\n") == 1
    assert complaint in answer.err


def test_a_url_from_elsewhere_is_named_by_its_place(
    ferryman: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "own.py").write_text('from ferryman import Ferryman\njobs = Ferryman("nowhere")\n')
    assert ferryman("job list --app own:jobs").err.startswith('error: The URL is "nowhere"')
    monkeypatch.setenv("FERRYMAN_URL", "nowhere")
    assert ferryman("job list").err.startswith('error: FERRYMAN_URL is "nowhere"')


def test_passwords_are_not_printed(ferryman: Typed) -> None:
    assert "secret" not in ferryman("job list --url nosql://ada:secret@host/0").err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_may_not_be_written_is_unavailable(ferryman: Typed, there: There, folder: Path) -> None:
    there.available()
    (folder / "ferryman.db").chmod(0o444)

    assert ferryman("enqueue report").code == 5


def test_settings_come_from_the_file_that_is_named(
    ferryman: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "other.toml").write_text('url = "sqlite:///other.db"\nconcurrency = 3\n')

    assert (
        "3 slots, storage sqlite:///other.db (from other.toml)"
        in ferryman("worker shop:jobs --check -c other.toml").err
    )
    monkeypatch.setenv("FERRYMAN_CONFIG", "other.toml")
    assert "(from other.toml)" in ferryman("worker shop:jobs --check").err
    assert "(from --url)" in ferryman("worker shop:jobs --check --url sqlite:///third.db").err


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "The settings file other.toml cannot be read"),
        ("url = ", "other.toml is not TOML"),
        ("colour = 1", 'other.toml has no setting "colour"'),
    ],
)
def test_a_wrong_settings_file_is_a_sentence(text: str | None, complaint: str, ferryman: Typed, folder: Path) -> None:
    if text is not None:
        (folder / "other.toml").write_text(text)

    answer = ferryman("job list -c other.toml")

    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err


def test_the_environment_chooses_the_output_and_a_flag_wins(ferryman: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRYMAN_OUTPUT", "json")
    assert ferryman("failed").data == []
    assert ferryman("failed -o ids").out == ""
    assert ferryman("-o ids failed").out == ""
    assert ferryman("job show 9").error["code"] == "job_not_found"
    monkeypatch.setenv("FERRYMAN_OUTPUT", "yaml")
    assert 'FERRYMAN_OUTPUT is "yaml"' in ferryman("failed").err


def test_a_wrong_setting_in_the_environment_is_named(ferryman: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRYMAN_CONCURRENCY", "ten")

    answer = ferryman("job list --json")

    assert answer.code == 2
    assert answer.error["detail"].startswith('FERRYMAN_CONCURRENCY is "ten".')


@pytest.mark.parametrize(
    "words", ["jobs", "job lst", "job list --since", "--nope", "failed --within x", "failed --within 0"]
)
def test_wrong_usage_names_the_help_to_read(words: str, ferryman: Typed) -> None:
    answer = ferryman(words)

    assert (answer.code, answer.out) == (2, "")
    assert "\nTry: ferryman" in answer.err
    in_json = ferryman(f"--json {words}").error
    assert in_json["code"] == "usage"
    assert in_json["hint"].startswith("Try: ferryman")
