"""A browser, and dashboards that it can reach; skipped where there is no Chromium."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from starlette.requests import Request

from ferryman import Ferryman
from ferryman.job import JobRef, State
from ferryman.web import Access, Dashboard, Level
from ferryman.web.entrance.logins import Decide, Way
from web.conftest import url_of
from web.stocked import stock

expect.set_options(timeout=60_000)

PICTURES = Path(__file__).parents[3] / ".walk"
"""Where pictures of the pages are left, by storage and look."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AXE = (Path(__file__).parent / "axe.min.js").read_text()
SERIOUS = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"], preload: false, ...RULES});
  const serious = found.violations.filter((it) => ["serious", "critical"].includes(it.impact));
  return serious.map((it) => `${it.id}: ${it.help}: ${it.nodes[0].html.slice(0, 200)}`);
}"""
Fill = Callable[[Ferryman], Awaitable[dict[State, JobRef]]]
TELL = "addEventListener('securitypolicyviolation', (it) => console.error('CSP', it.violatedDirective, it.blockedURI))"


@dataclass
class Site:
    """A dashboard that is served, over jobs of every state."""

    url: str
    jobs: Ferryman
    refs: dict[State, JobRef]


@dataclass
class Tab:
    """A page of the browser, and what it complained of."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    async def serious(self, rules: str) -> list[str]:
        """Return what axe finds serious or critical, by these of its rules."""
        found: list[str] = await self.page.evaluate(SERIOUS.replace("RULES", rules))
        return found

    async def faults(self) -> list[str]:
        """Return what is wrong with the page however it is looked at.

        An id is used once: parts that are replaced while a page is live would be mixed up.
        """
        ids = Counter(await self.page.evaluate("[...document.querySelectorAll('[id]')].map((it) => it.id)"))
        found = [f"two parts are called {id}" for id, number in ids.items() if number > 1]
        return found if await self.page.evaluate("scrollY === 0") else [*found, "it scrolls down by itself"]

    def complaints(self, status: int) -> list[str]:
        """Return what the browser complained of since the last call, but that a page is missing which should be."""
        missing = f"Failed to load resource: the server responded with a status of {status}"
        said = [each for each in self.wrong if not (status == 404 and each.startswith(missing))]
        self.wrong.clear()
        return said

    async def is_too_wide(self) -> bool:
        """Whether the page itself scrolls sideways."""
        return bool(await self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on the path")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def tab(browser: Browser, **said: Any) -> AsyncIterator[Tab]:
    """Open a tab of its own, as `said`: color_scheme, viewport, java_script_enabled."""
    context: BrowserContext = await browser.new_context(**said)
    if said.get("java_script_enabled", True):
        await context.add_init_script(TELL)
    page = await context.new_page()
    page.set_default_timeout(90_000)
    opened = Tab(page)
    page.on("console", lambda message: _note(opened, message.type, message.text))
    page.on("pageerror", lambda error: opened.wrong.append(str(error)))
    try:
        yield opened
    finally:
        await context.close()


async def live_every_two_seconds(opened: Tab, there: Site) -> None:
    """Let this tab's pages ask for what is new as often as a person can choose."""
    settings = [{"name": "ferryman_settings", "value": "live=2", "url": there.url}]
    await opened.page.context.add_cookies(settings)  # type: ignore[arg-type]


def _note(tab: Tab, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        tab.wrong.append(text)


@asynccontextmanager
async def site(storage: str, **said: Any) -> AsyncIterator[Site]:
    """Serve a dashboard over a storage with a job of every state, or as `said`."""
    with url_of(storage) as url:
        async with served(url, **said) as there:
            yield there


async def stock_nothing(jobs: Ferryman) -> dict[State, JobRef]:
    """Store no jobs."""
    return {}


def ann(request: Request) -> Access:
    """Let everybody in as ann, who may do everything."""
    return Access(Level.ADMIN, "ann", "test", reveal=True)


@asynccontextmanager
async def served(url: str, *, fill: Fill = stock, auth: Decide | Way = ann, streams: int = 0) -> AsyncIterator[Site]:
    """Serve a dashboard over this storage, which is filled with a job of every state, or otherwise."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with Ferryman(url, config=None) as jobs:
            refs = await fill(jobs)
            dashboard = Dashboard(jobs, auth=auth, streams=streams)
            config = uvicorn.Config(dashboard, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listening]))
            try:
                yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", jobs, refs)
            finally:
                server.should_exit = True
                await serving
