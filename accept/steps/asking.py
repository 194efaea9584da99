"""Steps 1 to 6: what becomes of what people ask for."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from accept.script import step
from accept.stage import Stage, require

QUICK = 0.1
SOON = 6.0
PATIENCE = 5
"""The table's times are for a machine that does nothing else; so many times as long still counts."""


@step(1, "a POST is answered at once")
def answered_at_once(stage: Stage) -> str:
    took = []
    for _ in range(3):  # the quickest counts
        began = time.monotonic()
        answer = stage.create("hello")
        took.append(time.monotonic() - began)
    require(answer.status_code == 202, f"{answer.status_code}, {answer.text}")
    require(answer.json()["status"] == "queued", answer.text)
    require(min(took) < QUICK * PATIENCE, f"it took {min(took):.3f} s")
    return f"202, Location {_short(answer.headers['location'])}, queued, in {min(took) * 1000:.0f} ms"


@step(2, "the page goes from queued to completed without a reload")
def followed(stage: Stage) -> str:
    began = time.monotonic()
    id = stage.new("a page that is watched")
    told = [each["status"] for each in events(stage, id)]
    took = time.monotonic() - began
    states = list(dict.fromkeys(told))
    require(states in (["queued", "processing", "completed"], ["processing", "completed"]), told)
    require(took < SOON * PATIENCE, f"it took {took:.1f} s")
    require("Generated in" in stage.page(f"/briefings/{id}"), "the page does not say how long it took")
    return f"{' → '.join(states)} by events, {took:.1f} s"


@step(3, "the same Idempotency-Key twice is one briefing and one job")
def the_same_twice(stage: Stage) -> str:
    first, second = (stage.create("once", idempotency_key="k1").json()["id"] for _ in range(2))
    require(first == second, f"two briefings: {first}, {second}")
    stage.final(first)
    found = stage.jobs_of(first)
    require(len(found) == 1, f"{len(found)} jobs in the dashboard")
    return f"{first[:8]}… both times, 1 job in the dashboard"


@step(4, "flaky-2 completes, and the job's page shows its three attempts")
def flaky(stage: Stage) -> str:
    briefing = stage.final(stage.new("flaky-2"))
    require((briefing["status"], briefing["attempt"]) == ("completed", 3), briefing)
    (listed,) = stage.jobs_of(briefing["id"])
    job = stage.api("job", id=listed["id"], queue=listed["queue"])
    errors = job["errors"]
    require(len(errors) == 2 and all("Traceback" in each["trace"] for each in errors), errors)
    page = stage.look("job", id=job["id"], queue=job["queue"])
    for shown in ("Attempt 1 failed", "Attempt 2 failed", "3 of 4", "Traceback (most recent call last)"):
        require(shown in page, f"the page of the job does not say {shown!r}")
    return "completed, attempt 3 of 4, 2 errors with tracebacks on the job's page"


@step(5, "fail-500 is processing until it has failed for good")
def fails_in_the_end(stage: Stage) -> str:
    id = stage.seen["fail-500"] = stage.new("fail-500")
    page = stage.page(f"/briefings/{id}")
    require(f'data-events="/briefings/{id}/events"' in page, "the page does not follow the events")
    told = events(stage, id)
    states = [each["status"] for each in told]
    last = told[-1]
    require("failed" not in states[:-1], states)
    require((last["status"], last["attempt"]) == ("failed", 4), last)
    return f"{' → '.join(dict.fromkeys(states))}, attempt 4: “{last['error_message']}”"


@step(6, "fail-400 fails at the first attempt")
def fails_at_once(stage: Stage) -> str:
    briefing = stage.final(stage.new("fail-400"))
    require((briefing["status"], briefing["attempt"]) == ("failed", 1), briefing)
    return f"failed, attempt 1: “{briefing['error_message']}”"


def events(stage: Stage, id: str) -> list[dict[str, Any]]:
    """Return what a briefing goes through, as its page hears it, until the stream ends."""
    with stage.http.stream("GET", f"/briefings/{id}/events", timeout=120) as stream:
        return [json.loads(line.removeprefix("data: ")) for line in stream.iter_lines() if line.startswith("data: ")]


def _short(path: str) -> str:
    return re.sub(r"(?<=/[0-9a-f]{8})-[0-9a-f-]+", "…", path)
