"""Acting on every job that fits a filter."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from faces.there import There
from faces.typed import Typed
from ferryman.admin._sync.admin import Admin
from ferryman.admin._sync.bulk import BulkAdmin
from ferryman.admin.bulk import Progress
from ferryman.job import State
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action


def test_a_script_says_how_many_it_expects(ferryman: Typed, there: There) -> None:
    for _ in range(3):
        there.failed()

    unsure = ferryman("job retry --state failed --all-matching --yes")
    sure = ferryman("job retry --state failed --all-matching --yes --expect 3")

    assert (unsure.code, unsure.out) == (6, "")
    assert "Retry 3 jobs? Nobody is here to answer, and nothing was changed." in unsure.err
    assert "To confirm: --yes --expect 3" in unsure.err
    assert (sure.code, sure.out) == (0, "retried 3, skipped 0\n")
    assert len(ferryman("job list --state available -o ids").lines) == 3


def test_when_there_are_more_than_expected_nothing_is_done(ferryman: Typed, there: There) -> None:
    ref = there.failed()
    there.failed()

    answer = ferryman("job delete --state failed --all-matching --yes --expect 1")

    assert (answer.code, "1 were expected. Nothing was changed." in answer.err) == (6, True)
    assert there.state(ref) == "discarded"


def test_a_dry_run_says_how_many_it_would_be_and_changes_nothing(ferryman: Typed, there: There) -> None:
    refs = [there.failed() for _ in range(6)]

    answer = ferryman("job delete --state failed --all-matching --dry-run -o ids")

    assert (answer.code, len(answer.lines)) == (0, 5)
    assert answer.err == "6 jobs would be deleted. Nothing was changed.\n"
    assert {there.state(ref) for ref in refs} == {"discarded"}


def test_only_what_fits_is_acted_on(ferryman: Typed, there: There) -> None:
    wanted, other, done = there.failed("busy"), there.failed("gone"), there.completed()

    answer = ferryman("job retry --error BUSY --all-matching --yes --expect 1 --json")

    assert (answer.code, answer.data[0]["done"], answer.data[0]["outcome"]) == (0, 1, "retried")
    assert [there.state(ref) for ref in (wanted, other, done)] == ["available", "discarded", "completed"]


def test_retrying_by_filter_leaves_alone_what_has_completed(ferryman: Typed, there: There) -> None:
    failed, done = there.failed(), there.completed()

    ferryman("job retry --kind mail:send --all-matching --yes --expect 1")

    assert (there.state(failed), there.state(done)) == ("available", "completed")


@pytest.mark.parametrize(
    ("verb", "after"), [("cancel", "cancelled"), ("discard", "discarded"), ("archive", "discarded")]
)
def test_jobs_that_wait_are_ended_by_filter(verb: str, after: str, ferryman: Typed, there: There) -> None:
    ref = there.available(kind="report")

    assert ferryman(f"job {verb} --kind report --all-matching --yes --expect 1").code == 0
    assert there.state(ref) == after


def test_what_was_skipped_is_told_and_is_partly(ferryman: Typed, there: There) -> None:
    running = there.running()
    there.available()

    answer = ferryman("job delete --kind mail:send --all-matching --yes --expect 2")

    assert (answer.code, answer.out) == (7, "deleted 1, skipped 1\n")
    assert f"  {running}  Job {running} is running" in answer.err


def test_nothing_to_do_is_success(ferryman: Typed) -> None:
    answer = ferryman("job retry --state failed --all-matching")

    assert (answer.code, answer.out) == (0, "retried 0, skipped 0\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("job retry", "No job is named"),
        ("job retry --state failed", "filters with --all-matching"),
        ("job retry 1 --all-matching", "Give one of them"),
        ("job retry 1 --kind x", "Give one of them"),
        ("job delete --all-matching", "would mean every job"),
        ("job retry --state failed --all-matching --rate fast", '--rate is "fast"'),
        ("job retry --state failed --all-matching --rate 0", '--rate is "0"'),
        ("job retry --state lost --all-matching", "lost"),
    ],
)
def test_what_is_meant_must_be_clear(words: str, complaint: str, ferryman: Typed) -> None:
    answer = ferryman(words)

    assert (answer.code, answer.out, complaint in answer.err) == (2, "", True)


def test_ctrl_c_stops_between_steps_and_tells_what_was_done(
    ferryman: Typed, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.failed()
    left = []

    def steps(*args: object, **said: object) -> Iterator[Progress]:
        os.kill(os.getpid(), signal.SIGINT)
        yield Progress(done=200, cursor="more")
        left.append("another step")

    monkeypatch.setattr(BulkAdmin, "run", steps)

    answer = ferryman("job retry --state failed --all-matching --yes --expect 1")

    assert (answer.code, answer.out, left) == (130, "retried 200, skipped 0\n", [])
    (stopped,) = ferryman("bulk list --json").data
    assert f"ferryman bulk continue {stopped['id']}" in answer.err
    assert (stopped["state"], stopped["done"], stopped["of"]) == ("stopped", 200, 1)


def test_what_was_stopped_is_continued_and_remembered(
    ferryman: Typed, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.admin._sync.bulk._STEP", 1)
    refs = [there.failed() for _ in range(3)]
    bulk = Admin(lambda: there.storage).bulk
    begun = bulk.start(Action.RETRY, JobFilter(states=(State.DISCARDED,)), expected=3, actor="ann")
    for _ in bulk.work(begun.id):
        break
    ferryman(f"bulk stop {begun.id}")
    bulk.leave(begun.id)

    answer = ferryman(f"bulk continue {begun.id}")

    assert (answer.code, answer.out) == (0, "retried 3, skipped 0\n")
    assert {there.state(ref) for ref in refs} == {"available"}
    assert "by         ann" in ferryman(f"bulk show {begun.id}").out
    assert ferryman(f"bulk continue {begun.id}").code == 4
    assert ferryman("bulk show nothing").code == 3
