"""`ferryman queue` and `ferryman workers`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from faces.there import There
from faces.typed import Typed
from ferryman.job import JobRef, NewJob
from ferryman.storage.infos import Running, ScheduleInfo


def test_queues_are_listed_with_their_counts(ferryman: Typed, there: There) -> None:
    there.available(queue="mail")
    there.failed()

    title, default, mail = ferryman("queue list").lines

    assert title.split()[:3] == ["QUEUE", "AVAILABLE", "RUNNING"]
    assert default.split() == ["default", "0", "0", "0", "0", "1"]
    assert mail.split()[:2] == ["mail", "1"]
    assert ferryman("queue list -o ids").lines == ["default", "mail"]


def test_a_queue_is_paused_and_resumed(ferryman: Typed, there: There) -> None:
    there.available()

    (paused,) = ferryman("queue pause default --reason deploy --json").data
    (resumed,) = ferryman("queue resume default --json").data

    assert (paused["name"], paused["paused"], resumed["paused"]) == ("default", True, False)


def test_all_queues_are_paused_at_once(ferryman: Typed, there: There) -> None:
    there.storage.queues.announce(["default", "mail"])

    assert [queue["paused"] for queue in ferryman("queue pause * --json").data] == [True, True]
    assert [queue["paused"] for queue in ferryman("queue resume * --json").data] == [False, False]


def test_a_queue_that_nobody_has_is_not_found(ferryman: Typed, there: There) -> None:
    there.available()

    for action in ("pause", "resume"):
        answer = ferryman(f"queue {action} nope")
        assert (answer.code, answer.out) == (3, "")
        assert answer.err == 'error: There is no queue "nope". There are: default.\n'


def test_a_queue_is_deleted_with_its_jobs_only_when_told_to(ferryman: Typed, there: There) -> None:
    there.storage.queues.announce(["mail", "default"])
    there.available(queue="mail")

    unsure, refused = ferryman("queue delete mail"), ferryman("queue delete mail --yes")
    done = ferryman("queue delete mail --yes --force")

    assert (unsure.code, refused.code, done.code) == (6, 4, 0)
    assert 'Delete the queue "mail" for good?' in unsure.err
    assert "holds 1 available" in refused.err
    assert ferryman("queue list -o ids").lines == ["default"]


def test_a_queue_is_shown_with_what_it_holds(ferryman: Typed, there: There) -> None:
    there.available()
    ferryman("queue pause default --reason upgrade")

    shown = [line.split() for line in ferryman("queue show default").lines]

    assert ["available", "1"] in shown
    assert shown[1][-1] == "upgrade"
    assert ferryman("queue show default --json").data[0]["memory"] is None
    assert ferryman("queue show nope").code == 3


def test_workers_are_listed_with_what_they_do(ferryman: Typed, there: There) -> None:
    there.worker(running=(Running(ref=JobRef("1"), kind="mail:send"),), status="quiet")

    _, row = ferryman("workers").lines

    assert row.split()[:3] == ["box:71", "quiet", "1/5"]
    assert ferryman("workers --json").data[0]["running"][0]["kind"] == "mail:send"


def test_what_they_run_is_listed_by_itself(ferryman: Typed, there: There) -> None:
    there.worker(running=(Running(ref=JobRef("1"), kind="mail:send", since=datetime.now(UTC)),))

    title, row = ferryman("workers --running").lines

    assert title.split()[:4] == ["ID", "KIND", "WORKER", "STARTED"]
    assert re.search(r"^ *1 +mail:send +box:71 +\d+s ago", row)
    assert ferryman("workers --running -o ids").lines == ["1"]


def test_schedules_are_listed_with_their_next_run(ferryman: Typed, there: There) -> None:
    entry = ScheduleInfo(
        id="report",
        spec="@every 1h",
        job=NewJob(kind="report", args=b"{}", queue="low"),
        next_at=datetime.now(UTC) + timedelta(minutes=10, seconds=30),
    )
    there.worker(schedules=(entry,))

    _, row = ferryman("periodic list").lines

    assert row.split() == ["report", "@every", "1h", "report", "low", "in", "10m", "ferryman"]
    assert ferryman("periodic list --json").data[0]["spec"] == "@every 1h"


def test_a_schedule_is_paused_run_now_and_resumed(ferryman: Typed, there: There) -> None:
    there.worker(schedules=(ScheduleInfo(id="report", spec="@every 1h", job=NewJob(kind="report")),))

    paused = ferryman("periodic pause report --reason late --json").data[0]
    ran = ferryman("periodic run report")
    resumed = ferryman("periodic resume report --json").data[0]

    assert (paused["pause_reason"], resumed["paused_at"]) == ("late", None)
    assert ferryman("periodic history report -o ids").lines == ran.lines
    assert there.job(ran.lines[0]).kind == "report"
    assert ferryman("periodic run nothing").code == 3


def test_a_paused_queue_shows_who_did_it_and_why(ferryman: Typed, there: There) -> None:
    there.available()

    ferryman("queue pause default --reason upgrade")

    assert ferryman("queue list --json").data[0]["pause_reason"] == "upgrade"
    assert "upgrade" in ferryman("queue list -o wide").out


def test_without_schedules_it_says_so(ferryman: Typed) -> None:
    answer = ferryman("periodic list")

    assert (answer.code, answer.out, "Nothing is enqueued by the clock" in answer.err) == (0, "", True)


def test_no_worker_says_how_to_start_one(ferryman: Typed) -> None:
    answer = ferryman("workers")

    assert (answer.code, answer.out) == (0, "")
    assert "ferryman worker" in answer.err


def test_the_history_of_a_queue_has_a_line_for_each_day(ferryman: Typed, there: There) -> None:
    there.failed()

    title, today, *before = ferryman("queue history default --days 3").lines

    assert title.split() == ["DAY", "PROCESSED", "FAILED"]
    assert today.split()[1:] == ["1", "1"]
    assert [day.split()[1:] for day in before] == [["0", "0"], ["0", "0"]]
    assert ferryman("queue history nowhere").code == 3


def test_where_no_worker_was_lost_that_is_said(ferryman: Typed) -> None:
    assert ferryman("workers --lost").err == "No worker fell silent within the last hour without a word.\n"
