"""What Go does to many jobs at once, or to a queue, when they are ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ferryman import Ferryman, JobNotFound, QueueNotFound, State
from programs import Asker, Work

ALL = [
    *(("run_all", state) for state in ("scheduled", "retry", "archived", "aggregating")),
    *(("archive_all", state) for state in ("pending", "scheduled", "retry", "aggregating")),
    *(("delete_all", state) for state in ("pending", "scheduled", "retry", "archived", "completed", "aggregating")),
]


@pytest.mark.parametrize("client", ["python"], indirect=True)
@pytest.mark.parametrize(("what", "state"), ALL)
async def test_jobs_that_go_acts_on_all_at_once_are_so_for_us(
    full: dict[str, str], go: Asker, jobs: Ferryman, what: str, state: str
) -> None:
    count = await go.ask(what, queue="default", state=state, group="g")

    assert count == 1
    if what == "delete_all":
        with pytest.raises(JobNotFound):
            await jobs.admin.jobs.get(full[state])
    else:
        becomes = {"run_all": State.AVAILABLE, "archive_all": State.DISCARDED}[what]
        assert (await jobs.admin.jobs.get(full[state])).state is becomes


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
