"""What Go does to many jobs at once, or to a queue, when they are ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ferryman import Ferryman, JobNotFound, QueueNotFound, State
from programs import Asker, Work


@pytest.fixture
def client() -> str:
    """The jobs are ours."""
    return "python"


async def test_jobs_that_go_runs_all_at_once_wait_for_us(full: dict[str, str], go: Asker, jobs: Ferryman) -> None:
    for state in ("scheduled", "retry", "archived", "aggregating"):
        assert await go.ask("run_all", queue="default", state=state, group="g") == 1
        assert (await jobs.admin.jobs.get(full[state])).state is State.AVAILABLE


async def test_jobs_that_go_archives_all_at_once_are_archived_for_us(
    full: dict[str, str], go: Asker, jobs: Ferryman
) -> None:
    for state in ("pending", "scheduled", "retry", "aggregating"):
        assert await go.ask("archive_all", queue="default", state=state, group="g") == 1
        assert (await jobs.admin.jobs.get(full[state])).state is State.DISCARDED


async def test_jobs_that_go_deletes_all_at_once_are_gone_for_us(
    full: dict[str, str], go: Asker, jobs: Ferryman
) -> None:
    for state, id in full.items():
        assert await go.ask("delete_all", queue="default", state=state, group="g") == 1
        with pytest.raises(JobNotFound):
            await jobs.admin.jobs.get(id)


async def test_we_work_the_payload_that_go_has_put_into_our_job(go: Asker, jobs: Ferryman, work: Work) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    id = (await jobs.kind("note").using(at=soon, headers={"trace": "abc"}).enqueue(b"before")).ref.id
    await go.ask("update", queue="default", id=id, job={"payload": b"after"})
    await go.ask("run", queue="default", id=id)

    async with work("python") as program:
        seen = await program.hears("seen", id=id)

    assert (seen["payload"], seen["headers"]) == (b"after", {"trace": "abc"})


async def test_a_queue_that_go_has_deleted_comes_back_with_the_next_job(go: Asker, jobs: Ferryman) -> None:
    await jobs.kind("note").using(id="first").enqueue(b"")
    with pytest.raises(RuntimeError, match="queue is not empty"):
        await go.ask("delete_queue", queue="default")
    await go.ask("delete_queue", queue="default", force=True)
    with pytest.raises(QueueNotFound):
        await jobs.admin.queues.get("default")

    await jobs.kind("note").using(id="first").enqueue(b"")

    assert await go.ask("queues") == ["default"]
    assert (await go.ask("queue", queue="default"))["Pending"] == 1
