"""Acting on all that match: looked at first, worked beside the workers, stopped and continued."""

from __future__ import annotations

import asyncio
import re

from ferryman import Ferryman
from ferryman.admin.operations import BulkState
from ferryman.job import State
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action
from ferryman.web import Access, Dashboard, Level
from web.asking import Asking


async def fill(jobs: Ferryman, number: int) -> None:
    await jobs.enqueue_many([jobs.kind("report").using(delay="1h").job({"n": n}) for n in range(number)])


async def ended(jobs: Ferryman, id: str) -> BulkState:
    async with asyncio.timeout(30):
        while (info := await jobs.admin.bulk.get(id)).is_live:  # noqa: ASYNC110 - what is kept sets no event
            await asyncio.sleep(0.02)
    return info.state


async def test_a_bulk_operation_is_previewed_begun_and_shown_to_its_end(board: Asking, jobs: Ferryman) -> None:
    await fill(jobs, 300)
    preview = await board.get("/s/main/bulk/new?action=cancel&kind=report&state=scheduled")

    refused = await board.post(
        "/s/main/bulk/start", {"action": "cancel", "kind": "report", "state": "scheduled", "expected": "300"}
    )
    begun = await board.post(
        "/s/main/bulk/start",
        {"action": "cancel", "kind": "report", "state": "scheduled", "expected": "300", "typed": "300"},
    )
    id = re.search(r"id=(\w+)", begun.headers["location"])
    assert id is not None
    state = await ended(jobs, id[1])
    shown = await board.get(begun.headers["location"])

    assert "300" in preview.text
    assert "type 300" in preview.text
    assert "bulk/new" in refused.headers["location"]
    assert state is BulkState.DONE
    assert "<strong>300</strong> of 300" in shown.text
    assert (await jobs.admin.jobs.count(JobFilter(kinds=("report",)))) == {State.CANCELLED: 300}


async def test_a_bulk_operation_without_a_filter_is_refused(board: Asking) -> None:
    answer = await board.post("/s/main/bulk/start", {"action": "delete", "expected": "4"})

    assert answer.status_code == 400
    assert "every job" in answer.text


async def test_what_a_dashboard_left_behind_another_continues(jobs: Ferryman) -> None:
    await fill(jobs, 1)
    which = JobFilter(kinds=("report",), states=(State.SCHEDULED,))
    info = await jobs.admin.bulk.start(Action.CANCEL, which, expected=1, actor="ann")
    await jobs.admin.bulk.leave(info.id)
    async with Asking(Dashboard(jobs, auth=lambda request: Access(Level.ADMIN, "bob", "test"))) as there:
        shown = await there.get(f"/s/main/bulk?id={info.id}")
        await there.post("/s/main/bulk/continue", {"id": info.id})
        state = await ended(jobs, info.id)

    assert "Continue" in shown.text
    assert state is BulkState.DONE


async def test_jobs_in_another_state_are_skipped_and_said(board: Asking, jobs: Ferryman) -> None:
    (first, *_) = (await jobs.admin.jobs.list()).items
    await jobs.admin.jobs.delete(first.ref)
    there = [job.ref for job in (await jobs.admin.jobs.list()).items]

    answer = await board.post("/s/main/act", {"action": "delete", "ref": [str(first.ref), *map(str, there)]})
    said = await board.get("/s/main/jobs")

    assert answer.status_code == 303
    assert f"Deleted {len(there)}. Skipped 1: not stored any more." in said.text
