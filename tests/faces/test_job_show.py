"""`ferryman job show`."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from faces.there import There
from faces.typed import Typed
from ferryman.cli import ending
from ferryman.job import JobRef
from storage.samples import completed, discarded


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


def test_the_attempts_of_a_job_are_shown_the_first_one_first(ferryman: Typed, there: There) -> None:
    ref = there.retrying()
    there.storage.jobs.retry(JobRef.parse(ref))
    there.storage.jobs.fetch([("default", 1)], limit=1, kinds=None, worker="w2")

    answer = ferryman(f"job show {ref} --attempts --json")

    told = [(each["attempt"], each["outcome"], each["worker"], each["error"]) for each in answer.data]
    assert told == [(1, "failed", "w1", "busy"), (2, "running", "w2", "")]
    assert (
        '      File "shop.py", line 9, in send' in ferryman(f"job show {there.failed(queue='mail')} --attempts").lines
    )


def test_a_job_is_shown_as_it_is_stored(ferryman: Typed, there: There) -> None:
    args = b'{"n":1.0,"to":"a  b"}'
    ref = there.available(args=args, tags=("urgent",))

    lines = dict(line.split(maxsplit=1) for line in ferryman(f"job show {ref} --raw").lines if " " in line.strip())
    (row,) = ferryman(f"job show {ref} --raw --json").data

    assert lines["args"] == args.decode()
    assert (lines["ref"], lines["tags"], lines["unique_key"]) == (ref, '["urgent"]', "null")
    assert b64decode(row["args_base64"]) == args


Meanwhile = Callable[..., None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Say what happens between one look at a job and the next, step by step."""

    def say(*steps: Callable[[], object]) -> None:
        left = iter(steps)
        monkeypatch.setattr(ending, "time", SimpleNamespace(sleep=lambda seconds: next(left)()))

    return say


@pytest.mark.parametrize(("ends", "code", "state"), [(completed, 0, "completed"), (discarded, 1, "discarded")])
def test_a_job_is_followed_until_it_ends_and_each_change_is_told_once(
    ends: Callable[..., Any], code: int, state: str, ferryman: Typed, there: There, meanwhile: Meanwhile
) -> None:
    ref = there.available()
    jobs = there.storage.jobs
    meanwhile(
        lambda: None,
        lambda: jobs.fetch([("default", 1)], limit=1, kinds=None, worker="w1"),
        lambda: None,
        lambda: jobs.finish([ends(there.job(ref))]),
    )

    answer = ferryman(f"job show {ref} --follow")

    assert (answer.code, answer.err) == (code, "")
    assert [line.split()[:2] for line in answer.lines] == [[ref, "available"], [ref, "running"], [ref, state]]
    assert answer.lines[-1].endswith("attempt 1 of 25" if code == 0 else "attempt 1 of 25  no route to host")


def test_a_job_that_is_deleted_meanwhile_has_not_completed(ferryman: Typed, there: There, meanwhile: Meanwhile) -> None:
    ref = there.scheduled()
    meanwhile(lambda: there.storage.jobs.delete(JobRef.parse(ref)))

    answer = ferryman(f"job show {ref} --follow -o jsonl")

    assert (answer.code, len(answer.lines), answer.error["code"]) == (3, 1, "job_not_found")


def test_following_takes_one_job_and_ends_at_ctrl_c(ferryman: Typed, there: There, meanwhile: Meanwhile) -> None:
    one, other = there.available(), there.available()

    def interrupt() -> None:
        raise KeyboardInterrupt

    meanwhile(interrupt)

    assert ferryman(f"job show {one} {other} --follow").code == 2
    assert ferryman(f"job show {one} --attempts --follow").code == 2
    assert ferryman(f"job show {one} --follow").code == 130
