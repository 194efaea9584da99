"""How much memory a queue takes: measured when somebody asks, and not known everywhere."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import msgspec
import pytest

from ferryman import Ferryman
from ferryman.facts import NOT_PERMITTED
from ferryman.web.sharing import Seen
from web.asking import Asking
from web.conftest import Shop, everything, url_of
from web.stocked import stock
from web.test_looking import Counting

PAGE = "/s/main/queue?name=default&state=completed"


@pytest.fixture
async def redis() -> AsyncIterator[Shop]:
    """A dashboard over a job of every state on Redis."""
    with url_of("redis") as url:
        async with Ferryman(url, config=None) as jobs, Asking(everything(jobs)) as there:
            yield Shop(jobs, there, await stock(jobs))


async def memory(there: Asking, address: str, **headers: str) -> str:
    """Return what the page says of it."""
    page = (await there.get(address, headers=headers)).text
    (said,) = re.findall(r'id="memory">(.*?)</p>', page, re.DOTALL)
    return said


async def test_it_is_measured_when_the_button_is_pressed_and_not_again_by_the_page(redis: Shop) -> None:
    admin = redis.jobs.admin
    admin.queues = details = Counting(admin.queues, "details")  # type: ignore[assignment]

    before = await memory(redis.there, PAGE)
    (button,) = re.findall(r'href="([^"]+)#memory"', before)
    measured = await memory(redis.there, button.replace("&amp;", "&"))
    redis.there.dashboard.board.places["main"].history.anew()  # what was read is good no longer
    polled = await memory(redis.there, button.replace("&amp;", "&"), **{"HX-Request": "true"})
    later = await memory(redis.there, PAGE)

    assert "not measured yet" in before
    assert "state=completed" in button
    assert "KiB, from a sample of each state" in measured
    assert "KiB" in polled
    assert "KiB" in later
    assert details.calls == 1


async def test_a_server_that_does_not_allow_it_says_so(redis: Shop) -> None:
    place = redis.there.dashboard.board.places["main"]
    details = await redis.jobs.admin.queues.details("default")
    place.history._seen["memory", "default"] = Seen(msgspec.structs.replace(details, memory=None))

    assert NOT_PERMITTED in await memory(redis.there, PAGE)


async def test_where_all_queues_share_one_table_there_is_no_button(corner: Shop) -> None:
    said = await memory(corner.there, PAGE)

    assert "the jobs of all queues share one table" in said
    assert "Measure" not in said
