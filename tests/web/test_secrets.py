"""Secrets that stand in arguments, errors, headers, metadata and URLs are seen by nobody who was not let see them."""

from __future__ import annotations

import logging

import pytest

from ferryman import Ferryman
from ferryman.job import State
from ferryman.web import Access, Dashboard, Level
from ferryman.web.api.calls import CALLS
from web.asking import Asking
from web.conftest import Shop
from web.stocked import KEY, PASSWORD
from web.test_pages import PAGES

VIEWS = ["", "&view_arguments=raw", "&view_arguments=hex", "&view_metadata=raw", "&view_headers=raw", "&attempt=1"]


async def test_no_page_no_answer_of_the_api_and_no_log_has_a_secret(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    there = shop.there
    answers = [await there.get(f"/s/main{page}") for page in PAGES]
    for ref in shop.refs.values():
        answers += [await there.get(f"/s/main/job?id={ref.id}&queue={ref.queue}{view}") for view in VIEWS]
        answers.append(await there.api("GET", f"/job?id={ref.id}&queue={ref.queue}"))
    looking = [call for call in CALLS if call.method == "GET" and call.path not in ("/job", "/bulk", "/events")]
    answers += [await there.api("GET", call.path) for call in looking]
    answers.append(await there.api("POST", "/bulk/preview", {"action": "retry", "filter": {"state": "discarded"}}))
    discarded, running = shop.refs[State.DISCARDED], shop.refs[State.RUNNING]
    for form in (
        {"action": "delete", "ref": [str(discarded), str(running)], "reason": f"token={KEY}"},
        {"action": "retry", "ref": f"{KEY}/7"},
    ):
        answers.append(await there.post("/s/main/act", form))

    assert not [(answer.url, answer.text[:300]) for answer in answers if answer.status_code not in (200, 303)]
    for secret in (KEY, PASSWORD):
        hexed = secret.encode().hex(" ")[:47]
        for answer in answers:
            assert secret not in answer.text, answer.url
            assert secret not in str(answer.headers), answer.url
            assert hexed not in answer.text, answer.url
        assert not [record for record in caplog.records if secret in record.getMessage()]


async def test_a_secret_in_the_reason_for_a_pause_is_not_kept(board: Asking) -> None:
    await board.post("/s/main/queues/pause", {"name": "mail", "reason": f"the password={PASSWORD} is old"})

    assert PASSWORD not in (await board.get("/s/main/queue?name=mail")).text
    assert " is old" in (await board.get("/s/main/queue?name=mail")).text
    assert PASSWORD not in (await board.api("GET", "/queues")).text


async def test_a_storages_password_is_not_told_when_it_cannot_be_reached(caplog: pytest.LogCaptureFixture) -> None:
    jobs = Ferryman(f"redis://ann:{PASSWORD}@127.0.0.1:1/0", config=None)
    async with Asking(Dashboard(jobs, auth=lambda request: Access(Level.ADMIN))) as there:
        answers = [await there.get(f"/s/main{page}") for page in PAGES]
        answers.append(await there.api("GET", "/storage"))

    assert all("127.0.0.1" in answer.text for answer in answers if answer.status_code == 503)
    assert not any(PASSWORD in answer.text for answer in answers)
    assert PASSWORD not in caplog.text


async def test_secrets_cannot_be_guessed_by_looking_for_them(corner: Shop) -> None:
    by_name = await corner.there.api("GET", "/jobs?args=api_key%3Dsk-a")
    found = await corner.there.api("GET", f"/jobs?error={KEY[:8]}")
    counted = await corner.there.api("GET", f"/jobs/count?error={KEY[:8]}")
    grouped = await corner.there.api("GET", f"/failed/groups?error={KEY[:8]}")

    assert (by_name.status_code, by_name.json()["code"]) == (400, "hidden")
    assert (found.json()["jobs"], counted.json()["count"], grouped.json()["groups"]) == ([], 0, [])


async def test_what_is_hidden_is_shown_to_who_may_see_it_and_says_why(
    jobs: Ferryman, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ferryman.audit")
    (job,) = (await jobs.admin.jobs.list(limit=10)).items[-1:]
    wanted = {"ref": str(job.ref)}
    with_right = Dashboard(jobs, auth=lambda request: Access(Level.VIEW, "eve", "test", reveal=True))
    without = Dashboard(jobs, auth=lambda request: Access(Level.ADMIN, "ann", "test"))
    async with Asking(with_right) as eve, Asking(without) as ann:
        shown = await eve.post("/s/main/job/reveal", {**wanted, "reason": "a customer asks"})
        silent = await eve.post("/s/main/job/reveal", wanted)
        refused = await ann.post("/s/main/job/reveal", {**wanted, "reason": "curious"})

    assert KEY in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert (silent.status_code, refused.status_code) == (400, 403)
    (line,) = [record.audit for record in caplog.records if hasattr(record, "audit")]
    assert (line["action"], line["actor"], line["reason"]) == ("job.reveal", "eve", "a customer asks")
