"""Every button of every page is pressed, and no form is left that no button sent."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Literal
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser

from ferryman.job import JobRef, State
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action
from ferryman.web.entrance.access import Level
from ferryman.web.entrance.logins import ByLogin
from ferryman.web.entrance.sessions import Sessions
from ferryman.web.entrance.users import User, Users
from ferryman.web.routes import ROUTES
from web.browser.conftest import Site, Tab, site, tab
from web.browser.pressing import Hand
from web.stocked import stock
from web.test_pages import PAGES

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "open sesame"
AT_THE_DOOR = {"/login", "/logout"}
EVERYWHERE = [
    *PAGES,
    "/queue?name=empty",
    "/failed/group?fp={group}",
    "/bulk?id={bulk}",
    *(f"/job?{{{state}}}" for state in State if state is not State.PENDING),
]
CHANGES = {way.path.replace("{storage}", "main") for way in ROUTES if way.method == "POST" and "/api/" not in way.path}


class Round:
    """Opens pages, each time over what was stored a moment before: jobs of every state in a queue of their own.

    Beside them are a queue that holds nothing, and a bulk operation that nobody works.
    """

    def __init__(self, there: Site, opened: Tab) -> None:
        self._there, self._opened = there, opened
        self._numbers = count(1)

    async def open(self, page: str) -> None:
        """Open a page; `default` in it is the queue, and a state in braces the job of this state."""
        jobs, queue = self._there.jobs, f"queue-{next(self._numbers)}"
        words = {state.value: urlencode(_address(ref)) for state, ref in (await stock(jobs, queue)).items()}
        await (await jobs.connections.storage()).queues.announce(["empty"])
        (group, *_) = (await jobs.admin.failed.groups()).groups
        bulk = await jobs.admin.bulk.start(Action.RETRY, JobFilter(queues=(queue,)), expected=0)
        await jobs.admin.bulk.leave(bulk.id)
        path = page.replace("default", queue).format(**words, group=group.fingerprint, bulk=bulk.id)
        await self._opened.page.context.add_cookies(
            [{"name": "ferryman_settings", "value": "size=20&live=0", "url": self._there.url}]
        )
        await self._opened.page.goto(f"{self._there.url}/s/main{path}")


def _address(ref: JobRef) -> dict[str, str]:
    return {"id": ref.id, "queue": ref.queue}


@pytest.mark.parametrize(
    ("storage", "scheme"),
    [
        ("sqlite", "dark"),
        *(pytest.param(storage, "dark", marks=pytest.mark.walk) for storage in ("redis", "postgres")),
        *(pytest.param(storage, "light", marks=pytest.mark.walk) for storage in ("sqlite", "redis", "postgres")),
    ],
)
async def test_every_button_does_something(browser: Browser, storage: str, scheme: Literal["light", "dark"]) -> None:
    async with site(storage) as there, tab(browser, color_scheme=scheme) as opened:
        round, hand = Round(there, opened), Hand(opened.page, {"rate": "0.1"})
        for page in EVERYWHERE:
            await hand.press_all(partial(round.open, page))

        assert hand.seen == hand.pressed
        assert hand.sent >= CHANGES - AT_THE_DOOR
        assert opened.wrong == []


async def test_the_buttons_at_the_door_let_in_and_out(browser: Browser) -> None:
    way = ByLogin(Users({"ann": User("ann", PASSWORD, Level.ADMIN)}), None, Sessions())
    async with site("sqlite", auth=way) as there, tab(browser) as opened:
        hand = Hand(opened.page, {"name": "ann", "password": PASSWORD})
        await hand.press_all(partial(opened.page.goto, f"{there.url}/about"))

        assert hand.seen == hand.pressed
        assert hand.sent >= AT_THE_DOOR
        assert opened.wrong == []
