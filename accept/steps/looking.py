"""Steps 15 to 19 and 21: what operators see and do, and what nobody may see."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import httpx

from accept.script import step
from accept.stage import Stage, require
from servers import free_port
from whole.program import until

SECRET = "sk-test-1234567890abcdefghij"
CLEANUP = "files:cleanup-orphans"
COUNTED = re.compile(r'ferryman_attempts_total\{kind="briefing:generate",outcome="ok",queue="default"\} (\d+)')


@step(15, "“Run now” on the clean-up deletes two of three orphans; the third is refused, and its row stays")
def cleaned_up(stage: Stage) -> str:
    id = stage.new("with attachments")
    keys = [_upload(stage, id, f"{number}.txt") for number in range(3)]
    stage.objects.refuse_to_delete(keys[1])
    require(stage.http.delete(f"/briefings/{id}").status_code == 204, "the briefing was not deleted")
    pressed = stage.dashboard.post("/s/main/periodic/run", data={"key": CLEANUP})
    require(pressed.status_code == 303, f"“Run now” was answered with {pressed.status_code}: {pressed.text[:300]}")
    job = until(lambda: next((job for job in stage.api("jobs", kind=CLEANUP)["jobs"] if job["finalized_at"]), None))
    require(job["metadata"].get("output") == {"scanned": 3, "deleted": 2, "errors": 1}, job)
    left = [row[0] for row in stage.sql("select object_key from files")]
    require(left == [keys[1]], f"these rows are left: {left}")
    there = [stage.objects.has(stage.folder.name, key) for key in keys]
    require(there == [False, True, False], f"these objects are there: {there}")
    said = re.findall(r"(object|row of file) \S+ deleted", stage.logs)
    require(said == ["object", "row of file"] * 2, f"the log says {said}")
    return "scanned 3, deleted 2, errors 1; the refused row is there; each object before its row"


def _upload(stage: Stage, id: str, name: str) -> str:
    answer = stage.http.post(f"/briefings/{id}/files", files={"file": (name, b"bytes")})
    require(answer.status_code == 201, f"the upload was answered with {answer.status_code}: {answer.text}")
    return str(stage.sql("select object_key from files where id = ?", answer.json()["id"])[0][0])


@step(16, "a read-only dashboard refuses every change, and says so")
def read_only(stage: Stage) -> str:
    port = free_port()
    with stage.start_dashboard(port, "--read-only") as program:
        program.says("dashboard on")
        job = stage.api("jobs", state="failed")["jobs"][0]
        wanted = {"action": "retry", "refs": [job["ref"]]}
        refused = httpx.post(f"http://127.0.0.1:{port}/api/v1/s/main/jobs/act", json=wanted)
        words = {"id": job["id"], "queue": job["queue"]}
        page = httpx.get(f"http://127.0.0.1:{port}/s/main/job", params=words, timeout=30).text
    code = refused.json().get("code")
    require((refused.status_code, code) == (403, "read_only"), f"{refused.status_code}: {refused.text}")
    button = 'action="/s/main/act"'
    require(button in stage.look("job", **words), "the other dashboard has no buttons either")
    require(button not in page, "there are buttons")
    require("Read-only." in page, "there is no banner")
    return f"403 {code}; no buttons; “Read-only.”"


@step(17, "a dashboard without a login listens to this machine alone")
def not_for_everybody(stage: Stage) -> str:
    done = stage.ferryman("dashboard", "--host", "0.0.0.0", "--port", str(free_port()), "--within", "30s")
    require(done.returncode == 2, f"exit code {done.returncode}: {done.stderr}")
    require("--users" in done.stderr and "--auth" in done.stderr, done.stderr)
    return f"exit code 2: “{done.stderr.partition(chr(10))[0]}”, and the ways to let people in"


@step(18, "the doctor finds the storage in order")
def examined(stage: Stage) -> str:
    done = stage.ferryman("doctor")
    require(done.returncode == 0, f"exit code {done.returncode}: {done.stdout}{done.stderr}")
    if stage.redis is None:
        return "exit code 0"
    stage.redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    ill = stage.ferryman("doctor")
    stage.redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
    require(ill.returncode == 1 and "R-EVICT" in ill.stdout, f"exit code {ill.returncode}: {ill.stdout}{ill.stderr}")
    return "exit code 0; with maxmemory-policy allkeys-lru 1, and R-EVICT"


@step(19, "a secret among a job's arguments is shown nowhere")
def hidden(stage: Stage) -> str:
    arguments = f'{{"briefing_id": "none", "api_key": "{SECRET}"}}'
    refused = stage.ferryman("enqueue", "briefing:generate", "-l", arguments)
    require(refused.returncode != 0, "the task's own program took a briefing_id that is none")
    anyhow = ("enqueue", "briefing:generate", "-l", arguments, "-o", "ids", "--url", stage.url)
    ref = stage.ferryman(*anyhow, FERRYMAN_APP="").stdout.strip()
    job = until(lambda: shown if (shown := _job(stage, ref))["state"] == "discarded" else None)
    group = next(each for each in stage.api("failed/groups")["groups"] if ref in each["latest"])
    seen = {"what was refused": refused.stdout + refused.stderr, **_everything(stage, job, group["fingerprint"])}
    leaks = [where for where, text in seen.items() if SECRET in text]
    require(not leaks, f"it is shown in {', '.join(leaks)}")
    return f"discarded; not in {len(seen)} places: pages, API, commands, logs, metrics"


def _job(stage: Stage, ref: str) -> Any:
    return stage.data("job", "show", ref)[0]


def _everything(stage: Stage, job: Any, fingerprint: str) -> dict[str, str]:
    one = {"id": job["id"], "queue": job["queue"]}
    pages = {f"the page {path or 'overview'}": stage.look(path) for path in ("", "jobs", "failed", "queues", "storage")}
    api = {f"the API's {path}": str(stage.api(path)) for path in ("jobs", "snapshot", "failed/groups")}
    commands = [("job", "show", job["ref"]), ("job", "show", job["ref"], "--json"), ("job", "list", "-o", "wide")]
    said = {f"ferryman {' '.join(words)}": _said(stage.ferryman(*words)) for words in [*commands, ("failed",)]}
    return {
        **pages,
        **api,
        **said,
        "the job's page": stage.look("job", **one),
        "the group's page": stage.look("failed/group", fp=fingerprint),
        "the API's job": str(stage.api("job", **one)),
        "/failed": stage.page("/failed"),
        "/failed as JSON": stage.http.get("/failed").text,
        "briefings failed": _said(stage.run("failed")),
        "the metrics": "".join(stage.metrics()),
        "the logs": stage.logs,
    }


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout + done.stderr


@step(21, "the numbers are sane, and Prometheus has no complaint about them")
def measured(stage: Stage) -> str:
    require(stage.final(stage.new("one that counts"))["status"] == "completed", "no briefing is made")
    top = stage.data("top", "--once")[0]
    made = stage.sql("select count(*) from briefings where status = 'completed'")[0][0]
    pages = stage.metrics()
    counted = sum(int(number) for page in pages for number in COUNTED.findall(page))
    require(0 < counted <= made, f"{counted} of {made} briefings were made by workers that run")
    require(top["counts"]["completed"] >= made, f"top counts {top['counts']}, and {made} briefings were made")
    by_workers = f"{counted} of {made} briefings made by workers that run"
    return f"{top['counts']['completed']} jobs completed; {by_workers}; {_checked(pages)}"


def _checked(pages: list[str]) -> str:
    promtool = shutil.which("promtool")
    if promtool is None:
        return "promtool is not on this machine"
    for page in pages:
        done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True)
        require(done.returncode == 0 and not done.stderr, f"promtool says: {done.stdout}{done.stderr}")
    return "promtool has no complaint"
