"""`ferryman enqueue`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from faces.there import There
from faces.typed import Typed
from ferryman.cli import ending
from ferryman.job import Job
from ferryman.outcome import Finished
from storage.samples import completed, discarded

WITH_APP = ("--app", "shop:jobs")


def test_a_job_is_stored_and_its_id_printed(ferryman: Typed, there: There) -> None:
    answer = ferryman("enqueue", "mail:send", "-l", '{"to": "ada",  "n": 1.0}')

    (ref,) = answer.lines
    job = there.job(ref)
    assert (answer.code, answer.err) == (0, "")
    assert (job.kind, job.args, job.state, job.queue) == ("mail:send", b'{"to":"ada","n":1.0}', "available", "default")


def test_arguments_may_follow_the_kind_but_are_given_once(ferryman: Typed, there: There) -> None:
    given = ferryman("enqueue", "mail:send", '{"to": "ada"}')
    twice = ferryman("enqueue", "mail:send", '{"to": "ada"}', "-l", "{}")

    assert there.job(given.lines[0]).args == b'{"to":"ada"}'
    assert (twice.code, twice.lines, "given twice" in twice.err) == (2, [], True)


def test_arguments_come_from_a_file_or_from_stdin(ferryman: Typed, there: There, folder: Path) -> None:
    (folder / "args.json").write_text('{"to": "file"}')

    from_file = ferryman("enqueue mail:send -l @args.json").lines[0]
    from_stdin = ferryman("enqueue mail:send --args -", stdin='{"to": "stdin"}').lines[0]

    assert (there.job(from_file).args, there.job(from_stdin).args) == (b'{"to":"file"}', b'{"to":"stdin"}')


def test_options_become_the_jobs_own(ferryman: Typed, there: There) -> None:
    answer = ferryman(
        "enqueue report -Q low --retries 2 --priority 3 --tag one --tag two --timeout 5m --retention 24h "
        "--deadline 2031-01-01T00:00Z --at 2030-06-01T08:00 --tz Europe/Berlin"
    )

    job = there.job(answer.lines[0])
    assert (job.queue, job.max_attempts, job.priority, job.tags) == ("low", 3, 3, ("one", "two"))
    assert (job.timeout, job.retention, job.deadline) == (300.0, 86_400.0, datetime(2031, 1, 1, tzinfo=UTC))
    assert (job.state, job.scheduled_at) == ("scheduled", datetime(2030, 6, 1, 6, tzinfo=UTC))


def test_a_job_may_wait(ferryman: Typed, there: There) -> None:
    job = there.job(ferryman("enqueue report --in 10m").lines[0])

    assert job.state == "scheduled"
    assert timedelta(minutes=9) < job.scheduled_at - datetime.now(UTC) <= timedelta(minutes=10)


def test_json_says_what_became_of_it(ferryman: Typed, there: There) -> None:
    answer = ferryman("enqueue report --in 10m --json")

    (stored,) = answer.data
    assert stored == {"ref": stored["ref"], "state": "scheduled", "duplicate": False}
    assert there.state(stored["ref"]) == "scheduled"


@pytest.mark.parametrize("within", ["1h", "always"])
def test_a_unique_job_that_is_there_already_is_a_conflict(within: str, ferryman: Typed, there: There) -> None:
    first = ferryman(f"enqueue report --unique {within}")
    again = ferryman(f"enqueue report --unique {within}")

    assert (first.code, again.code) == (0, 4)
    assert again.out == first.out
    assert "is there already" in again.err
    assert ferryman("job list -o ids").lines == first.lines


def test_white_space_makes_no_other_job(ferryman: Typed) -> None:
    words = ("enqueue", "report", "--unique", "always", "-l")

    first = ferryman(*words, '{"month": 5}')

    assert ferryman(*words, '{"month":5}').out == first.out
    assert ferryman(*words, '{ "month" : 6 }').out != first.out


def test_the_apps_task_adds_its_own_options_and_defaults(ferryman: Typed, there: There) -> None:
    answer = ferryman("enqueue", "mail:send", "-l", '{"to": "ada"}', *WITH_APP)

    job = there.job(answer.lines[0])
    assert (job.queue, job.max_attempts, job.args) == ("mail", 4, b'{"to":"ada","copies":1}')


def test_what_is_said_here_wins_over_the_task(ferryman: Typed, there: There) -> None:
    answer = ferryman("enqueue", "mail:send", "-l", '{"to": "ada"}', "--retries", "0", "-Q", "urgent", *WITH_APP)

    job = there.job(answer.lines[0])
    assert (job.queue, job.max_attempts) == ("urgent", 1)


@pytest.mark.parametrize("args", ['{"to": 5}', "{}", "[]", '{"to": "ada", "copies": "two"}'])
def test_the_apps_task_checks_the_arguments(args: str, ferryman: Typed, there: There) -> None:
    answer = ferryman("enqueue", "mail:send", "-l", args, *WITH_APP)

    assert (answer.code, answer.out) == (2, "")
    assert 'do not fit task "mail:send"' in answer.err
    assert ferryman("job list").out == ""


def test_an_argument_that_the_task_does_not_take_is_named(ferryman: Typed) -> None:
    words = ("enqueue", "mail:send", "-l", '{"to": "ada", "copise": 2}', *WITH_APP)

    assert ferryman(*words).err == 'note: The task "mail:send" takes no argument copise.\n'
    assert ferryman(*words, "--json").json["warnings"] == ['The task "mail:send" takes no argument copise.']


def test_a_kind_that_the_app_has_not_is_unknown(ferryman: Typed) -> None:
    answer = ferryman("enqueue", "mail:sned", *WITH_APP)

    assert (answer.code, answer.out) == (3, "")
    assert "It knows mail:send, report." in answer.err


def test_without_an_app_any_kind_may_be_stored(ferryman: Typed, there: There) -> None:
    assert there.job(ferryman("enqueue written-in-go").lines[0]).kind == "written-in-go"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-l", "{to}"], "--args is not JSON"),
        (["-l", ""], "--args is not JSON"),
        (["-l", "@nowhere.json"], "the file nowhere.json, which cannot be read"),
        (["-l", "@."], "cannot be read: Is a directory"),
        (["--in", "-5m"], '--in is wrong. The duration "-5m" is negative'),
        (["--in", "soon"], "--in is wrong"),
        (["--at", "soon"], '--at is "soon"'),
        (["--in", "5m", "--at", "2030-01-01"], "Give one of them"),
        (["--retries", "-1"], "retries is -1"),
        (["--retries", "few"], "not a valid integer"),
        (["--timeout", "x"], "timeout is"),
        (["--deadline", "x"], '--deadline is "x"'),
        (["--unique", "0.5s"], "at least 1 second"),
        (["--unique", "x"], "unique is"),
        (["--priority", "9"], "1 (first) to 4"),
        (["--id", "mine"], "ids are numbers"),
        (["--tag", "x"], 'tag "x"'),
        (["-Q", "Not This"], 'queue name "Not This"'),
        (["--retention", "-1s"], "retention is"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_stored(words: list[str], complaint: str, ferryman: Typed) -> None:
    answer = ferryman("enqueue", "report", *words)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert complaint in answer.err
    assert ferryman("job list").out == ""


def test_a_kind_must_be_named(ferryman: Typed) -> None:
    assert "Missing argument 'KIND'" in ferryman("enqueue").err
    assert ferryman("enqueue x").code == 2


def test_each_line_of_a_file_becomes_a_job(ferryman: Typed, there: There, folder: Path) -> None:
    (folder / "people.jsonl").write_text('{"to": "ada"}\n\n{"to": "bob"}\n')

    answer = ferryman("enqueue mail:send --jsonl people.jsonl --tag many")
    piped = ferryman("enqueue mail:send --jsonl -", stdin='{"to": "eve"}\n')

    assert [(there.job(ref).args, there.job(ref).tags) for ref in answer.lines] == [
        (b'{"to":"ada"}', ("many",)),
        (b'{"to":"bob"}', ("many",)),
    ]
    assert (answer.code, answer.err) == (0, "stored 2, there already 0\n")
    assert there.job(piped.lines[0]).args == b'{"to":"eve"}'


def test_a_line_that_is_no_json_is_named_and_nothing_is_stored(ferryman: Typed) -> None:
    answer = ferryman("enqueue mail:send --jsonl -", stdin='{"to": "ada"}\n{"to"\n')

    assert (answer.code, answer.out, "Line 2" in answer.err) == (2, "", True)
    assert ferryman("job list -o ids").lines == []


def test_jobs_that_were_there_already_are_counted(ferryman: Typed) -> None:
    answer = ferryman("enqueue mail:send --unique 1h --jsonl -", stdin='{"to": "ada"}\n{"to": "ada"}\n')

    assert (answer.code, len(answer.lines), answer.err) == (7, 1, "stored 1, there already 1\n")


@pytest.mark.parametrize(("ends", "code"), [(completed, 0), (discarded, 1)])
def test_waiting_ends_when_the_job_does_and_says_how(
    ends: Callable[[Job], Finished], code: int, ferryman: Typed, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(seconds: float) -> None:
        (job,) = there.storage.jobs.fetch([("default", 1)], limit=1, kinds=None, worker="w1")
        there.storage.jobs.finish([ends(job)])

    monkeypatch.setattr(ending, "time", SimpleNamespace(sleep=meanwhile))

    answer = ferryman("enqueue mail:send --wait")

    assert (answer.code, there.state(answer.lines[0]) in answer.err) == (code, True)
