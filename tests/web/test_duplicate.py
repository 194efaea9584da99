"""A new job like one that is there: the form to enqueue it is filled in, but never with what is hidden."""

from __future__ import annotations

import json
import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from ferryman import Ferryman
from ferryman.job import JobRef, State
from ferryman.web import Access, Dashboard, Level
from web.asking import Asking
from web.conftest import Shop, everything, url_of


async def test_a_job_is_duplicated_as_it_was(shop: Shop) -> None:
    mail = shop.jobs.kind("mail:send").using(queue="mail", retries=7)
    first = (await mail.enqueue({"to": "ada & <bob>", "user": 18446744073709551617})).ref
    page = await shop.there.get("/s/main/job", params={"id": first.id, "queue": "mail"})
    (link,) = re.findall(r'href="([^"]+)">Duplicate', page.text)

    form = await shop.there.get(unescape(link))
    answer = await shop.there.post("/s/main/enqueue", typed_in(form.text))
    there = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    second = await shop.jobs.admin.jobs.get(JobRef(there["id"], there.get("queue", "")))

    assert second.ref != first
    assert (second.kind, second.queue, second.max_attempts) == ("mail:send", "mail", 8)
    assert json.loads(second.args) == {"to": "ada & <bob>", "user": 18446744073709551617}


async def test_what_is_hidden_in_a_job_is_not_copied_for_anybody(corner: Shop) -> None:
    ref = corner.refs[State.AVAILABLE]
    dashboard = Dashboard(corner.jobs, auth=lambda request: Access(Level.ADMIN, "ann", "test", reveal=True))
    async with Asking(dashboard) as there:
        form = await there.get(f"/s/main/enqueue?id={ref.id}")

    assert typed_in(form.text)["args"] == "{}"
    assert "none are copied" in form.text


@pytest.mark.parametrize(
    ("payload", "why"),
    [(b"\xff\xfe", "are hidden"), (b"plain text", "no JSON"), (b'["%s"]' % (b"x" * 70_000), "too long")],
)
async def test_arguments_that_no_form_can_hold_are_not_copied(payload: bytes, why: str) -> None:
    with url_of("redis") as url:
        async with Ferryman(url, config=None) as jobs, Asking(everything(jobs)) as there:
            ref = (await jobs.enqueue(jobs.kind("mail:send").job(payload))).ref
            form = await there.get("/s/main/enqueue", params={"id": ref.id, "queue": "default"})

    assert typed_in(form.text)["args"] == "{}"
    assert why in form.text


def typed_in(page: str) -> dict[str, str]:
    """Return what stands in the fields of a form."""
    fields = dict(re.findall(r'<input id="\w+" name="(\w+)" value="([^"]*)"', page))
    (args,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    return {name: unescape(value) for name, value in {**fields, "args": args}.items()}
