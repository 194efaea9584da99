"""What it costs a storage to be looked at, what is said while it is away, and how browsers keep pages."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

import ferryman
from ferryman import Ferryman
from ferryman.errors import StorageUnavailable
from ferryman.job import State
from ferryman.web import Access, Dashboard, Level
from ferryman.web.answering import HEADERS
from ferryman.web.collector import Collector
from ferryman.web.pages.storage import NAMES
from web.asking import Asking
from web.conftest import Shop, everything
from web.test_pages import PAGES


class Counting:
    """An admin API, or a part of one: counts how often one call is made, and can hold it up or let it fail."""

    def __init__(self, part: Any, name: str) -> None:
        self.part, self.name, self.calls = part, name, 0
        self.error: Exception | None = None
        self.asked, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()

    def __getattr__(self, name: str) -> Any:
        return self.counted if name == self.name else getattr(self.part, name)

    async def counted(self, *args: Any, **said: Any) -> Any:
        self.calls += 1
        self.asked.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return await getattr(self.part, self.name)(*args, **said)


def counted(there: Asking) -> Counting:
    """Count the looks at the storage."""
    collector = there.dashboard.board.places["main"].collector
    collector._admin = counting = Counting(collector._admin, "snapshot")
    return counting


async def test_a_hundred_viewers_cost_the_storage_what_one_costs(shop: Shop) -> None:
    looks = counted(shop.there)

    answers = await asyncio.gather(*(shop.there.get(f"/s/main{page}") for page in ["/", "/queues"] * 50))

    assert {answer.status_code for answer in answers} == {200}
    assert looks.calls == 1


async def test_who_asks_for_the_same_list_at_the_same_time_waits_for_one_read(
    corner: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = Counting(corner.jobs.admin.jobs, "list")
    monkeypatch.setattr(corner.jobs.admin, "jobs", listing)
    await corner.there.get("/s/main/")
    listing.gate.clear()

    asked = [asyncio.create_task(corner.there.get("/s/main/jobs?state=discarded")) for _ in range(20)]
    await listing.asked.wait()
    for _ in range(200):  # the others arrive
        await asyncio.sleep(0)
    listing.gate.set()
    answers = await asyncio.gather(*asked)

    assert {answer.status_code for answer in answers} == {200}
    assert listing.calls == 1


async def test_what_a_browser_has_already_is_not_sent_again(corner: Shop) -> None:
    for page in ("/s/main/", "/s/main/queues"):
        first = await corner.there.get(page)
        again = await corner.there.get(page, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


async def test_a_page_is_sent_anew_when_something_has_changed(corner: Shop) -> None:
    first = await corner.there.get("/s/main/queues")
    await corner.there.post("/s/main/queues/resume", {"name": "mail"})
    await corner.there.get("/s/main/queues")
    again = await corner.there.get("/s/main/queues", headers={"If-None-Match": first.headers["ETag"]})
    dark = await corner.there.post("/settings", {"theme": "dark"})
    styled = await corner.there.get("/s/main/queues", headers={"If-None-Match": again.headers["ETag"]})

    assert (again.status_code, dark.status_code, styled.status_code) == (200, 303, 200)
    assert 'data-theme="dark"' in styled.text


async def test_every_answer_says_what_browsers_may_do_with_it(corner: Shop) -> None:
    page = await corner.there.get("/s/main/")
    (style,) = [part for part in page.text.split('"') if part.endswith("app.css")]
    paths = [
        "/s/main/",
        "/nowhere",
        "/s/other/",
        "/s/main/job?id=0",
        "/static/x/none",
        "/login",
        "/-/livez",
        "/robots.txt",
    ]
    answers = [await corner.there.get(path) for path in [*paths, style, "/api/v1/openapi.json", "/api/v1/nowhere"]]
    answers.append(await corner.there._client.post("/s/main/act"))  # refused
    answers.append(await corner.there._client.put("/s/main/"))  # no such method

    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, answer.url
        kept = answer.headers.get("Cache-Control", "")
        assert ("immutable" in kept) == answer.url.path.endswith("app.css"), answer.url
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_while_the_storage_is_away_the_latest_that_was_seen_stays(
    corner: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.web.collector._INTERVAL", 0.01)
    collector = corner.there.dashboard.board.places["main"].collector
    before = await corner.there.get("/s/main/queues")
    looks = counted(corner.there)

    looks.error = StorageUnavailable("127.0.0.1:6379 does not answer")
    await seen(corner.there, collector, reachable=False)
    away = [await corner.there.get(f"/s/main{page}") for page in ("/", "/queues", "/workers")]
    looks.error = None
    await seen(corner.there, collector, reachable=True)
    back = await corner.there.get("/s/main/queues")

    assert {answer.status_code for answer in away} == {200}
    assert all("127.0.0.1:6379 does not answer" in answer.text for answer in away)
    assert ">mail<" in before.text
    assert ">mail<" in away[1].text
    assert "does not answer" not in back.text


async def seen(there: Asking, collector: Collector, *, reachable: bool) -> None:
    """Return when the storage has been looked at again."""
    async with asyncio.timeout(60):
        while (await collector.sight()).reachable != reachable:  # noqa: ASYNC110  # nobody is told
            await asyncio.sleep(0.01)


async def test_every_page_says_why_where_the_storage_was_never_there() -> None:
    jobs = Ferryman("redis://127.0.0.1:1/0", config=None)
    async with Asking(everything(jobs)) as there:
        for page in PAGES:
            answer = await there.get(f"/s/main{page}")
            assert answer.status_code in (200, 503), page
            assert "127.0.0.1:1" in answer.text, page
            assert (answer.status_code == 503) == ("Retry-After" in answer.headers)


async def test_a_look_that_goes_wrong_ends_in_an_error_and_not_in_waiting(corner: Shop) -> None:
    collector = corner.there.dashboard.board.places["main"].collector
    collector._admin = None  # type: ignore[assignment]  # a mistake of ours

    async with asyncio.timeout(30):
        answer = await corner.there.get("/s/main/")

    assert answer.status_code == 500
    assert "snapshot" not in answer.text


async def test_where_the_way_to_a_storage_ends_is_shown_on_its_page() -> None:
    jobs = Ferryman("redis://:hush@127.0.0.1:1/0", config=None)

    async with Asking(everything(jobs)) as there:
        page = (await there.get("/s/main/storage")).text

    steps = re.findall(r'data-tone="(\w+)">.*?<span class="name">([^<]+)</span>', page)
    assert steps == [("ok", "Name lookup"), ("bad", "Connect")]
    assert "nothing listens there" in page
    assert "nc -vz 127.0.0.1 1" in page
    assert "hush" not in page


async def test_two_storages_are_shown_side_by_side_and_do_not_mix(corner: Shop) -> None:
    async with Ferryman("sqlite://", config=None) as other:
        await other.kind("bill:send").enqueue({})
        both = Dashboard(
            {"main": corner.jobs, "billing": other}, auth=lambda request: Access(Level.ADMIN, "ann", "test")
        )
        async with Asking(both) as there:
            main, billing = await there.get("/s/main/jobs"), await there.get("/s/billing/jobs")
            acted = await there.post("/s/billing/act", {"action": "delete", "ref": str(corner.refs[State.DISCARDED])})
            home = await there.get("/")

    assert ("mail:send" in main.text, "bill:send" in main.text) == (True, False)
    assert ("mail:send" in billing.text, "bill:send" in billing.text) == (False, True)
    assert 'href="/s/billing/"' in main.text
    assert acted.status_code == 303
    assert (await corner.jobs.admin.jobs.get(corner.refs[State.DISCARDED])).state is State.DISCARDED
    assert home.headers["Location"] == "/s/main/"


async def test_who_scales_workers_hears_what_was_seen_last_while_the_storage_is_away(board: Asking) -> None:
    looks = counted(board)
    before = (await board.api("GET", "/scale")).json()
    looks.error = StorageUnavailable("the database is away")
    await board.dashboard.board.places["main"].collector.anew()

    after = await board.api("GET", "/scale")

    assert (before["ready"], before["running"], before["slots_wanted"]) == (1, 0, 1)
    assert before["oldest_ready_age"] is not None
    assert (after.status_code, after.json()["slots_wanted"], after.json()["seen_at"]) == (200, 1, before["seen_at"])


async def test_a_queue_that_is_paused_wants_slots_only_for_what_runs(board: Asking, jobs: Ferryman) -> None:
    await jobs.admin.queues.pause("mail")

    answer = (await board.api("GET", "/scale?queue=mail")).json()

    assert (answer["ready"], answer["slots_wanted"], answer["oldest_ready_age"]) == (0, 0, None)


async def test_a_number_that_was_never_seen_is_not_made_up(board: Asking) -> None:
    counted(board).error = StorageUnavailable("the database is away")

    assert (await board.api("GET", "/scale")).status_code == 503


def test_every_check_has_a_name_that_people_use() -> None:
    source = Path(ferryman.__file__).parent
    ids = {id for file in source.rglob("*.py") for id in re.findall(r'"([ACPRSU]-[A-Z]+)"', file.read_text("utf-8"))}

    assert ids <= NAMES.keys()


async def test_a_dashboard_is_ready_while_its_storage_answers(board: Asking) -> None:
    looks = counted(board)
    before = await board.get("/-/readyz")
    looks.error = StorageUnavailable("the database is away")
    await board.dashboard.board.places["main"].collector.anew()
    after = await board.get("/-/readyz")

    assert (before.status_code, before.text) == (200, "ok\n")
    assert (after.status_code, after.text) == (503, "main cannot be reached\n")


async def test_a_list_can_begin_with_the_oldest(board: Asking) -> None:
    newest = await board.api("GET", "/jobs")
    oldest = await board.api("GET", "/jobs?order=oldest")
    page = await board.get("/s/main/jobs?order=oldest")

    ids = [job["id"] for job in newest.json()["jobs"]]
    assert [job["id"] for job in oldest.json()["jobs"]] == ids[::-1]
    assert re.findall(r'name="ref" value="(\d+)"', page.text) == ids[::-1]
    assert "order=oldest" in page.text
    assert (await board.api("GET", "/jobs?order=upwards")).status_code == 400


async def test_what_is_not_there_is_told_on_a_page_that_leads_to_all_others(board: Asking) -> None:
    answer = await board.get("/s/main/job?id=99999")

    assert answer.status_code == 404
    assert "This job is not stored" in answer.text
    assert 'href="/s/main/failed"' in answer.text
    assert "hx-get" not in answer.text  # there is nothing to wait for
