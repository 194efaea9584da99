"""What the command line and the log hide, and how it is shown all the same."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from faces.there import There
from faces.typed import Typed
from ferryman import logs
from ferryman.cli import ending
from ferryman.cli.failures import report
from ferryman.cli.session import Session
from ferryman.errors import StorageUnavailable
from ferryman.events import EventBus, StorageLost
from storage.samples import discarded


@pytest.mark.parametrize(
    "words",
    [
        "job show {}",
        "job show {} --json",
        "job show {} --follow",
        "job show {} --attempts",
        "job show {} --raw",
        "job list -o wide",
        "failed --list -o jsonl",
    ],
)
def test_arguments_and_errors_are_shown_without_secrets(words: str, ferryman: Typed, there: There) -> None:
    ref = there.failed("ConnectionError: postgres://ada:hunter2@db refused", args=b'{"password":"hunter2"}')

    assert "hunter2" not in ferryman(words.format(ref)).out
    assert "hunter2" in ferryman(words.format(ref) + " --show-secrets").out


def test_what_a_job_that_was_waited_for_failed_with_is_said_without_secrets(
    ferryman: Typed, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(seconds: float) -> None:
        (job,) = there.storage.jobs.fetch([("default", 1)], limit=1, kinds=None, worker="w1")
        there.storage.jobs.finish([discarded(job, "password=hunter2 refused")])

    monkeypatch.setattr(ending, "time", SimpleNamespace(sleep=meanwhile))

    answer = ferryman("enqueue report --wait")

    assert "refused" in answer.err
    assert "hunter2" not in answer.err


def test_groups_of_failures_are_shown_without_secrets(ferryman: Typed, there: There) -> None:
    there.failed("LoginError: password=hunter2 refused")

    assert "hunter2" not in ferryman("failed").out


def test_what_is_hidden_cannot_be_guessed_by_looking_for_it(ferryman: Typed, there: There) -> None:
    there.available(args=b'{"password":"hunter2"}')

    answer = ferryman("job list --args password=hunter2")

    assert (answer.code, answer.out) == (6, "")
    assert 'What stands under "password" is hidden' in answer.err
    assert len(ferryman("job list --args password=hunter2 --show-secrets -o ids").lines) == 1


def test_what_goes_wrong_is_said_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    session, error = Session(), StorageUnavailable("redis://ada:hunter2@db refused")

    report(error, safe=session.safe, as_json=False, color=False)

    assert capsys.readouterr().err == "error: redis://ada:***@db refused\n"


def test_the_log_hides_them_too(caplog: pytest.LogCaptureFixture) -> None:
    bus = EventBus()
    logs.subscribe(bus)

    bus.publish(StorageLost(StorageUnavailable("redis://ada:hunter2@db refused")))

    (line,) = caplog.records
    assert line.getMessage() == "storage does not answer: redis://ada:***@db refused"
    assert "hunter2" not in str(vars(line))


def test_the_settings_say_what_else_is_hidden_and_what_is_not(
    ferryman: Typed, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRYMAN_HIDE_NAMES", "phone")
    monkeypatch.setenv("FERRYMAN_SHOW_NAMES", "session")
    monkeypatch.setenv("FERRYMAN_HIDE_ARGS", "payment:*")
    mail = there.available(args=b'{"phone":"12345","session":"four"}')
    payment = there.available(kind="payment:book", args=b'{"cents":777}')

    shown = ferryman(f"job show {mail} {payment} --json").out

    assert "four" in shown
    assert "12345" not in shown
    assert "777" not in shown
