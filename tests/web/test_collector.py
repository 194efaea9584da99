"""Looks at a storage for as long as somebody looks at the dashboard, and no longer."""

from __future__ import annotations

import asyncio

import pytest

from ferryman import Ferryman
from ferryman.web import collector, sharing
from ferryman.web.collector import Collector


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it look as often as it can, and let everybody have gone at once."""
    monkeypatch.setattr(collector, "_INTERVAL", 0.0)
    monkeypatch.setattr(sharing, "_SHARE", 0)
    monkeypatch.setattr(collector, "_IDLE", 0.0)


@pytest.mark.usefixtures("hasty")
async def test_when_nobody_looks_any_more_it_stops_and_begins_anew_for_the_next(jobs: Ferryman) -> None:
    looks = Collector(jobs.admin)
    first = await looks.sight()
    task = looks._task
    assert task is not None
    async with asyncio.timeout(30):
        await task

    second = await looks.sight()

    assert second.number > first.number
    assert looks._task is not task
    await looks.close()


async def test_for_numbers_alone_it_looks_every_half_minute(jobs: Ferryman, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, rests = Collector(jobs.admin), []

    async def rest(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) == 3:
            looks._counted = float("-inf")

    monkeypatch.setattr(sharing, "_SHARE", 0)
    monkeypatch.setattr(looks, "_rest", rest)
    await looks.unhurried(60)
    assert looks._task is not None
    await looks._task

    assert rests == [5.0, 30.0, 30.0]


async def test_somebody_who_comes_to_watch_sees_how_it_is_now(jobs: Ferryman) -> None:
    looks = Collector(jobs.admin)
    before = await looks.unhurried(60)

    now = await looks.sight()

    assert now.at > before.at
    await looks.close()
