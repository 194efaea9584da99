"""Step 20: Go's own libraries on the same storage (interop/go; asynq on Redis, River on Postgres)."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from typing import Any
from uuid import uuid4

from accept.script import step
from accept.stage import Stage, require
from programs import Asker, asking, running
from whole.program import EXAMPLE, until

GO = EXAMPLE.parent.parent / "interop" / "go"
PROGRAMS = {"redis": "asynq", "postgres": "river"}


@step(20, "Go sees the same jobs, works one of ours, and we work one of Go's", "redis", "postgres")
def beside_go(stage: Stage) -> str:
    if shutil.which("go") is None:
        return "left out: there is no Go on this machine"
    program = str(stage.folder / "go-peer")
    subprocess.run(["go", "build", "-o", program, f"./{PROGRAMS[stage.name]}"], cwd=GO, check=True)
    return asyncio.run(_together(stage, program))


async def _together(stage: Stage, program: str) -> str:
    async with asking(program, stage.url) as go:
        same = await _same_jobs(stage, go)
        payload = json.dumps({"briefing_id": str(uuid4())}).encode()
        job = {"kind": "briefing:generate", "payload": payload, "queue": "default"}
        theirs = await go.ask("enqueue", job=job | ({"retention": "1h"} if stage.name == "redis" else {}))
    ref = f"default/{theirs['id']}" if stage.name == "redis" else str(theirs["id"])
    until(lambda: stage.data("job", "show", ref)[0]["state"] == "completed")
    note = ("enqueue", "note", '{"from": "Python"}', "--queue", "go", "--url", stage.url)
    ours = stage.data(*note, FERRYMAN_APP="")[0]["ref"]
    queues: Any = {"go": 1} if stage.name == "redis" else ["go"]
    said = json.dumps({"queues": queues, "concurrency": 1, "log": "/dev/null"})
    async with running(program, "work", stage.url, said) as worker:
        seen = await worker.hears("seen", kind="note")
    require(json.loads(seen["payload"]) == {"from": "Python"}, seen)
    return f"{same}; Go worked our {ours}, we worked its {ref}"


async def _same_jobs(stage: Stage, go: Asker) -> str:
    jobs = stage.api("jobs", state="failed")["jobs"]
    for job in jobs:
        asked = {"id": job["id"], "queue": job["queue"]} if stage.name == "redis" else {"id": job["id"]}
        shown = {name.lower(): value for name, value in (await go.ask("job", **asked)).items()}
        require((shown["kind"], shown["state"]) == (job["kind"], _GOS[stage.name]), f"{shown} is not {job}")
    return f"Go shows the same {len(jobs)} failed jobs"


_GOS = {"redis": "archived", "postgres": "discarded"}
