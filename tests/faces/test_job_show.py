"""`ferryman job show`."""

from __future__ import annotations

from faces.there import There
from faces.typed import Typed


def test_a_job_is_shown_with_each_failure_and_its_trace(ferryman: Typed, there: There) -> None:
    ref = there.failed(tags=("urgent",), queue="mail")

    answer = ferryman(f"job show {ref}")

    assert answer.code == 0
    assert answer.lines[0].split() == ["mail:send", ref, "discarded"]
    facts = [line.split(maxsplit=1) for line in answer.lines[1:]]
    assert ["queue", "mail"] in facts
    assert ["attempt", "1 of 25"] in facts
    assert ["tags", "urgent"] in facts
    assert ["args", '{"to":"ada"}'] in facts
    assert "  ValueError: no such person" in answer.lines
    assert '      File "shop.py", line 9, in send' in answer.lines


def test_several_jobs_are_shown_and_read_from_stdin(ferryman: Typed, there: There) -> None:
    one, other = there.available(), there.available()

    assert [job["ref"] for job in ferryman(f"job show {one} {other} --json").data] == [one, other]
    assert ferryman("job show - -o ids", stdin=f"{other}\n\n{one}\n").lines == [other, one]


def test_arguments_that_are_not_text_do_no_harm(ferryman: Typed, there: There) -> None:
    ref = there.available(args=b'"\\u001b[2J"')

    answer = ferryman(f"job show {ref}")

    assert "\x1b" not in answer.out


def test_an_id_that_nobody_has_is_not_found(ferryman: Typed, there: There) -> None:
    for id in ("99", "abc", "999999999999999999999999"):
        answer = ferryman(f"job show {id}")
        assert (answer.code, answer.out) == (3, "")
        assert (
            answer.err == f"error: There is no job {id}. It may have been deleted, or cleaned up after its retention.\n"
        )


def test_an_error_is_json_where_json_was_asked_for(ferryman: Typed) -> None:
    answer = ferryman("job show 99 --json")

    assert (answer.code, answer.out) == (3, "")
    assert answer.error == {"code": "job_not_found", "detail": answer.error["detail"], "hint": None}


def test_what_is_no_address_is_refused(ferryman: Typed) -> None:
    assert ferryman("job show a/b/c").code == 2
    assert ferryman("job show").code == 2
