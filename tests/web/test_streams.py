"""Streams that tell of later snapshots: to browsers as long as there is room, and until somebody hangs up."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Self

import pytest

from ferryman import Ferryman
from ferryman.web import Access, Dashboard, Level, streams
from web.asking import Asking

EVENTS = "/api/v1/s/main/events"


class Browser:
    """Listens to a stream until it ends, or until it goes away."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._leaves = asyncio.Event()

    async def __aenter__(self) -> Self:
        scope = {"type": "http", "asgi": {"spec_version": "2.3"}, "http_version": "1.1", "method": "GET"}
        scope |= {"scheme": "http", "path": EVENTS, "raw_path": EVENTS.encode(), "query_string": b"", "root_path": ""}
        scope |= {"headers": [(b"host", b"jobs.example")], "client": ("203.0.113.7", 4711), "server": ("x", 80)}
        self._task = asyncio.create_task(self._dashboard(scope, self._receive, self._heard.put))
        self.answer = await self._heard.get()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._leaves.set()
        await self._task

    async def _receive(self) -> dict[str, Any]:
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def hear(self) -> str:
        """Return what comes next; nothing at the end."""
        body: bytes = (await self._heard.get())["body"]
        return body.decode()


@pytest.fixture
async def board(jobs: Ferryman) -> AsyncIterator[Asking]:
    """A dashboard with room for two streams."""
    dashboard = Dashboard(jobs, auth=lambda request: Access(Level.OPERATE, "ann", "test"), streams=2)
    async with Asking(dashboard) as there:
        yield there


async def test_who_listens_hears_that_something_was_changed_and_not_what(board: Asking) -> None:
    async with Browser(board.dashboard) as browser:
        again = await browser.hear()
        await board.post("/s/main/queues/pause", {"name": "mail"})
        number = (await board.api("GET", "/snapshot")).json()["number"]
        heard = [await browser.hear()]
        while int(heard[-1].rpartition(" ")[2]) < number:
            heard.append(await browser.hear())

    headers = dict(browser.answer["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert headers[b"x-accel-buffering"] == b"no"
    assert again == "retry: 5000\n\n"
    assert all(re.fullmatch(r"event: snapshot\ndata: \d+\n\n", each) for each in heard)


async def test_a_stream_that_has_nothing_to_tell_says_now_and_then_that_it_lives(
    board: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_QUIET", 0.01)
    async with Browser(board.dashboard) as browser:
        await browser.hear()

        assert ":\n\n" in [await browser.hear() for _ in range(5)]


async def test_a_stream_ends_in_time_so_that_who_was_logged_out_hears_no_more(
    board: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_LONGEST", 0.0)
    async with Browser(board.dashboard) as browser:
        assert [await browser.hear(), await browser.hear()] == ["retry: 5000\n\n", ""]


async def test_one_stream_too_many_is_refused_until_a_browser_goes_away(board: Asking) -> None:
    async with Browser(board.dashboard) as first, Browser(board.dashboard) as second:
        await first.hear()
        await second.hear()
        refused = await board.get(EVENTS)
    async with Browser(board.dashboard) as third:
        answer = third.answer

    assert (refused.status_code, refused.json()["code"]) == (503, "no_stream")
    assert answer["status"] == 200


async def test_no_more_begin_than_there_is_room_for_when_all_come_at_once(board: Asking) -> None:
    browsers = [Browser(board.dashboard) for _ in range(5)]
    await asyncio.gather(*(browser.__aenter__() for browser in browsers))
    statuses = [browser.answer["status"] for browser in browsers]
    await asyncio.gather(*(browser.__aexit__() for browser in browsers))

    assert sorted(statuses) == [200, 200, 503, 503, 503]


async def test_hanging_up_ends_every_stream_at_once_and_others_may_begin(board: Asking) -> None:
    async with Browser(board.dashboard) as browser:
        await browser.hear()
        board.dashboard.hang_up()
        end = await browser.hear()
        async with Browser(board.dashboard) as other:
            begins = await other.hear()

    assert end == ""
    assert begins == "retry: 5000\n\n"


async def test_pages_know_of_streams_where_there_are_any(jobs: Ferryman, board: Asking) -> None:
    async with Asking(Dashboard(jobs, auth=lambda request: Access(Level.VIEW))) as there:
        without, refused = await there.get("/s/main/"), await there.get(EVENTS)

    assert f'data-events="{EVENTS}"' in (await board.get("/s/main/")).text
    assert "data-events" not in without.text
    assert refused.status_code == 503
