"""A browser, and dashboards that it can reach; skipped where there is no Chromium."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from ferryman import Ferryman
from ferryman.job import JobRef, State
from ferryman.web import Access, Dashboard, Level
from web.conftest import url_of
from web.stocked import stock

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AXE = (Path(__file__).parent / "axe.min.js").read_text()
SERIOUS = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"], preload: false, ...RULES});
  const serious = found.violations.filter((it) => ["serious", "critical"].includes(it.impact));
  return serious.map((it) => `${it.id}: ${it.help}: ${it.nodes[0].html.slice(0, 200)}`);
}"""
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
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE)
        found: list[str] = await self.page.evaluate(SERIOUS.replace("RULES", rules))
        return found

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
    """Open a tab of its own, as `said`: colour_scheme, viewport, java_script_enabled."""
    context: BrowserContext = await browser.new_context(**said)
    if said.get("java_script_enabled", True):
        await context.add_init_script(TELL)
    page = await context.new_page()
    page.set_default_timeout(90_000)
    opened = Tab(page)
    page.on("console", lambda message: _note(opened, message.type, message.text))
    page.on("pageerror", lambda error: opened.wrong.append(str(error)))
    yield opened
    await context.close()


def _note(tab: Tab, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        tab.wrong.append(text)


@asynccontextmanager
async def site(storage: str) -> AsyncIterator[Site]:
    """Serve a dashboard over a storage with a job of every state."""
    with url_of(storage) as url:
        async with served(url) as there:
            yield there


async def nothing(jobs: Ferryman) -> dict[State, JobRef]:
    """Store no jobs."""
    return {}


@asynccontextmanager
async def served(
    url: str, *, fill: Callable[[Ferryman], Awaitable[dict[State, JobRef]]] = stock
) -> AsyncIterator[Site]:
    """Serve a dashboard over this storage, which is filled with a job of every state, or otherwise."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with Ferryman(url, config=None) as jobs:
            refs = await fill(jobs)
            dashboard = Dashboard(jobs, auth=lambda request: Access(Level.ADMIN, "ann", "test", reveal=True))
            config = uvicorn.Config(dashboard, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listening]))
            yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", jobs, refs)
            server.should_exit = True
            await serving


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def corner_site() -> AsyncIterator[Site]:
    """One dashboard over SQLite, for the tests that only look."""
    async with site("sqlite") as served:
        yield served


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages are kept."""
    return tmp_path_factory.mktemp("artifacts")
