"""What a storage says of itself, on its page and over the API."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from ferryman.errors import StorageError
from ferryman.facts import NOT_PERMITTED, Fact, Unit, unknown
from web.conftest import Shop


async def seen(shop: Shop) -> None:
    """Look closely at the storage, which a first visit does not wait for."""
    collector = shop.there.dashboard.board.places["main"].collector
    await collector.sight()
    collector._checked = float("-inf")
    await collector._check()


async def page_of(shop: Shop) -> str:
    """Return the words of the storage page, without the tags."""
    page = await shop.there.get("/s/main/storage")
    assert page.status_code == 200
    return re.sub(r"<[^>]+>", " ", page.text[page.text.index('id="facts"') :])


async def test_a_storage_says_the_same_of_itself_on_its_page_and_over_the_api(shop: Shop) -> None:
    await seen(shop)

    said = (await shop.there.api("GET", "/storage")).json()["facts"]
    words = await page_of(shop)

    assert said[0]["name"] == "version"
    assert said[0]["value"] in words
    for fact in said:
        assert fact["of"] in words
        assert fact["name"].lower() in words.lower()


def telling(shop: Shop, answer: list[Fact] | StorageError) -> None:
    """Let the storage say this of itself, or fail."""

    async def facts() -> list[Fact]:
        if isinstance(answer, StorageError):
            raise answer
        return answer

    async def check(**said: Any) -> list[Any]:
        return []

    admin = shop.jobs.admin
    collector = shop.there.dashboard.board.places["main"].collector
    storage = SimpleNamespace(facts=facts, check=check)
    collector._admin = SimpleNamespace(snapshot=admin.snapshot, check=check, storage=storage)  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (Fact("memory", "used memory", 312 << 20, Unit.BYTES, most=768 << 20), "Used memory 312 MiB of 768 MiB (41 %)"),
        (Fact("connections", "clients", 31, most=10_000), "Clients 31 of 10,000"),
        (Fact("server", "uptime", 3_661, Unit.SECONDS), "Uptime 1 h 01 m"),
        (Fact("connections", "notification queue", 0.0, Unit.SHARE), "Notification queue 0 %"),
        (Fact("server", "role", "<master>"), "Role &lt;master&gt;"),
        (unknown("persistence", "fsync"), "Fsync not permitted for this user"),
    ],
)
async def test_a_fact_reads_as_people_say_it(corner: Shop, fact: Fact, words: str) -> None:
    telling(corner, [fact])
    await seen(corner)

    assert words in " ".join((await page_of(corner)).split())


async def test_what_a_table_does_not_say_is_a_dash_with_the_reason(corner: Shop) -> None:
    telling(
        corner, [Fact("tables", "size", 8192, Unit.BYTES, of="river_job"), unknown("tables", "rows", of="river_job")]
    )
    await seen(corner)

    assert f"river_job 8 KiB – {NOT_PERMITTED}" in " ".join((await page_of(corner)).split())


async def test_facts_that_cannot_be_read_leave_the_checks_on_the_page(corner: Shop) -> None:
    telling(corner, StorageError("the server is confused"))
    await seen(corner)

    assert "the server is confused" in await page_of(corner)
    assert (await corner.there.api("GET", "/storage")).json()["facts"] is None
