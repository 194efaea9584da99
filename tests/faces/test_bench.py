"""`ferryman bench`: it measures, and leaves nothing behind."""

from __future__ import annotations

import asyncio

import pytest

from faces.there import There
from faces.typed import Typed
from ferryman import Ferryman
from ferryman.cli.measuring import measure
from ferryman.events import JobFinished
from web.conftest import url_of


def test_it_says_how_fast_it_is_and_leaves_the_jobs_of_others_alone(ferryman: Typed, there: There) -> None:
    waiting = there.available(queue="ferryman-bench")

    figures = ferryman("bench -n 300 --concurrency 20 --yes --json").data

    assert [each["unit"] for each in figures] == ["jobs/s", "jobs/s", "ms", "ms"]
    assert min(each["value"] for each in figures) > 0
    assert [row["ref"] for row in ferryman("job list --json").data] == [waiting]


def test_nothing_is_measured_until_somebody_confirms(ferryman: Typed) -> None:
    answer = ferryman("bench")

    assert answer.code == 6
    assert "Store 10,000 jobs on sqlite:///ferryman.db" in answer.err


@pytest.mark.parametrize("storage", ["sqlite", "redis", "postgres"])
async def test_nothing_is_left_where_it_is_stopped_half_way(storage: str) -> None:
    with url_of(storage) as url:
        async with Ferryman(url, config=None) as jobs:
            ended = asyncio.Event()
            jobs.events.subscribe(JobFinished, lambda event: ended.set())

            measuring = asyncio.create_task(measure(jobs, number=5_000, slots=2))
            await ended.wait()
            measuring.cancel()
            await asyncio.wait([measuring])

            assert measuring.cancelled()
            assert (await jobs.admin.jobs.list()).items == []
            assert await jobs.admin.queues.list() == []
            assert await jobs.admin.workers.list() == []
