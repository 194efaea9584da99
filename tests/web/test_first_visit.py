"""What the first visitor of a dashboard sees while the storage is still being read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.admin._async.stats import AsyncStatsAdmin
from ferryman.web import reading
from web.asking import Asking

WAITING = "It is being read"


class Gate:
    """Holds up what passes until it is opened, and counts it."""

    def __init__(self) -> None:
        self.passed = 0
        self.opened = asyncio.Event()

    def before(self, read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def held_up(*args: Any, **more: Any) -> Any:
            self.passed += 1
            await self.opened.wait()
            return await read(*args, **more)

        return held_up


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, patient: None) -> pytest.MonkeyPatch:
    """Let no page wait for anything, until that is undone."""
    monkeypatch.setattr(reading, "_MOMENT", 0.0)
    return monkeypatch


async def test_the_overview_comes_before_the_storage_has_answered(
    board: Asking, gate: Gate, impatient: pytest.MonkeyPatch
) -> None:
    impatient.setattr(AsyncAdmin, "snapshot", gate.before(AsyncAdmin.snapshot))

    first = (await board.get("/s/main/")).text
    impatient.setattr(reading, "_MOMENT", 30.0)
    gate.opened.set()
    second = (await board.get("/s/main/")).text

    assert WAITING in first
    assert "data-soon" in first
    for untrue in ("nothing waits", "no slots", "in no queue", "start one to work jobs", "Nothing needs attention"):
        assert untrue not in first
    assert "cannot be reached" not in first
    assert "mail</a>" in second


async def test_the_overview_does_not_wait_for_what_was_worked_of_late(
    board: Asking, gate: Gate, impatient: pytest.MonkeyPatch
) -> None:
    await board.get("/api/v1/s/main/snapshot")
    impatient.setattr(AsyncStatsAdmin, "cuts", gate.before(AsyncStatsAdmin.cuts))

    first = (await board.get("/s/main/")).text
    impatient.setattr(reading, "_MOMENT", 30.0)
    gate.opened.set()
    second = (await board.get("/s/main/")).text

    assert "mail</a>" in first
    assert WAITING in first
    assert "nothing was counted" not in first
    assert "attempts of late" not in first
    assert "attempts of late" in second
    assert gate.passed == 1
