"""A storage that ends under an open page and comes back; on SQLite, where no server can end, a file that is locked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from ferryman.job import State
from ferryman.storage.river.sqlite import location
from ferryman.storage.river.sqlite.library import library
from ferryman.web import collector
from servers import PostgresServer, Server, postgres_programs, program
from storage.places import OnPostgres, migrate
from web.browser.conftest import live_every_two_seconds, served, tab

pytestmark = pytest.mark.asyncio(loop_scope="session")

Own = tuple[Server | PostgresServer, str]


@contextmanager
def redis() -> Iterator[Own]:
    """Give a server of one's own, and its URL."""
    server = Server(program(), "appendonly yes").start()
    yield server, server.url
    server.stop()


@contextmanager
def postgres() -> Iterator[Own]:
    """Give a server of one's own, and the URL of a database."""
    server = PostgresServer(postgres_programs()).start()
    with server.database() as url:
        migrate(OnPostgres(url))
        yield server, url
    server.stop()


@pytest.mark.parametrize("own", [redis, postgres])
async def test_a_storage_that_ends_under_an_open_page_is_told_and_shown_again_when_it_is_back(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, own: Callable[[], AbstractContextManager[Own]]
) -> None:
    monkeypatch.setattr(collector, "_INTERVAL", 0.3)
    monkeypatch.setattr(collector, "rest_after", lambda took, at_least: at_least)
    with own() as (server, url):
        async with served(url) as there, tab(browser) as opened:
            page, away = opened.page, opened.page.get_by_text("The storage cannot be reached")
            await live_every_two_seconds(opened, there)
            await page.goto(f"{there.url}/s/main/queues")
            await page.evaluate("window.same = true")
            server.stop()
            await expect(away).to_be_visible()
            await expect(page.get_by_role("link", name="mail", exact=True)).to_be_visible()  # what was seen last
            server.start()
            await expect(away).to_have_count(0)

            assert await page.evaluate("window.same")  # the page was never loaded anew
            assert opened.wrong == []


async def test_a_file_that_is_locked_can_be_looked_at_and_changed_again_when_it_is_not(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(location, "BUSY_SECONDS", 0.1)
    async with served(f"sqlite:///{tmp_path}/jobs.db") as there, tab(browser) as opened:
        page, retry = opened.page, opened.page.get_by_role("button", name="Retry", exact=True)
        with closing(library().connect(tmp_path / "jobs.db", isolation_level=None)) as other:
            other.execute("begin immediate")
            await page.goto(f"{there.url}/s/main/job?id={there.refs[State.DISCARDED].id}")
            await retry.click()
            await expect(page.locator("main")).to_contain_text("was kept locked")
            await page.go_back()
        await retry.click()
        await expect(page.locator("main")).to_contain_text("Retried 1.")
