"""What the buttons do, without JavaScript: each form changes something, leads back and says what became of it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from ferryman.job import JobRef, State
from ferryman.web import Access, Dashboard, Level
from web.asking import Asking
from web.conftest import Shop
from web.stocked import fail


async def said(there: Asking, answer: object) -> str:
    """Follow a form's answer to the page, and return what that says was done."""
    assert answer.status_code == 303, answer.text  # type: ignore[attr-defined]
    page = await there.get(answer.headers["location"])  # type: ignore[attr-defined]
    assert page.status_code == 200
    banner = re.search(r'role="status" data-tone="\w+">.*?<p>(.*?)</p>', page.text, re.DOTALL)
    return unescape(banner.group(1)) if banner else ""


async def test_selected_jobs_are_retried_and_the_rest_is_named(shop: Shop) -> None:
    refs = [str(await fail(shop.jobs)) for _ in range(2)] + [str(shop.refs[State.RUNNING])]

    answer = await shop.there.post("/s/main/act", {"action": "retry", "ref": refs, "back": "/s/main/failed"})

    assert answer.headers["location"] == "/s/main/failed"
    assert await said(shop.there, answer) == "Retried 2. Skipped 1: running now."
    assert (await shop.jobs.admin.jobs.get(refs[0])).state is State.AVAILABLE


@pytest.mark.parametrize(
    ("action", "state", "text"),
    [
        ("retry", State.DISCARDED, "Retried 1."),
        ("cancel", State.SCHEDULED, "Cancelled 1."),
        ("delete", State.COMPLETED, "Deleted 1."),
        ("delete", State.RUNNING, "Nothing was done."),
    ],
)
async def test_a_button_on_a_job_acts_on_it(corner: Shop, action: str, state: State, text: str) -> None:
    answer = await corner.there.post("/s/main/act", {"action": action, "ref": str(corner.refs[state])})

    assert (await said(corner.there, answer)).startswith(text)


async def test_what_was_done_is_said_once(corner: Shop) -> None:
    answer = await corner.there.post("/s/main/act", {"action": "delete", "ref": str(corner.refs[State.COMPLETED])})
    first = await said(corner.there, answer)
    again = await corner.there.get(answer.headers["location"])

    assert first == "Deleted 1."
    assert "Deleted 1." not in again.text


async def test_a_form_leads_to_no_other_site(corner: Shop) -> None:
    ref = str(corner.refs[State.SCHEDULED])
    for elsewhere in ("https://evil.example/s/", "//evil.example", "/\\evil.example", "/\tevil", "javascript:alert(1)"):
        answer = await corner.there.post("/s/main/act", {"action": "cancel", "ref": ref, "back": elsewhere})
        assert answer.headers["location"] == "/s/main/jobs"


async def test_a_queue_is_paused_with_a_reason_and_resumed(shop: Shop) -> None:
    there = shop.there
    paused = await there.post("/s/main/queues/pause", {"name": "default", "reason": "provider is down"})
    text = await said(there, paused)
    page = await there.get("/s/main/queue?name=default")
    resumed = await said(there, await there.post("/s/main/queues/resume", {"name": ["default", "mail"]}))

    assert text == "Paused default. Running jobs finish; new ones wait."
    assert "by ann: provider is down" in page.text
    assert resumed == "Resumed 2 queues."
    assert not any(queue.paused_at for queue in await shop.jobs.admin.queues.list())


async def test_a_queue_that_holds_jobs_is_not_deleted(shop: Shop) -> None:
    there = shop.there
    full = await there.post("/s/main/queues/delete", {"name": "mail"})
    await there.post("/s/main/act", {"action": "delete", "ref": str(shop.refs[State.AVAILABLE])})
    emptied = await there.post("/s/main/queues/delete", {"name": "mail"})

    assert full.status_code == 409
    assert await said(there, emptied) == "Deleted the queue mail."
    assert "mail" not in [queue.name for queue in await shop.jobs.admin.queues.list()]


async def test_a_queue_that_holds_jobs_leads_to_deleting_them_and_is_then_deleted_itself(corner: Shop) -> None:
    there = corner.there
    (link,) = re.findall(r'href="([^"]+)"[^>]*>Delete its jobs', (await there.get("/s/main/queue?name=mail")).text)
    preview = await there.get(unescape(link))
    await there.post("/s/main/act", {"action": "delete", "ref": str(corner.refs[State.AVAILABLE])})
    emptied = await there.get("/s/main/queue?name=mail")

    assert "<h1>Delete 1 job</h1>" in preview.text
    assert "Delete the queue" in emptied.text


async def test_all_jobs_of_an_error_are_retried_from_its_preview_on(shop: Shop) -> None:
    there, refs = shop.there, [await fail(shop.jobs, "the printer is on fire") for _ in range(7)]
    groups = await there.get("/s/main/failed")
    (link,) = {unescape(url) for url in re.findall(r'href="([^"]*bulk/new[^"]*)"', groups.text) if url.count("fp=")} & {
        unescape(url)
        for url in re.findall(r'href="([^"]*bulk/new[^"]*)"', groups.text.partition("printer")[2].partition("</tr>")[0])
    }
    preview = await there.get(link)
    form = re.search(r'<form[^>]*action="([^"]*bulk/start)".*?</form>', preview.text, re.DOTALL)
    assert form
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', form.group(0))
    started = await there.post(form.group(1), {name: unescape(value) for name, value in fields})
    page = await ended(there, started.headers["location"])

    assert "Retry 7 jobs" in preview.text
    assert ">done<" in page
    states = {(await shop.jobs.admin.jobs.get(ref)).state for ref in refs}
    assert states == {State.AVAILABLE}
    assert (await shop.jobs.admin.jobs.get(shop.refs[State.DISCARDED])).state is State.DISCARDED


async def ended(there: Asking, path: str) -> str:
    """Return the page of a bulk operation once it has ended."""
    bulks = there.dashboard.board.places["main"].bulks
    await asyncio.gather(*bulks._tasks.values())
    return (await there.get(path)).text


async def test_a_bulk_operation_stops_after_its_present_step(corner: Shop) -> None:
    new = corner.jobs.kind("mail:send").job
    await corner.jobs.enqueue_many([new({"number": number}) for number in range(450)])
    start = {"action": "cancel", "state": "available", "expected": "451", "typed": "451", "rate": "1"}
    started = await corner.there.post("/s/main/bulk/start", start)
    (bulk,) = (await corner.there.api("GET", "/bulks")).json()["bulks"]
    stopped = await corner.there.post("/s/main/bulk/stop", {"id": bulk["id"]})

    assert started.headers["location"] == f"/s/main/bulk?id={bulk['id']}"
    assert await said(corner.there, stopped) == "It stops after its present step."
    left = await corner.jobs.admin.jobs.list(limit=500)
    assert sum(job.state is State.AVAILABLE for job in left.items) > 200


async def test_the_number_of_many_jobs_has_to_be_typed(corner: Shop) -> None:
    start = {"action": "delete", "state": "available", "expected": "451", "typed": "415"}

    answer = await corner.there.post("/s/main/bulk/start", start)

    assert await said(corner.there, answer) == "The number that was typed is another: nothing was changed."
    assert (await corner.there.api("GET", "/bulks")).json()["bulks"] == []


@pytest.mark.parametrize(
    ("path", "form", "status", "text"),
    [
        ("/act", {"action": "explode", "ref": "1"}, 400, "There is no action"),
        ("/act", {"action": "retry", "ref": "a/b/c"}, 400, "not the address of a job"),
        ("/act", {"action": "retry", "ref": "99999"}, 303, ""),
        ("/act", {"action": "retry"}, 303, ""),
        ("/queues/pause", {}, 400, "No queue was named"),
        ("/queues/pause", {"name": "a/b"}, 404, "a/b"),
        ("/queues/delete", {"name": ""}, 404, "queue"),
        ("/periodic/run", {"key": "nope"}, 404, "nope"),
        ("/bulk/start", {"action": "retry"}, 400, "needs a filter"),
        ("/bulk/start", {"action": "retry", "state": "discarded", "rate": "nan"}, 400, "The rate is"),
        ("/bulk/start", {"action": "retry", "state": "discarded", "expected": "٣"}, 303, ""),
        ("/bulk/stop", {"id": "nope"}, 404, "no bulk operation"),
        ("/act", {"action": "retry", "ref": ["1"] * 3000}, 400, "fields"),
        ("/act", {"action": "retry", "ref": "x" * (1 << 20)}, 413, "bytes"),
    ],
)
async def test_a_wrong_form_is_answered_with_what_is_wrong(
    corner: Shop, path: str, form: dict[str, object], status: int, text: str
) -> None:
    answer = await corner.there.post(f"/s/main{path}", form)

    assert answer.status_code == status
    assert text in unescape(answer.text)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=x", b"no boundary here"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; filename="a"\r\n\r\n1',
        ),
        ("application/x-www-form-urlencoded", b"%zz=%ff&ref=%00"),
        ("application/json", b"{"),
        ("text/plain", b"\xff"),
    ],
)
async def test_what_is_no_form_is_refused(corner: Shop, kind: str, body: bytes) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": kind}

    answers = [
        await corner.there._client.post(path, content=body, headers=headers)
        for path in ("/s/main/act", "/s/main/queues/pause", "/settings", "/login")
    ]

    assert not [answer for answer in answers if answer.status_code >= 500]


async def test_each_change_is_written_down_with_who_and_why(corner: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ferryman.audit")
    refs = [str(corner.refs[State.DISCARDED]), str(corner.refs[State.RUNNING])]
    await corner.there.post("/s/main/act", {"action": "retry", "ref": refs, "reason": "provider is back"})
    await corner.there.post("/s/main/queues/resume", {"name": "mail"})
    await corner.there.get("/s/main/jobs")

    acted, resumed = [record.audit for record in caplog.records if record.name == "ferryman.audit"]
    request = acted.pop("request_id")
    assert acted == {
        "action": "job.retry",
        "actor": "ann",
        "how": "test",
        "address": "203.0.113.7",
        "storage": "main",
        "targets": refs,
        "count": 2,
        "outcomes": {"done": 1, "skipped_state": 1},
        "reason": "provider is back",
    }
    assert (resumed["action"], resumed["targets"]) == ("queue.resume", ["mail"])
    assert resumed["request_id"] != request


async def test_buttons_are_drawn_for_those_alone_who_may_press_them(corner: Shop) -> None:
    looking = Dashboard(corner.jobs, auth=lambda request: Access(Level.VIEW, "eve", "test"))
    read_only = Dashboard(corner.jobs, auth=lambda request: Access(Level.ADMIN, "ann", "test"), read_only=True)
    pages = [
        "/s/main/jobs",
        "/s/main/queues",
        "/s/main/queue?name=mail",
        f"/s/main/job?id={corner.refs[State.DISCARDED]}",
    ]
    async with Asking(looking) as eve, Asking(read_only) as ann:
        for page in pages:
            for there in (eve, ann):
                text = (await there.get(page)).text
                forms = re.findall(r'<form method="post" action="([^"]*)">(.*?)</form>', text, re.DOTALL)
                with_button = {action for action, form in forms if re.search(r'<button (?![^>]*type="button")', form)}
                assert with_button <= {"/settings"}, page
        assert "Read-only" in (await ann.get(pages[0])).text


async def test_a_form_stores_a_job_and_leads_to_it(shop: Shop) -> None:
    typed = {"kind": "mail:send", "args": '{"to": "ada"}', "queue": "mail", "delay": "10m", "retries": "3"}

    answer = await shop.there.post("/s/main/enqueue", typed)
    text = await said(shop.there, answer)
    job = await shop.jobs.admin.jobs.get(JobRef(*_ids(answer.headers["location"])))

    assert text == "Stored. It is scheduled."
    assert (job.kind, job.queue, job.state, job.max_attempts) == ("mail:send", "mail", State.SCHEDULED, 4)
    assert json.loads(job.args) == {"to": "ada"}


def _ids(address: str) -> tuple[str, str]:
    query = dict(parse_qsl(urlsplit(address).query))
    return query["id"], query.get("queue", "")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"args": "{to: ada}"}, "The arguments are no JSON"),
        ({"kind": " "}, "Say of which kind"),
        ({"delay": "soon"}, "soon"),
        ({"retries": "-1"}, "It takes a whole number"),
    ],
)
async def test_what_is_wrong_with_a_job_is_said_beside_what_was_typed(
    corner: Shop, wrong: dict[str, str], text: str
) -> None:
    before = await corner.jobs.admin.jobs.count()

    answer = await corner.there.post("/s/main/enqueue", {"kind": "mail:send", "args": '{"a": 1}', **wrong})

    assert answer.status_code == 400
    assert text in unescape(answer.text)
    assert {"args": '{"a": 1}', **wrong}["args"] in unescape(answer.text)
    assert await corner.jobs.admin.jobs.count() == before


async def test_a_task_that_is_known_checks_the_arguments_of_a_job(corner: Shop) -> None:
    @corner.jobs.task("mail:count", queue="mail")
    async def count(copies: int) -> None: ...

    wrong = await corner.there.post("/s/main/enqueue", {"kind": "mail:count", "args": '{"copies": "many"}'})
    right = await corner.there.post("/s/main/enqueue", {"kind": "mail:count", "args": '{"copies": 2}'})

    assert wrong.status_code == 400
    assert "copies" in wrong.text
    assert (await corner.jobs.admin.jobs.get(JobRef(*_ids(right.headers["location"])))).queue == "mail"


async def test_a_form_for_a_job_is_not_shown_where_nothing_can_be_changed(corner: Shop) -> None:
    dashboard = Dashboard(corner.jobs, auth=lambda request: Access(Level.ADMIN, "ann", "test"), read_only=True)
    async with Asking(dashboard) as there:
        assert (await there.get("/s/main/enqueue")).status_code == 403
