"""`ferryman failed`: what is broken, in one command (B4)."""

from __future__ import annotations

from faces.there import There
from faces.typed import Typed


def test_jobs_that_gave_up_are_listed_with_the_reason_and_what_to_do(ferryman: Typed, there: There) -> None:
    there.completed()
    ref = there.failed()
    there.retrying()

    answer = ferryman("failed")

    title, row = answer.lines
    assert title.split() == ["ID", "KIND", "QUEUE", "ATTEMPT", "WHEN", "ERROR"]
    assert row.split()[:2] == [ref, "mail:send"]
    assert row.endswith("ValueError: no such person")
    assert f"ferryman job show {ref}" in answer.err
    assert f"ferryman job retry {ref}" in answer.err


def test_retrying_adds_those_that_will_be_tried_again(ferryman: Typed, there: There) -> None:
    failed, retrying = there.failed(), there.retrying()

    assert ferryman("failed --retrying -o ids").lines == [retrying, failed]
    assert [job["state"] for job in ferryman("failed --retrying --json").data] == ["retryable", "discarded"]
    assert "in 59m" in ferryman("failed --retrying").out


def test_nothing_failed_is_good_news(ferryman: Typed) -> None:
    answer = ferryman("failed")

    assert (answer.code, answer.out, answer.err) == (0, "", "No job has given up.\n")
    assert ferryman("failed --json").data == []
