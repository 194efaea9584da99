"""Steps 7 and 8: what gave up, the same wherever one looks, and let go again."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx

from accept.script import step
from accept.stage import Stage, require
from whole.program import until


@step(7, "what gave up is the same on the page, by both commands and in the dashboard")
def the_same_everywhere(stage: Stage) -> str:
    listed = len(stage.run("failed", "--json").stdout and stage.http.get("/failed").json()["data"])
    groups = stage.data("failed")
    shown = stage.api("failed/groups")["groups"]
    require(len(groups) == len(shown) == 2, f"{len(groups)} groups by the command, {len(shown)} in the dashboard")
    require(listed == sum(each["count"] for each in groups) == sum(each["count"] for each in shown), listed)
    page = unescape(stage.look("failed"))
    require(all(each["error"] in page for each in groups), "the Failed page lacks a group")
    return f"2 groups of {listed} jobs: {', '.join(each['error'].partition(': ')[2] for each in groups)}"


@step(8, "once the service is well, “Retry all” of a group completes the briefing")
def retried(stage: Stage) -> str:
    _mode(stage, "healthy")
    ref = stage.show(stage.seen["fail-500"])["job_ref"]
    preview = _retry_all(stage, ref)
    bulk = _send_form(stage, stage.dashboard.get(preview).raise_for_status().text)
    briefing = until(lambda: shown if (shown := stage.show(stage.seen["fail-500"]))["status"] == "completed" else None)
    page = until(lambda: page if ">done<" in (page := stage.dashboard.get(bulk).text) else "")
    done = re.search(r"Done</dt><dd class=\"value\">(\d+)", page)
    require(done is not None and done[1] == "1", "the bulk page does not say that 1 is done")
    require(briefing["job_ref"] == ref, "it was completed by another job")
    _mode(stage, "as the topics ask")
    return "completed by the same job, the bulk page says 1 done"


def _mode(stage: Stage, mode: str) -> None:
    httpx.post(f"http://127.0.0.1:{stage.mock}/mode", content=mode).raise_for_status()


def _retry_all(stage: Stage, ref: str) -> str:
    """Return where the button leads that a job's group has on the Failed page."""
    (group,) = [each for each in stage.api("failed/groups")["groups"] if ref in each["latest"]]
    links = re.findall(r'href="([^"]+)"[^>]*>Retry all<', stage.look("failed"))
    (wanted,) = [
        link for link in map(unescape, links) if ("fp", group["fingerprint"]) in parse_qsl(urlsplit(link).query)
    ]
    return wanted


def _send_form(stage: Stage, page: str) -> str:
    """Press the button of a preview, and return where that leads."""
    form = re.search(r'<form class="panel" method="post" action="([^"]+)">(.+?)</form>', page, re.DOTALL)
    require(form, "the preview has no form")
    assert form is not None
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[2])
    answer = stage.dashboard.post(form[1], data={unescape(name): unescape(value) for name, value in fields})
    require(answer.status_code == 303, f"the form was answered with {answer.status_code}")
    return str(answer.headers["location"])
