"""The dashboard in a browser: every page on every storage, in light and dark, wide and narrow."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser

from ferryman.job import State
from web.browser.conftest import Site, Tab, site, tab
from web.test_pages import PAGES

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}


def addresses(there: Site) -> dict[str, str]:
    """Return every page by a name for its picture."""
    ref = there.refs[State.DISCARDED]
    pages = [*PAGES, f"/job?id={ref.id}&queue={ref.queue}", "/job?id=0", "/queue?name=nobody"]
    return {_name(page): f"{there.url}/s/main{page}".replace("/s/main/../..", "") for page in pages}


def _name(page: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in page.strip("/.")).strip("-") or "overview"


async def walk(there: Site, opened: Tab, pictures: Path, *, closely: bool = True) -> list[str]:
    """Look at every page; return all that is wrong with them."""
    wrong = []
    for name, address in addresses(there).items():
        answer = await opened.page.goto(address)
        assert answer is not None
        wrong += [f"{name}: {each}" for each in (await opened.serious() if closely else [])]
        wrong += [f"{name}: it scrolls sideways"] if await opened.is_too_wide() else []
        await opened.page.screenshot(path=pictures / f"{name}.png", full_page=True)
        missing = f"Failed to load resource: the server responded with a status of {answer.status}"
        wrong += [f"{name}: {each}" for each in opened.wrong if not (answer.status == 404 and each.startswith(missing))]
        opened.wrong.clear()
    return wrong


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_is_clean_and_fits(browser: Browser, corner_site: Site, artifacts: Path, look: str) -> None:
    async with tab(browser, **LOOKS[look]) as opened:  # type: ignore[arg-type]
        assert await walk(corner_site, opened, artifacts / look) == []


@pytest.mark.parametrize("storage", ["redis", "postgres"])
async def test_every_page_is_clean_on_the_other_storages(browser: Browser, artifacts: Path, storage: str) -> None:
    async with site(storage) as there, tab(browser, **LOOKS["light"]) as opened:  # type: ignore[arg-type]
        assert await walk(there, opened, artifacts / storage, closely=False) == []
