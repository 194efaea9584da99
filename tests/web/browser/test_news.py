"""Pages that are told of news at once, over one stream for all tabs of a browser."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from web.browser.conftest import Site, site, tab

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVENTS = "**/api/v1/s/main/events"


async def open_queue(page: Page, there: Site) -> None:
    """Open a page whose clock stands still, so that it asks for nothing by itself."""
    await page.clock.install()
    await page.goto(f"{there.url}/s/main/queue?name=default")
    await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))


async def pause(page: Page, there: Site) -> None:
    sent = await page.request.post(
        f"{there.url}/s/main/queues/pause", form={"name": "default"}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert sent.ok


async def test_every_tab_shows_at_once_what_somebody_does_and_one_of_them_holds_a_stream(browser: Browser) -> None:
    async with site("sqlite", streams=2) as there, tab(browser) as opened:
        asked: list[str] = []
        opened.page.context.on("request", lambda request: asked.append(request.resource_type))
        pages = [opened.page, await opened.page.context.new_page()]
        async with opened.page.expect_response(EVENTS):
            await open_queue(pages[0], there)
        await open_queue(pages[1], there)
        await pause(opened.page, there)
        for page in pages:
            await expect(page.get_by_role("button", name="Resume")).to_be_visible()

        assert asked.count("eventsource") == 1
        assert opened.wrong == []


async def test_a_tab_that_nobody_looks_at_lets_go_of_its_stream_after_half_a_minute(browser: Browser) -> None:
    async with site("sqlite", streams=1) as there, tab(browser) as opened:
        page = opened.page
        async with page.expect_response(EVENTS):
            await open_queue(page, there)
        async with page.expect_event("requestfailed", lambda request: request.resource_type == "eventsource"):
            await look(page, hidden=True)
            await page.clock.run_for(30_000)
        async with page.expect_response(EVENTS) as again:
            await look(page, hidden=False)

        assert (await again.value).ok


async def look(page: Page, *, hidden: bool) -> None:
    """Let the page think that somebody looks at it, or nobody."""
    await page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


async def test_where_there_is_no_room_for_a_stream_a_page_asks_as_ever(browser: Browser) -> None:
    async with site("sqlite", streams=1) as there, tab(browser) as first, tab(browser) as opened:
        async with first.page.expect_response(EVENTS):
            await open_queue(first.page, there)
        async with opened.page.expect_response(EVENTS) as refused:
            await open_queue(opened.page, there)
        await pause(opened.page, there)
        await opened.page.clock.run_for(5_000)
        await expect(opened.page.get_by_role("button", name="Resume")).to_be_visible()

        assert (await refused.value).status == 503
