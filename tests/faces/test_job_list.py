"""`ferryman job list`."""

from __future__ import annotations

import pytest

from faces.there import There
from faces.typed import Typed


def test_jobs_are_listed_the_newest_first(ferryman: Typed, there: There) -> None:
    first, second = there.available(), there.available("report")

    answer = ferryman("job list")

    assert answer.code == 0
    title, *rows = answer.lines
    assert title.split() == ["ID", "STATE", "KIND", "QUEUE", "ATTEMPT", "WHEN", "ERROR"]
    assert [row.split()[:4] for row in rows] == [
        [second, "available", "report", "default"],
        [first, "available", "mail:send", "default"],
    ]


def test_an_empty_list_is_no_failure_and_nothing_on_stdout(ferryman: Typed) -> None:
    answer = ferryman("job list")

    assert (answer.code, answer.out, answer.err) == (0, "", "No jobs.\n")


def test_json_is_the_envelope_with_everything_about_a_job(ferryman: Typed, there: There) -> None:
    ref = there.failed(tags=("first", "second"))

    answer = ferryman("job list --json")

    assert answer.json | {"data": []} == {
        "v": 1,
        "data": [],
        "next": None,
        "truncated": False,
        "scanned": 1,
        "of": 1,
        "warnings": [],
    }
    (job,) = answer.data
    assert (job["ref"], job["state"], job["args"], job["tags"]) == (
        ref,
        "discarded",
        {"to": "ada"},
        ["first", "second"],
    )
    assert job["errors"][0]["error"] == "ValueError: no such person"
    assert job["created_at"].endswith("Z")


def test_numbers_in_arguments_are_shown_as_they_are_stored(ferryman: Typed, there: There) -> None:
    there.available(args=b'{"n":123456789012345678901234567890,"x":1.10}')

    assert '"args":{"n":123456789012345678901234567890,"x":1.10}' in ferryman("job list --json").out


def test_jsonl_is_a_job_a_line_without_an_envelope(ferryman: Typed, there: There) -> None:
    refs = [there.available(), there.available()]

    lines = ferryman("job list -o jsonl").lines

    assert [line.partition(",")[0] for line in lines] == [f'{{"ref":"{ref}"' for ref in reversed(refs)]


def test_ids_are_for_pipes(ferryman: Typed, there: There) -> None:
    refs = [there.available(), there.available()]

    assert ferryman("job list -o ids").out == f"{refs[1]}\n{refs[0]}\n"


@pytest.mark.parametrize("words", ["failed", "discarded", "archived", "ASYNQ:archived", "available,failed"])
def test_failed_jobs_are_found_by_every_word_for_them(words: str, ferryman: Typed, there: There) -> None:
    ref = there.failed()
    there.scheduled()

    assert ferryman(f"job list --state {words} -o ids").lines == [ref]


def test_pending_is_rivers_and_whoever_means_asynqs_is_told(ferryman: Typed, there: There) -> None:
    ref = there.available()

    assert "asynq:pending" in ferryman("job list --state pending").err
    assert "asynq:pending" in ferryman("job list --state pending --json").json["warnings"][0]
    assert ferryman("job list --state asynq:pending -o ids").lines == [ref]


def test_an_unknown_state_is_named_with_the_nearest(ferryman: Typed) -> None:
    answer = ferryman("job list --state faild")

    assert answer.code == 2
    assert 'no state "faild". Did you mean failed?' in answer.err


def test_jobs_are_narrowed_by_queue_kind_and_age(ferryman: Typed, there: There) -> None:
    mail = there.available(queue="mail")
    report = there.available("report")

    assert ferryman("job list -Q mail -o ids").lines == [mail]
    assert ferryman("job list --kind report -o ids").lines == [report]
    assert ferryman("job list --since 1h -o ids").lines == [report, mail]
    assert ferryman("job list --older-than 1h -o ids").lines == []
    assert ferryman("job list --since 2000-01-01 --older-than 2000-01-02T08:00Z -o ids").lines == []


def test_a_page_ends_with_the_way_to_the_next(ferryman: Typed, there: There) -> None:
    refs = [there.available() for _ in range(3)]

    page = ferryman("job list --limit 2 --json").json
    rest = ferryman(f"job list --cursor {page['next']} -o ids")

    assert (page["truncated"], page["scanned"], page["of"]) == (True, 2, None)
    assert rest.lines == [refs[0]]
    assert f"--cursor {page['next']}" in ferryman("job list --limit 2").err


def test_all_is_every_page(ferryman: Typed, there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferryman.cli.commands.job.PAGE", 2)
    refs = [there.available() for _ in range(5)]

    assert ferryman("job list --all -o ids").lines == refs[::-1]


def test_wide_shows_times_in_the_zone_that_was_asked_for(ferryman: Typed, there: There) -> None:
    ref = there.available()
    created = there.job(ref).created_at
    assert created is not None

    assert f"{created:%Y-%m-%d %H:%M:%S}" in ferryman("job list -o wide --tz UTC").out
    assert f"{created:%Y-%m-%d %H:%M:%S}" not in ferryman("job list -o wide --tz Asia/Tokyo").out


def test_what_a_job_carries_cannot_steer_the_terminal(ferryman: Typed, there: There) -> None:
    there.failed("Evil: \x1b[2J\nsecond line\x9b")

    (row,) = ferryman("failed --list").lines[1:]

    assert row.endswith("Evil: \\x1b[2J second line\\x9b")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("--tz Mars", 'no time zone "Mars"'),
        ("--since yesterday", '--since is "yesterday"'),
        ("--since 9999999w", "--since is"),
        ("--cursor x", '"x" is not a cursor'),
        ("--limit 0", "--limit"),
        ("--nope", "No such option"),
        ("-o yaml", "'yaml' is not one of"),
        ("surplus", "unexpected extra argument"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(options: str, complaint: str, ferryman: Typed, there: There) -> None:
    there.available()

    answer = ferryman(f"job list -o wide {options}")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert complaint in answer.err
