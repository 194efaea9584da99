"""What hands do on the dashboard: buttons, keys, selections, a page that is looked at while jobs fail."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from ferryman.job import State
from web.browser.conftest import Site, live_every_two_seconds, site, tab
from web.stocked import fail

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAID = 'main [role="status"]'


@pytest_asyncio.fixture(loop_scope="session")
async def there() -> AsyncIterator[Site]:
    """A dashboard of one's own, for the tests that change something."""
    async with site("sqlite") as served:
        yield served


async def open_job(page: Page, there: Site, state: State) -> None:
    await page.goto(f"{there.url}/s/main/job?id={there.refs[state].id}")


async def test_the_buttons_do_what_they_say(browser: Browser, there: Site) -> None:
    async with tab(browser) as opened:
        page = opened.page
        await open_job(page, there, State.DISCARDED)
        await page.get_by_role("button", name="Retry", exact=True).click()
        await expect(page.locator(SAID)).to_have_text("Retried 1.")

        await open_job(page, there, State.SCHEDULED)
        await page.get_by_role("button", name="Cancel", exact=True).click()
        await page.get_by_role("button", name="Cancel it").click()
        await expect(page.locator(SAID)).to_have_text("Cancelled 1.")

        await page.goto(f"{there.url}/s/main/queue?name=default")
        await page.get_by_role("button", name="Pause", exact=True).click()
        await page.get_by_label("Reason").fill("provider is down")
        await page.locator(":popover-open").get_by_role("button", name="Pause").click()
        await expect(page.locator("main")).to_contain_text("by ann: provider is down")
        await page.get_by_role("button", name="Resume").click()
        await expect(page.locator(SAID)).to_have_text("Resumed default.")

        assert opened.wrong == []
    assert (await there.jobs.admin.queues.get("default")).paused_at is None


async def test_a_group_of_failures_is_retried_with_three_clicks(browser: Browser, there: Site) -> None:
    refs = [await fail(there.jobs, "the printer is on fire") for _ in range(3)]
    async with tab(browser) as opened:
        page = opened.page
        await live_every_two_seconds(opened, there)
        await page.goto(f"{there.url}/s/main/failed")
        await page.get_by_role("link", name=re.compile("printer")).first.click()
        await page.get_by_role("link", name="Retry all 3").click()
        await page.get_by_role("button", name="Retry them").click()
        await expect(page.locator("main")).to_contain_text("done")

        assert opened.wrong == []
    assert {(await there.jobs.admin.jobs.get(ref)).state for ref in refs} == {State.AVAILABLE}


async def test_rows_are_selected_and_acted_on_together(browser: Browser, there: Site) -> None:
    async with tab(browser) as opened:
        page = opened.page
        await page.goto(f"{there.url}/s/main/jobs?state=discarded,retryable")
        await page.get_by_label("Select all jobs on this page").check()
        await expect(page.locator("[data-picked]")).to_have_text("2 selected")
        await page.locator("[data-bulk]").get_by_role("button", name="Retry").click()
        await expect(page.locator(SAID)).to_have_text("Retried 2.")

        assert opened.wrong == []


async def test_a_copy_button_copies_and_a_theme_stays(browser: Browser, there: Site) -> None:
    async with tab(browser, permissions=["clipboard-read", "clipboard-write"], color_scheme="light") as opened:
        page = opened.page
        await open_job(page, there, State.DISCARDED)
        await page.get_by_role("button", name="Copy id").first.click()
        assert await page.evaluate("navigator.clipboard.readText()") == there.refs[State.DISCARDED].id

        async with page.expect_response("**/settings"):
            await page.get_by_role("button", name="Switch between light and dark").click()
        await page.reload()
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        assert opened.wrong == []


async def test_a_job_that_fails_while_one_looks_appears_by_itself(browser: Browser, there: Site) -> None:
    async with tab(browser) as opened:
        page = opened.page
        await live_every_two_seconds(opened, there)
        await page.goto(f"{there.url}/s/main/jobs?state=discarded")
        await page.evaluate("window.same = true")
        ref = await fail(there.jobs, "the printer is on fire")
        await expect(page.locator(f'input[value="{ref}"]')).to_have_count(1)

        assert await page.evaluate("window.same")  # the page was never loaded anew
        assert opened.wrong == []


async def test_nothing_moves_while_a_row_is_selected(browser: Browser, there: Site) -> None:
    async with tab(browser) as opened:
        page = opened.page
        await live_every_two_seconds(opened, there)
        await page.goto(f"{there.url}/s/main/jobs?state=discarded")
        await page.locator('tbody input[name="ref"]').first.check()
        await expect(page.locator("#live-state")).to_contain_text("Paused: 1 selected")
        ref = await fail(there.jobs, "the printer is on fire")
        row, newer = page.locator(f'input[value="{ref}"]'), page.get_by_role("button", name="1 newer job: show")
        await expect(newer).to_be_visible()
        assert await row.count() == 0

        await newer.click()
        await expect(row).to_have_count(1)


async def test_live_updates_pause_and_go_on(browser: Browser, there: Site) -> None:
    async with tab(browser) as opened:
        page = opened.page
        await page.goto(f"{there.url}/s/main/")
        state = page.locator("#live-state")
        await expect(state).to_contain_text("Live 5 s")
        await page.locator("#live-menu summary").click()
        await page.get_by_role("button", name="Paused").click()
        await expect(state).to_have_text("Paused")
        await page.locator("#live-menu summary").click()
        await page.get_by_role("button", name="Every 2 s").click()
        await expect(state).to_contain_text("Live 2 s")


async def test_all_of_it_can_be_reached_by_keys(browser: Browser, there: Site) -> None:
    async with tab(browser) as opened:
        page = opened.page
        await page.context.add_cookies([{"name": "ferryman_settings", "value": "keys=on", "url": there.url}])
        await page.goto(f"{there.url}/s/main/jobs")
        await page.keyboard.press("Tab")
        assert await focused(page) == "Skip to content"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"

        await page.keyboard.press("/")
        assert await page.evaluate("document.activeElement.name") == "q"
        await page.keyboard.press("Escape")
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("j")
        assert await focused(page) == "mail:send"
        await page.keyboard.press("x")
        await expect(page.locator("[data-picked]")).to_have_text("1 selected")
        await page.keyboard.press("g")
        await page.keyboard.press("w")
        await page.wait_for_url("**/s/main/workers")
        await page.keyboard.press("?")
        await expect(page.locator("#keys")).to_be_visible()
        assert opened.wrong == []


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.textContent"))


async def test_reading_and_acting_need_no_javascript(browser: Browser, there: Site) -> None:
    async with tab(browser, java_script_enabled=False) as opened:
        page = opened.page
        await page.goto(f"{there.url}/s/main/jobs")
        await page.get_by_label("Error contains").fill("route")
        await page.get_by_role("button", name="Apply").click()
        await expect(page.locator("tbody tr")).to_have_count(1)
        await page.locator('input[name="ref"]').check()
        await page.locator("[data-bulk]").get_by_role("button", name="Retry").click()
        await expect(page.locator(SAID)).to_have_text("Retried 1.")

        await page.goto(f"{there.url}/s/main/queue?name=default")
        await page.get_by_role("button", name="Pause", exact=True).click()
        await page.locator(":popover-open").get_by_role("button", name="Pause").click()
        await expect(page.locator(SAID)).to_contain_text("Paused default.")


async def test_a_dashboard_that_ends_and_comes_back_is_told(browser: Browser) -> None:
    async with site("sqlite") as there, tab(browser) as opened:
        page, state = opened.page, opened.page.locator("#live-state")
        await page.clock.install()
        await page.goto(f"{there.url}/s/main/")
        await page.route("**/s/main/", lambda route: route.abort())
        await page.clock.fast_forward(5_000)
        await expect(state).to_contain_text("Offline")
        await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        await page.unroute("**/s/main/")
        await page.clock.fast_forward(60_000)
        await expect(state).to_contain_text("Live 5 s")
