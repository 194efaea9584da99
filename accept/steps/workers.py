"""Steps 9 to 14: queues that rest, workers and servers that stop or die, and the clock."""

from __future__ import annotations

import re
import signal
import time
from contextlib import suppress

import httpx

from accept.script import step
from accept.stage import Stage, require
from whole.program import until

BEAT = re.compile(r"^(\d\d):(\d\d):(\d\d) .+app:heartbeat \S+ completed", re.MULTILINE)


@step(9, "a briefing waits while its queue is paused, and completes when it goes on")
def paused(stage: Stage) -> str:
    stage.data("queue", "pause", "default")
    id = stage.new("patience")
    until(lambda: "the queue is paused" in stage.page(f"/briefings/{id}"))
    beat = stage.data("enqueue", "app:heartbeat", "{}", "--queue", "critical")[0]["ref"]
    until(lambda: f"app:heartbeat {beat} completed" in stage.worker.text)  # another queue goes on meanwhile
    status = stage.show(id)["status"]
    require(status == "queued" and id not in stage.calls(), f"it is {status} while the queue is paused")
    stage.data("queue", "resume", "default")
    require(stage.final(id)["status"] == "completed", stage.show(id))
    return "queued with “the queue is paused” while critical went on, then completed"


@step(10, "a worker that is told to stop in the middle of a call finishes it")
def stopped_gently(stage: Stage) -> str:
    id = stage.called(stage.new("let me finish"))
    began = time.monotonic()
    code = stage.worker.end(signal.SIGTERM)
    took = time.monotonic() - began
    briefing = stage.show(id)
    require(code == 0 and took < 30, f"exit code {code} after {took:.1f} s")
    require((briefing["status"], briefing["attempt"]) == ("completed", 1), briefing)
    stage.new_worker()
    return f"exit code 0 after {took:.1f} s, completed, attempt 1"


@step(11, "a worker is killed in the middle of a call, and another completes the briefing", alone=True)
def killed(stage: Stage) -> str:
    id = stage.called(stage.new("killed in the middle"))
    stage.worker.end(signal.SIGKILL)
    began = time.monotonic()
    stage.new_worker()
    briefing = until(lambda: shown if (shown := stage.show(id))["status"] == "completed" else None, within=180)
    calls = stage.calls().count(id)
    require(calls == 2, f"the service saw the key {calls} times")
    return f"completed {time.monotonic() - began:.0f} s later, attempt {briefing['attempt']}, one key seen twice"


@step(12, "the web dies between commit and send, and the relay sends the job once", "redis")
def died_before_sending(stage: Stage) -> str:
    stage.web_program.end()
    doomed = stage.start_web(APP_FAILPOINT="after_commit")
    with suppress(httpx.HTTPError):
        stage.create("orphaned at once")
    require(doomed.process.wait(60) == -signal.SIGKILL, f"the web ended with {doomed.process.returncode}")
    began = time.monotonic()
    ((id,),) = stage.sql("select id from briefings where topic = 'orphaned at once'")
    until(lambda: stage.jobs_of(id))
    took = time.monotonic() - began
    stage.web_program = stage.start_web()
    require(stage.final(id)["status"] == "completed", stage.show(id))
    require(len(stage.jobs_of(id)) == 1, f"{len(stage.jobs_of(id))} jobs")
    return f"the job was there {took:.1f} s after the web had died, exactly one"


@step(13, "Redis stops and starts: what was accepted meanwhile and what was queued before is all made", "redis")
def without_redis(stage: Stage) -> str:
    assert stage.redis is not None
    stage.data("queue", "pause", "default")
    before = stage.new("queued before")
    until(lambda: stage.jobs_of(before))
    stage.redis.stop()
    answer = stage.create("while Redis was away")
    require(answer.status_code == 202, f"{answer.status_code} while Redis was stopped")
    stage.redis.start()
    until(lambda: stage.ferryman("queue", "resume", "default").returncode == 0)
    ends = [stage.final(id)["status"] for id in (before, answer.json()["id"])]
    require(ends == ["completed", "completed"], ends)
    return "202 while it was stopped; both completed after"


@step(14, "the heartbeat runs on start and a minute later, once each, with three workers", alone=True)
def heartbeats(stage: Stage) -> str:
    three = [stage.worker, stage.new_worker(), stage.new_worker()]

    def beats() -> list[int]:
        """Return in which second of the day each was, by what the workers say."""
        said = [map(int, at) for worker in three for at in BEAT.findall(worker.text)]
        return sorted(3600 * hour + 60 * minute + second for hour, minute, second in said)

    until(lambda: len(beats()) > 1, within=180)
    require(stage.final(stage.new("a while"))["status"] == "completed", "no briefing is made")  # twice shows by now
    first, second, *_ = seen = beats()
    require(len({at // 60 for at in seen}) == len(seen), f"two in one minute: {seen}")
    return f"1 on start, 1 more {second - first} s later, none twice in a minute with three workers"
