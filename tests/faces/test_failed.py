"""`ferryman failed`: what is broken, in one command (B4)."""

from __future__ import annotations

import pytest

from faces.there import There
from faces.typed import Typed


def test_jobs_that_gave_up_are_listed_with_the_reason_and_what_to_do(ferryman: Typed, there: There) -> None:
    there.completed()
    ref = there.failed()
    there.retrying()

    answer = ferryman("failed --list")

    title, row = answer.lines
    assert title.split() == ["ID", "KIND", "QUEUE", "ATTEMPT", "WHEN", "ERROR"]
    assert row.split()[:2] == [ref, "mail:send"]
    assert row.endswith("ValueError: no such person")
    assert f"ferryman job show {ref}" in answer.err
    assert f"ferryman job retry {ref}" in answer.err


def test_retrying_adds_those_that_will_be_tried_again(ferryman: Typed, there: There) -> None:
    failed, retrying = there.failed(), there.retrying()

    assert ferryman("failed --retrying -o ids").lines == [retrying, failed]
    assert [job["state"] for job in ferryman("failed --retrying --list --json").data] == ["retryable", "discarded"]
    assert "in 59m" in ferryman("failed --retrying --list").out


def test_nothing_failed_is_good_news(ferryman: Typed) -> None:
    answer = ferryman("failed")

    assert (answer.code, answer.out, answer.err) == (0, "", "No job has given up.\n")
    assert ferryman("failed --json").data == []


def test_failures_are_gathered_by_what_went_wrong(ferryman: Typed, there: There) -> None:
    refs = [there.failed(f"TimeoutError: took {n} s") for n in (30, 31)]
    there.failed("KeyError: 'x'", kind="report")

    answer = ferryman("failed")
    title, first, second = answer.lines
    fp = first.split()[5]

    assert title.split() == ["JOBS", "1H", "24H", "LAST", "FP", "KIND", "ERROR"]
    assert (first.split()[:3], first[first.index("mail") :]) == (["2", "2", "2"], "mail:send  TimeoutError: took <n> s")
    assert second.endswith("report     KeyError: <text>")
    assert f"ferryman failed --fp {fp}" in answer.err
    assert sorted(ferryman(f"failed --fp {fp} -o ids").lines) == sorted(refs)
    assert sorted(ferryman(f"job list --fp {fp} -o ids").lines) == sorted(refs)


def test_groups_are_json_too(ferryman: Typed, there: There) -> None:
    ref = there.failed()

    (group,) = ferryman("failed --json").data

    assert (group["count"], group["kind"], group["error"]) == (1, "mail:send", "ValueError: no such person")
    assert (group["latest"], group["queues"], len(group["fingerprint"])) == ([ref], ["default"], 12)


def test_what_failed_long_ago_is_left_out_when_asked_for(ferryman: Typed, there: There) -> None:
    there.failed()

    assert len(ferryman("failed --since 1h").lines) == 2
    assert ferryman("failed --since 2099-01-01").out == ""


def test_jobs_are_listed_by_what_is_in_them(ferryman: Typed, there: There) -> None:
    ref = there.failed(args=b'{"to":"ada","user":{"id":7}}')
    there.available(args=b'{"to":"bob"}')

    assert ferryman("job list --args user.id=7 --error PERSON -o ids").lines == [ref]
    assert ferryman("job list --args user.id=8 -o ids").lines == []


def test_an_argument_to_look_for_needs_a_value(ferryman: Typed) -> None:
    answer = ferryman("job list --args user")

    assert (answer.code, "It takes a path and a value, such as user.id=7" in answer.err) == (2, True)


def test_a_group_is_retried_or_deleted_by_its_name(ferryman: Typed, there: There) -> None:
    busy = [there.failed(f"TimeoutError: took {n} s") for n in (30, 31)]
    other = there.failed("KeyError: 'x'")
    first = ferryman("failed").lines[1].split()[5]

    unsure = ferryman(f"failed retry --fp {first}")
    sure = ferryman(f"failed retry --fp {first} --yes --expect 2")
    second = ferryman("failed").lines[1].split()[5]
    deleted = ferryman(f"failed delete --fp {second} --yes --expect 1")

    assert (unsure.code, "Retry 2 jobs?" in unsure.err) == (6, True)
    assert (sure.code, sure.out) == (0, "retried 2, skipped 0\n")
    assert (deleted.code, deleted.out) == (0, "deleted 1, skipped 0\n")
    assert [there.state(ref) for ref in busy] == ["available", "available"]
    assert ferryman(f"job show {other}").code == 3


@pytest.mark.parametrize("word", ["retry", "delete"])
def test_a_group_that_no_failed_job_is_of_is_not_found(word: str, ferryman: Typed, there: There) -> None:
    there.failed()
    fp = ferryman("failed --json").data[0]["fingerprint"]

    unknown = ferryman(f"failed {word} --fp 9f31c2ab04de --yes --expect 1 --json")
    elsewhere = ferryman(f"failed {word} --fp {fp} --queue mail")

    assert (unknown.code, unknown.out, unknown.error["code"]) == (3, "", "group_not_found")
    assert (elsewhere.code, elsewhere.err.count("\n"), f'"{fp}"' in elsewhere.err) == (3, 1, True)


def test_what_stands_before_retry_is_not_passed_over(ferryman: Typed, there: There) -> None:
    ref = there.failed()

    answer = ferryman("failed --kind report retry --fp 9f31c2ab04de --yes --expect 1")

    assert (answer.code, "--kind stands before retry" in answer.err) == (2, True)
    assert there.state(ref) == "discarded"
