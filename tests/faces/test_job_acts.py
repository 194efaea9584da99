"""Acting on jobs: `ferryman job retry`, `run`, `cancel`, `discard`, `delete`."""

from __future__ import annotations

import pytest

from faces.there import There
from faces.typed import Typed


def test_a_failed_job_is_retried(ferryman: Typed, there: There) -> None:
    ref = there.failed()

    answer = ferryman(f"job retry {ref}")

    assert (answer.code, answer.out, answer.err) == (0, f"retried {ref} (mail:send), now available\n", "")
    assert there.state(ref) == "available"


def test_several_are_retried_and_one_that_is_not_there_is_skipped(ferryman: Typed, there: There) -> None:
    one, other = there.failed(), there.failed()

    answer = ferryman(f"job retry {one} 99 {other}")

    assert answer.code == 7
    assert answer.lines == [f"retried {one} (mail:send), now available", f"retried {other} (mail:send), now available"]
    assert answer.err.startswith("retried 2, skipped 1\n  99  There is no job 99.")
    assert (there.state(one), there.state(other)) == ("available", "available")


def test_json_lists_what_became_of_each(ferryman: Typed, there: There) -> None:
    ref = there.failed()

    answer = ferryman(f"job retry {ref} 99 --json")

    done, skipped = answer.data
    assert answer.code == 7
    assert done == {"ref": ref, "outcome": "retried", "kind": "mail:send", "state": "available", "error": None}
    assert (skipped["ref"], skipped["outcome"], skipped["error"]["code"]) == ("99", "skipped", "job_not_found")


def test_ids_go_from_one_command_to_the_next(ferryman: Typed, there: There) -> None:
    refs = [there.failed(), there.failed()]

    ids = ferryman("failed -o ids").out
    answer = ferryman("job retry - -o ids", stdin=ids)

    assert (answer.code, answer.lines) == (0, refs[::-1])
    assert {there.state(ref) for ref in refs} == {"available"}


def test_no_ids_on_stdin_is_nothing_to_do(ferryman: Typed) -> None:
    for action in ("retry", "delete"):
        answer = ferryman(f"job {action} -", stdin="")
        assert (answer.code, answer.out) == (0, "")


def test_when_none_could_be_done_the_first_reason_is_the_exit_code(ferryman: Typed, there: There) -> None:
    assert ferryman("job retry 98 99").code == 3
    assert ferryman(f"job retry {there.running()} 99").code == 4


@pytest.mark.parametrize("make", [There.scheduled, There.retrying])
def test_a_job_that_waits_is_run_now(make: object, ferryman: Typed, there: There) -> None:
    ref = make(there)  # type: ignore[operator]

    answer = ferryman(f"job run {ref}")

    assert (answer.code, answer.out) == (0, f"started {ref} (mail:send), now available\n")
    assert there.state(ref) == "available"


def test_a_job_that_has_ended_is_not_run_but_may_be_retried(ferryman: Typed, there: There) -> None:
    ref = there.failed()

    answer = ferryman(f"job run {ref}")

    assert answer.code == 4
    assert f"ferryman job retry {ref}" in answer.err
    assert there.state(ref) == "discarded"


def test_a_waiting_job_is_cancelled(ferryman: Typed, there: There) -> None:
    ref = there.available()

    assert ferryman(f"job cancel {ref}").out == f"cancelled {ref} (mail:send), now cancelled\n"
    assert there.state(ref) == "cancelled"
    assert ferryman(f"job cancel {ref}").code == 0


def test_the_worker_of_a_running_job_is_asked_to_stop(ferryman: Typed, there: There) -> None:
    ref = there.running()

    assert ferryman(f"job cancel {ref}").out == f"cancelled {ref} (mail:send), its worker is asked to stop\n"
    assert there.job(ref).cancel_requested_at is not None


def test_a_job_that_has_ended_cannot_be_cancelled(ferryman: Typed, there: There) -> None:
    ref = there.completed()

    answer = ferryman(f"job cancel {ref} --json")

    assert (answer.code, answer.error["code"]) == (4, "wrong_state")
    assert there.state(ref) == "completed"


@pytest.mark.parametrize("action", ["discard", "archive"])
def test_a_waiting_job_is_given_up_on(action: str, ferryman: Typed, there: There) -> None:
    ref = there.scheduled()

    assert ferryman(f"job {action} {ref}").code == 0
    assert there.state(ref) == "discarded"
    assert ferryman(f"job {action} {ref}").code == 4


def test_a_running_job_is_neither_retried_nor_deleted(ferryman: Typed, there: There) -> None:
    ref = there.running()

    assert ferryman(f"job retry {ref}").code == 4
    assert ferryman(f"job delete {ref} --yes").code == 4
    assert there.state(ref) == "running"


def test_a_script_must_say_yes_to_delete(ferryman: Typed, there: There) -> None:
    ref = there.failed()

    answer = ferryman(f"job delete {ref}")

    assert (answer.code, answer.out) == (6, "")
    assert answer.err.endswith("To confirm: --yes\n")
    assert there.state(ref) == "discarded"

    assert ferryman(f"job delete {ref} --yes").out == f"deleted {ref} (mail:send), which was discarded\n"
    assert ferryman(f"job show {ref}").code == 3


def test_a_refusal_is_json_with_its_hint(ferryman: Typed, there: There) -> None:
    assert ferryman(f"job delete {there.failed()} --json").error["hint"] == "To confirm: --yes"


def test_deleting_many_names_a_few(ferryman: Typed, there: There) -> None:
    refs = [there.available() for _ in range(7)]

    assert f"Delete 7 jobs ({', '.join(refs[:5])}, …) for good?" in ferryman("job", "delete", *refs).err


def test_quiet_leaves_only_data(ferryman: Typed, there: There) -> None:
    answer = ferryman(f"job retry {there.failed()} {there.failed()} -q")

    assert (answer.code, answer.err) == (0, "")
