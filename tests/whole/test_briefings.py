"""What people see of Briefings, with everything in one process as `make dev` runs it."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from html import unescape
from typing import Any

import pytest

from whole.program import Place, Program, until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("briefings")]

BEAT = "app:heartbeat [^ ]+ completed"


def states(dev: Place, id: str) -> list[dict[str, Any]]:
    """Read the event stream of a briefing to its end."""
    with dev.http.stream("GET", f"/briefings/{id}/events", timeout=60) as stream:
        return [json.loads(line.removeprefix("data: ")) for line in stream.iter_lines() if line.startswith("data: ")]


def test_the_first_heartbeat_is_logged_within_seconds_of_the_address(dev: Place, briefings: Program) -> None:
    address = briefings.says(f"Briefings on http://127.0.0.1:{dev.web}")
    beat = until(lambda: next((line for line in briefings.text.splitlines() if re.search(BEAT, line)), ""))
    seconds = [datetime.strptime(line[:8], "%H:%M:%S") for line in (address, beat)]  # noqa: DTZ007
    assert abs((seconds[1] - seconds[0]).total_seconds()) < 20  # 1 at most, on a machine that does nothing else


def test_a_post_is_answered_at_once_and_the_briefing_completes(dev: Place) -> None:
    answer, took = dev.create("hello"), []
    for _ in range(5):
        began = time.monotonic()
        dev.create("the quickest counts: others use the machine too")
        took.append(time.monotonic() - began)

    assert answer.status_code == 202
    assert min(took) < 0.5  # 10 ms, on a machine that does nothing else
    assert answer.headers["retry-after"] == "2"
    id = answer.json()["id"]
    links = {"self": f"/briefings/{id}", "events": f"/briefings/{id}/events"}
    assert answer.json() == {"id": id, "status": "queued", "links": links}
    assert answer.headers["location"] == links["self"]
    briefing = dev.final(id)
    assert (briefing["status"], briefing["attempt"], briefing["content"]["title"]) == ("completed", 1, "hello")


def test_a_service_that_always_fails_is_tried_four_times_and_only_then_the_briefing_has_failed(dev: Place) -> None:
    told = states(dev, dev.new("fail-500"))

    assert [briefing["status"] for briefing in told[:-1]].count("failed") == 0
    between = [briefing for briefing in told if briefing["next_attempt_at"]]
    assert {briefing["status"] for briefing in between} == {"processing"}
    assert {briefing["last_error"] for briefing in between} == {"The briefing service answered 500."}
    # The stream is written now and then, and Redis counts in whole seconds: an attempt may be over before it is seen.
    attempts = [briefing["attempt"] for briefing in between]
    assert attempts == sorted(set(attempts) & {1, 2, 3})
    last = told[-1]
    assert (last["status"], last["attempt"]) == ("failed", 4)
    assert last["error_message"] == "The briefing service answered 500. We tried 4 times."
    assert last["error_message"] in dev.page(f"/briefings/{last['id']}")


@pytest.mark.parametrize(
    ("topic", "status", "attempts", "message"),
    [
        ("fail-400", "failed", 1, "The briefing service refused the topic (it answered 400)."),
        ("flaky-2", "completed", 3, None),
        ("busy-once", "completed", 1, None),
    ],
)
def test_a_topic_ends_as_the_service_decides(dev: Place, topic, status, attempts, message) -> None:
    briefing = dev.final(dev.new(topic))
    assert (briefing["status"], briefing["attempt"], briefing["error_message"]) == (status, attempts, message)


def test_an_answer_that_is_no_briefing_is_tried_again(dev: Place) -> None:
    id = dev.new("bad-json")
    briefing = until(lambda: shown if (shown := dev.show(id))["last_error"] else None)
    assert briefing["status"] == "processing"
    assert briefing["last_error"] == "The briefing service sent something that is not a briefing."


def test_the_same_idempotency_key_gives_the_same_briefing_and_no_second_job(dev: Place) -> None:
    first, second = (dev.create("once", idempotency_key="k1").json() for _ in range(2))
    assert first["id"] == second["id"]
    assert dev.enqueued(first["id"]) == 1


def test_a_key_of_yesterday_stands_for_nothing_any_more(dev: Place) -> None:
    first = dev.create("once", idempotency_key="k2").json()
    dev.sql("update briefings set created_at = '2020-01-01T00:00:00.000+00:00' where id = ?", first["id"])
    assert dev.create("once", idempotency_key="k2").json()["id"] != first["id"]


def test_a_topic_that_cannot_be_is_refused_with_its_reason(dev: Place) -> None:
    assert dev.create("  ").json() == {"errors": {"topic": "A topic is needed."}}
    refused = dev.create("x" * 201)
    assert refused.status_code == 422
    assert "at most 200 characters" in refused.json()["errors"]["topic"]
    assert dev.http.post("/briefings", content="{", headers={"content-type": "application/json"}).status_code == 400


def test_a_browser_is_led_to_the_page_which_needs_no_script(dev: Place) -> None:
    answer = dev.http.post("/briefings", data={"topic": "by hand"}, headers={"Accept": "text/html"})
    assert answer.status_code == 303
    path = answer.headers["location"]
    first = dev.page(path)
    assert "by hand" in first
    assert ('http-equiv="refresh"' in first) or ("Generated in" in first)
    until(lambda: "Generated in" in dev.page(path))
    assert "http-equiv" not in dev.page(path)


def test_a_form_that_is_refused_keeps_what_was_typed(dev: Place) -> None:
    answer = dev.http.post("/briefings", data={"topic": "y" * 201}, headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "y" * 201 in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_pressing_the_button_twice_makes_one_briefing(dev: Place) -> None:
    key = re.search(r'name="key" value="([^"]+)"', dev.page("/"))
    assert key is not None
    pressed = [dev.http.post("/briefings", data={"topic": "twice", "key": key[1]}) for _ in range(2)]
    assert pressed[0].headers["location"] == pressed[1].headers["location"]


def test_a_form_from_another_site_is_refused(dev: Place) -> None:
    answer = dev.http.post("/briefings", data={"topic": "theirs"}, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403


def test_what_has_not_changed_is_not_sent_again(dev: Place) -> None:
    path = f"/briefings/{dev.final(dev.new('still'))['id']}"
    tag = dev.http.get(path).headers["etag"]
    assert dev.http.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_only_a_failed_briefing_is_tried_again_and_then_with_a_new_job(dev: Place) -> None:
    done, failed = dev.final(dev.new("fine")), dev.final(dev.new("fail-400 again"))

    assert dev.http.post(f"/briefings/{done['id']}/retry").status_code == 409
    assert dev.http.post(f"/briefings/{failed['id']}/retry").status_code == 202
    again = dev.final(failed["id"])
    assert again["job_ref"] != failed["job_ref"]


def test_the_failed_jobs_are_the_same_on_the_page_and_on_the_command_line(dev: Place) -> None:
    failed = dev.final(dev.new("fail-400 for the list"))

    told = {job["ref"] for job in json.loads(dev.run("failed", "--json").stdout)["data"]}

    assert failed["job_ref"] in told
    assert told <= {job["job"] for job in dev.http.get("/failed").json()["data"]}
    assert "fail-400 for the list" in dev.page("/failed")


def test_a_briefing_and_its_job_lead_to_each_other(dev: Place) -> None:
    briefing = dev.final(dev.new("fail-400 for the links"))
    there = re.search(r'href="(/admin/jobs/[^"]+)"', dev.page(f"/briefings/{briefing['id']}"))

    assert there
    assert f'href="/briefings/{briefing["id"]}"' in dev.page(unescape(there[1]))


def test_a_job_that_an_operator_retries_completes_its_briefing(dev: Place) -> None:
    failed = dev.final(dev.new("fail-400 until it is well"))
    mode = dev.http.post(f"http://127.0.0.1:{dev.mock}/mode", content="healthy")
    assert mode.text == "healthy\n"
    try:
        assert dev.http.post(f"/failed/{failed['job_ref']}/retry").status_code == 202
        until(lambda: dev.show(failed["id"])["status"] == "completed")
    finally:
        dev.http.post(f"http://127.0.0.1:{dev.mock}/mode", content="as asked")


def test_a_briefing_that_was_deleted_is_gone_and_its_job_finds_nothing_to_do(dev: Place) -> None:
    with dev.jobs() as jobs:
        jobs.sync.admin.queues.pause("default")
        try:
            id = dev.new("never mind")
            assert "the queue is paused" in dev.page(f"/briefings/{id}")
            ref = dev.show(id)["job_ref"]
            assert dev.http.delete(f"/briefings/{id}").status_code == 204
        finally:
            jobs.sync.admin.queues.resume("default")
        until(lambda: jobs.sync.admin.jobs.get(ref).state == "completed")
        assert jobs.sync.admin.jobs.get(ref).metadata["output"] == "skipped"
    assert dev.http.get(f"/briefings/{id}").status_code == 404
    assert "It may have been deleted" in dev.page(f"/briefings/{id}")


@pytest.mark.parametrize("refusal", ["before insert on {}", "before update of job_ref on briefings"])
def test_a_briefing_and_its_job_are_stored_together_or_not_at_all(dev: Place, refusal: str) -> None:
    def stored() -> tuple[int, int]:
        return dev.enqueued(), dev.sql("select count(*) from briefings")[0][0]

    before = stored()
    with dev.refusing(refusal.format(dev.jobs_table)):
        assert dev.create("half").status_code >= 500
    assert stored() == before


def test_while_the_database_is_away_nothing_is_accepted_and_nothing_stored(dev: Place) -> None:
    before = dev.sql("select count(*) from briefings")[0][0]
    with dev.locked():
        answer = dev.create("lost")
        assert dev.http.get("/healthz").status_code == 200
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"error": "The database does not answer just now. Nothing was stored. Please try again."}
    assert dev.sql("select count(*) from briefings")[0][0] == before
    assert dev.http.get("/readyz").status_code == 200
    assert dev.final(dev.new("found again"))["status"] == "completed"
