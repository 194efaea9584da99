"""A dashboard over jobs in memory, and somebody who asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ferryman import Ferryman
from ferryman.web import Access, Dashboard, Level
from web.asking import Asking


@pytest.fixture
async def jobs() -> AsyncIterator[Ferryman]:
    """Jobs of an application, in memory; four are there already, each in a state of its own."""
    jobs = Ferryman("sqlite://", config=None)
    mail = jobs.kind("mail:send")
    async with jobs:
        await mail.using(queue="mail").enqueue({"to": "ada@example.com", "api_key": "sk-abcdefghijklmnop1234"})
        await mail.using(delay="1h", tags=["late"]).enqueue({"to": "bob@example.com"})
        gone = await mail.enqueue({"to": "<script>alert(1)</script>"})
        await jobs.admin.jobs.cancel(gone.ref)
        yield jobs


@pytest.fixture
async def board(jobs: Ferryman) -> AsyncIterator[Asking]:
    """A dashboard that lets everybody do everything."""
    async with asking(Dashboard(jobs, auth=lambda request: Access(Level.ADMIN, "ann", "test"))) as there:
        yield there


asking = Asking
