"""The dashboard in a browser: every page on every storage, in light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, ViewportSize

from ferryman.job import State
from web.browser.conftest import Site, Tab, nothing, served, site, tab
from web.test_pages import PAGES

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True)
class Look:
    """How a page is looked at, and by which of axe's rules it is judged so: each where it can make a difference."""

    scheme: Literal["light", "dark"]
    size: ViewportSize
    rules: str


WIDE: ViewportSize = {"width": 1280, "height": 900}
LOOKS = {
    "light": Look("light", WIDE, "{}"),
    "dark": Look("dark", WIDE, "{runOnly: ['color-contrast']}"),
    "phone": Look("light", {"width": 390, "height": 844}, "{rules: {'color-contrast': {enabled: false}}}"),
}


def addresses(there: Site) -> dict[str, str]:
    """Return every page by a name for its picture."""
    jobs = [f"/job?id={ref.id}&queue={ref.queue}" for state, ref in there.refs.items() if state is State.DISCARDED]
    pages = [*PAGES, "/?kiosk=1", *jobs, "/job?id=0", "/queue?name=nobody"]
    return {_name(page): f"{there.url}/s/main{page}".replace("/s/main/../..", "") for page in pages}


def _name(page: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in page.strip("/.")).strip("-") or "overview"


async def walk(there: Site, opened: Tab, pictures: Path, looks: Mapping[str, Look], *, closely: bool) -> list[str]:
    """Look at every page; return all that is wrong with them."""
    wrong = []
    for name, address in addresses(there).items():
        answer = await opened.page.goto(address)
        assert answer is not None
        for called, look in looks.items():
            await opened.page.emulate_media(color_scheme=look.scheme)
            await opened.page.set_viewport_size(look.size)
            found = await opened.serious(look.rules) if closely else []
            found += ["it scrolls sideways"] if await opened.is_too_wide() else []
            wrong += [f"{name}, {called}: {each}" for each in found]
            await opened.page.screenshot(path=pictures / called / f"{name}.jpg", full_page=True)
        missing = f"Failed to load resource: the server responded with a status of {answer.status}"
        wrong += [f"{name}: {each}" for each in opened.wrong if not (answer.status == 404 and each.startswith(missing))]
        opened.wrong.clear()
    return wrong


async def test_every_page_is_clean_and_fits(browser: Browser, corner_site: Site, artifacts: Path) -> None:
    async with tab(browser) as opened:
        assert await walk(corner_site, opened, artifacts, LOOKS, closely=True) == []


async def test_every_page_is_clean_where_there_is_nothing_yet(browser: Browser, artifacts: Path) -> None:
    async with served("sqlite://", fill=nothing) as there, tab(browser) as opened:
        assert await walk(there, opened, artifacts / "empty", {"light": LOOKS["light"]}, closely=False) == []


@pytest.mark.parametrize("storage", ["redis", "postgres"])
async def test_every_page_is_clean_on_the_other_storages(browser: Browser, artifacts: Path, storage: str) -> None:
    async with site(storage) as there, tab(browser) as opened:
        assert await walk(there, opened, artifacts / storage, {"light": LOOKS["light"]}, closely=False) == []
