"""Every page answers, whatever there is to be shown."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest

from ferryman import Ferryman
from ferryman.job import Job, State
from ferryman.web import Access, Dashboard, Level
from ferryman.web.routes import ROUTES
from web.asking import Asking
from web.conftest import Shop, everything, url_of
from web.stocked import HTML, fail

PAGES = [
    "/",
    "/queues?sort=oldest&direction=descending&q=a&hide_empty=on",
    "/queue?name=default",
    "/queue?name=mail&state=available",
    "/jobs",
    "/jobs?state=discarded,retryable&since=24h&kind=mail:send",
    "/failed",
    "/failed?view=list&window=all",
    "/periodic",
    "/periodic/entry?key=clean-up",
    "/enqueue?kind=mail:send",
    "/workers",
    "/storage",
    "/bulks",
    "/bulk/new?action=retry&state=discarded",
    "/../../about",
    "/../../settings",
]
NEEDING_JOBS = {"/queue?name=default", "/queue?name=mail&state=available", "/periodic/entry?key=clean-up"}


def test_no_page_is_left_out() -> None:
    named = {page.partition("?")[0].removeprefix("/../..") for page in PAGES} | {"/job", "/failed/group", "/bulk"}
    for_people = [way.path for way in ROUTES if way.method == "GET" and not way.path.startswith(("/api/", "/-/"))]
    pages = {path.removeprefix("/s/{storage}") for path in for_people}
    assert named == pages


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_answers_where_there_is_nothing_yet(empty: Asking, page: str) -> None:
    answer = await empty.get(f"/s/main{page}")

    assert answer.status_code == (404 if page in NEEDING_JOBS else 200)
    assert "<h1>" in answer.text


async def test_every_page_answers_with_jobs_of_every_state(shop: Shop) -> None:
    for page in PAGES:
        answer = await shop.there.get(f"/s/main{page}")
        assert answer.status_code == 200, page
        assert "<h1>" in answer.text


async def test_a_job_is_shown_in_every_state(shop: Shop) -> None:
    for state, ref in shop.refs.items():
        if state is State.CANCELLED and shop.jobs.settings.url.startswith("redis"):
            state = State.DISCARDED  # asynq keeps what is cancelled so
        answer = await shop.there.get("/s/main/job", params={"id": ref.id, "queue": ref.queue})
        assert answer.status_code == 200, state
        assert f"{state.value}</span>" in answer.text


async def test_a_group_of_failures_leads_to_its_jobs(shop: Shop) -> None:
    failed = await shop.there.api("GET", "/failed/groups")
    group = next(each for each in failed.json()["groups"] if "no route" in each["error"])

    answer = await shop.there.get("/s/main/failed/group", params={"fp": group["fingerprint"]})

    assert answer.status_code == 200
    assert shop.refs[State.DISCARDED].id in answer.text


async def test_what_jobs_say_is_text_and_never_a_page_of_its_own(shop: Shop) -> None:
    discarded = shop.refs[State.DISCARDED]
    of_job = "/job?" + urlencode({"id": discarded.id, "queue": discarded.queue})
    for page in [
        *PAGES,
        of_job,
        f"/jobs?error={quote(HTML)}",
        f"/jobs?kind={quote(HTML)}",
        f"/queue?name={quote(HTML)}",
    ]:
        answer = await shop.there.get(f"/s/main{page}")
        assert "<script>" not in answer.text, page
        assert "<img" not in answer.text, page


async def test_a_job_shows_its_group_and_that_nobody_runs_it_any_more() -> None:
    with url_of("redis") as url:
        async with Ferryman(url, config=None) as jobs, Asking(everything(jobs)) as there:
            waiting = await jobs.kind("mail:send").using(group="digest").enqueue()
            lost = await jobs.kind("mail:send").enqueue()
            storage, long_ago = await jobs.connections.storage(), datetime(2026, 1, 1, tzinfo=UTC)
            await storage.jobs.fetch([("default", 1)], limit=1, kinds=None, worker="gone", now=long_ago)

            pages = [
                (await there.get("/s/main/job", params={"id": job.ref.id, "queue": "default"})).text
                for job in (waiting, lost)
            ]

    told = "No worker has said lately that it runs this job."
    assert ["digest" in page for page in pages] == [True, False]
    assert [told in page for page in pages] == [False, True]


@pytest.mark.parametrize("name", ["a/b", "two words", "\"quoted\" 'twice'", "🦀", "%2F?&#", "<b>bold</b>"])
async def test_a_queue_may_have_any_name_that_redis_takes(name: str) -> None:
    with url_of("redis") as url:
        async with Ferryman(url, config=None) as jobs, Asking(everything(jobs)) as there:
            stored = await jobs.kind("mail:send").using(queue=name).enqueue({})
            pages = [await there.get("/s/main/"), await there.get("/s/main/queues"), await there.get("/s/main/jobs")]
            queue = await there.get("/s/main/queue", params={"name": name})
            job = await there.get("/s/main/job", params={"id": stored.ref.id, "queue": name})
            paused = await there.post("/s/main/queues/pause", {"name": name, "reason": name})
            cancelled = await there.post("/s/main/act", {"action": "delete", "ref": str(stored.ref)})
            held = await jobs.admin.queues.get(name)

    assert [page.status_code for page in [*pages, queue, job]] == [200] * 5
    assert (paused.status_code, cancelled.status_code) == (303, 303)
    assert held.paused_at is not None
    assert not held.counts


async def test_a_payload_of_a_megabyte_is_shown_in_part(corner: Shop) -> None:
    stored = await corner.jobs.kind("mail:send").enqueue({"text": "long " * 200_000})

    part = await corner.there.get(f"/s/main/job?id={stored.ref.id}")
    whole = await corner.there.get(f"/s/main/job?id={stored.ref.id}&whole=on")
    listed = await corner.there.get("/s/main/jobs")

    assert len(part.text) < 400_000
    assert "Show all of its" in part.text
    assert len(whole.text) > 1_000_000
    assert len(listed.text) < 100_000


@pytest.mark.parametrize("payload", [b"\x00\xff\xfe\x80" * 40, b"", b"not json", b'{"a": 1e999999}', b"\xef\xbb\xbf{}"])
async def test_a_payload_may_be_any_bytes(payload: bytes) -> None:
    with url_of("redis") as url:
        async with Ferryman(url, config=None) as jobs, Asking(everything(jobs)) as there:
            ref = (await jobs.enqueue(jobs.kind("mail:send").job(payload))).ref
            query = {"id": ref.id, "queue": ref.queue}
            views = [
                await there.get("/s/main/job", params={**query, "view_arguments": view})
                for view in ("pretty", "raw", "hex", "?")
            ]
            listed = await there.get("/s/main/jobs")
            told = await there.api("GET", "/job", params=query)

    assert [view.status_code for view in [*views, listed, told]] == [200] * 6
    if payload == b"\x00\xff\xfe\x80" * 40:
        assert b64encode(payload).decode() not in views[0].text


async def test_the_program_says_how_arguments_read_best_and_secrets_stay_hidden(corner: Shop) -> None:
    def formatter(kind: str, args: bytes) -> str | None:
        return f"{kind} with key sk-abcdefghijklmnop1234 and {len(args)} bytes" if kind == "mail:send" else None

    ref = corner.refs[State.AVAILABLE]
    dashboard = Dashboard(corner.jobs, auth=lambda request: Access(Level.VIEW), formatter=formatter)
    async with Asking(dashboard) as there:
        pretty = await there.get(f"/s/main/job?id={ref.id}")
        raw = await there.get(f"/s/main/job?id={ref.id}&view_arguments=raw")

    assert "mail:send with key ••••••" in pretty.text
    assert "mail:send with key" not in raw.text


async def test_a_formatter_that_fails_leaves_arguments_as_they_are(corner: Shop) -> None:
    def formatter(kind: str, args: bytes) -> str | None:
        raise ValueError("no such kind")

    async with Asking(Dashboard(corner.jobs, auth=lambda request: Access(Level.VIEW), formatter=formatter)) as there:
        answer = await there.get(f"/s/main/job?id={corner.refs[State.AVAILABLE].id}")

    assert answer.status_code == 200
    assert "ada@example.com" in answer.text


async def test_what_a_job_returned_is_shown_beside_its_metadata(shop: Shop) -> None:
    ref = shop.refs[State.COMPLETED]

    answer = await shop.there.get("/s/main/job", params={"id": ref.id, "queue": ref.queue})

    assert re.search(r">Result</h2>.*?&#34;token&#34;: &#34;••••••", answer.text, re.DOTALL)


async def test_numbers_longer_than_a_float_stay_as_they_were_written(corner: Shop) -> None:
    stored = await corner.jobs.kind("mail:send").enqueue({"user": 18446744073709551617})

    answer = await corner.there.get(f"/s/main/job?id={stored.ref.id}")

    assert "18446744073709551617" in answer.text


async def test_one_failure_among_many_jobs_is_found_by_what_it_says(corner: Shop) -> None:
    ref = await fail(corner.jobs, "the printer is on fire")

    answer = await corner.there.get("/s/main/jobs?q=printer is on fire")

    assert f'value="{ref}"' in answer.text
    assert "1 job" in answer.text


async def test_on_a_wall_there_is_nothing_to_press(corner: Shop) -> None:
    answer = await corner.there.get("/s/main/?kiosk=1")

    assert 'class="tiles"' in answer.text
    assert 'aria-label="Pages"' not in answer.text
    assert 'type="search"' not in answer.text
    assert "window=1h&amp;kiosk=1" in answer.text


async def test_a_schedule_shows_what_became_of_its_runs(shop: Shop) -> None:
    ran = await shop.jobs.admin.periodic.run("clean-up")

    entry = await shop.there.get("/s/main/periodic/entry?key=clean-up")
    listed = await shop.there.get("/s/main/periodic")

    for page in (entry, listed):
        assert f'href="/s/main/job?id={ran.ref.id}' in page.text
    assert "available</span>" in entry.text
    assert "the latest 1 runs" in listed.text


def looking(corner: Shop, links: Callable[[Job], list[tuple[str, str]]]) -> Asking:
    return Asking(Dashboard(corner.jobs, auth=lambda request: Access(Level.VIEW, reveal=True), links=links))


async def test_a_job_leads_to_the_programs_own_pages_about_it_and_no_secret_of_it_does(corner: Shop) -> None:
    def links(job: Job) -> list[tuple[str, str]]:
        said = json.loads(job.args)
        return [("The mail", f"/mails/{said['to']}"), ("<b>", f"https://x.example/?key={quote(said['api_key'])}")]

    async with looking(corner, links) as there:
        page = (await there.get(f"/s/main/job?id={corner.refs[State.AVAILABLE].id}")).text

    assert 'href="/mails/ada@example.com">The mail' in page
    assert 'href="https://x.example/?key=%E2%80%A2' in page
    assert "&lt;b&gt;" in page


@pytest.mark.parametrize("url", ["javascript:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)", "data:,x", ""])
async def test_a_link_that_would_run_something_is_not_shown(
    corner: Shop, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    async with looking(corner, lambda job: [("Run", url)]) as there:
        answer = await there.get(f"/s/main/job?id={corner.refs[State.AVAILABLE].id}")

    assert answer.status_code == 200
    assert "Run " not in answer.text
    assert "is not the address of a page" in caplog.text


async def test_a_function_of_links_that_fails_leaves_the_page_as_it_is(
    corner: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    async with looking(corner, lambda job: [("Order", json.loads(job.args)["order"])]) as there:
        answer = await there.get(f"/s/main/job?id={corner.refs[State.AVAILABLE].id}")

    assert answer.status_code == 200
    assert "KeyError: 'order'" in caplog.text
