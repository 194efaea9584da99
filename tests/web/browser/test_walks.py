"""The dashboard in a browser: every page on every storage, in light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.async_api import Browser, ViewportSize

from ferryman.job import State
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action
from web.browser.conftest import AXE, PICTURES, Fill, Site, Tab, site, stock_nothing, tab
from web.stocked import stock, stock_many
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
    "dark": Look("dark", WIDE, "{runOnly: ['color-contrast', 'link-in-text-block']}"),
    "phone": Look(
        "light",
        {"width": 390, "height": 844},
        "{rules: {'color-contrast': {enabled: false}, 'link-in-text-block': {enabled: false}}}",
    ),
}


async def addresses(there: Site) -> dict[str, str]:
    """Return every page by a name for its picture."""
    admin, shown = there.jobs.admin, [there.refs[it] for it in (State.DISCARDED, State.RUNNING) if it in there.refs]
    groups = (await admin.failed.groups(JobFilter())).groups
    bulk = await admin.bulk.start(Action.RETRY, JobFilter(kinds=("nobody",)), expected=0)
    pages = {_name(page): page for page in [*PAGES, "/?kiosk=1", "/job?id=0", "/queue?name=nobody"]}
    pages |= {f"job-{number}": f"/job?id={ref.id}&queue={ref.queue}" for number, ref in enumerate(shown, 1)}
    pages |= {f"group-{number}": f"/failed/group?fp={it.fingerprint}" for number, it in enumerate(groups[:1], 1)}
    pages |= {"bulk": f"/bulk?id={bulk.id}"}
    return {name: f"{there.url}/s/main{page}".replace("/s/main/../..", "") for name, page in pages.items()}


def _name(page: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in page.strip("/.")).strip("-") or "overview"


async def walk(there: Site, opened: Tab, called: str, looks: Mapping[str, Look], *, closely: bool) -> list[str]:
    """Look at every page; return all that is wrong with them."""
    wrong = []
    for name, address in (await addresses(there)).items():
        answer = await opened.page.goto(address)
        assert answer is not None
        wrong += [f"{name}: {each}" for each in await opened.faults()]
        for which, look in looks.items():
            await opened.page.emulate_media(color_scheme=look.scheme)
            await opened.page.set_viewport_size(look.size)
            found = await opened.serious(look.rules) if closely else []
            found += ["it scrolls sideways"] if await opened.is_too_wide() else []
            wrong += [f"{name}, {which}: {each}" for each in found]
            await opened.page.screenshot(path=PICTURES / called / which / f"{name}.jpg", full_page=True)
        wrong += [f"{name}: {each}" for each in opened.complaints(answer.status)]
    return wrong


CONTENTS: Mapping[str, Fill] = {"sample": stock, "nothing": stock_nothing, "many": stock_many}
CLOSELY, AT_A_GLANCE = [("sqlite", "sample")], [("sqlite", "nothing"), ("redis", "many")]
ALL = [(storage, content) for storage in ("sqlite", "redis", "postgres") for content in CONTENTS]
REST = [pytest.param(*each, marks=pytest.mark.walk) for each in ALL if each not in CLOSELY]


@pytest.mark.parametrize(("storage", "content"), [*CLOSELY, *REST])
async def test_every_page_is_clean_and_fits(browser: Browser, storage: str, content: str) -> None:
    async with site(storage, fill=CONTENTS[content]) as there, tab(browser) as opened:
        await opened.page.context.add_init_script(AXE)
        assert await walk(there, opened, f"{storage}-{content}", LOOKS, closely=True) == []


@pytest.mark.parametrize(("storage", "content"), AT_A_GLANCE)
async def test_every_page_is_clean_at_a_glance(browser: Browser, storage: str, content: str) -> None:
    async with site(storage, fill=CONTENTS[content]) as there, tab(browser) as opened:
        assert await walk(there, opened, f"{storage}-{content}", {"light": LOOKS["light"]}, closely=False) == []
