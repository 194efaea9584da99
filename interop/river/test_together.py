"""Workers of both sides on one queue: every job is worked once, and what one lost the other takes back."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tables import Tables

from ferryman import Ferryman
from programs import Asker, Enqueue, Work, until

MANY = 10_000


async def test_of_20_000_jobs_none_is_lost_and_none_is_run_twice(
    work: Work, go: Asker, jobs: Ferryman, tables: Tables, tmp_path: Path
) -> None:
    logs = {side: tmp_path / side for side in ("go", "python")}

    async with (
        work("go", concurrency=50, log=str(logs["go"])),
        work("python", concurrency=50, log=str(logs["python"])),
    ):
        await asyncio.gather(
            go.ask("enqueue_many", count=MANY, id="go ", job={"kind": "count"}),
            jobs.enqueue_many(jobs.kind("count").job({"n": f"python {n}"}) for n in range(MANY)),
        )
        await until(lambda: are(tables, {"completed": 2 * MANY}))

    ran = {side: [json.loads(line)["n"] for line in log.read_text().splitlines()] for side, log in logs.items()}
    assert Counter(ran["go"] + ran["python"]) == Counter(f"{side} {n}" for side in ran for n in range(MANY))
    assert min(len(ran["go"]), len(ran["python"])) > MANY // 20
    assert tables.query("select distinct attempt, cardinality(attempted_by) as by, errors from river_job") == [
        {"attempt": 1, "by": 1, "errors": None}
    ]


async def test_of_jobs_that_need_a_second_attempt_each_has_two(
    work: Work, go: Asker, jobs: Ferryman, tables: Tables, tmp_path: Path
) -> None:
    log, few = tmp_path / "ran", MANY // 10
    await asyncio.gather(
        go.ask("enqueue_many", count=few, id="go ", job={"kind": "twice"}),
        jobs.enqueue_many(jobs.kind("twice").job({"n": f"python {n}"}) for n in range(few)),
    )

    async with work("go", concurrency=20, log=str(log)), work("python", concurrency=20, log=str(log)):
        await until(lambda: are(tables, {"completed": 2 * few}))

    ids = [json.dumps({"n": f"{side} {n}"}) for side in ("go", "python") for n in range(few)]
    expected = Counter(f"{id} attempt {attempt}" for id in ids for attempt in (1, 2))
    assert Counter(log.read_text().splitlines()) == expected
    rows = tables.query("select distinct attempt, cardinality(errors) as errors from river_job")
    assert rows == [{"attempt": 2, "errors": 1}]


async def test_a_job_whose_worker_is_killed_is_taken_back_by_the_other_side(
    enqueue: Enqueue, work: Work, client: str, worker: str, tables: Tables
) -> None:
    id = await enqueue("hold-once", {"precious": 1})

    async with work(worker, name="dead") as program:
        await program.hears("seen", id=id)
        await program.kill()
    tables.let_time_pass(id, 3600)
    tables.let_the_term_run_out()
    async with work(client, rescue_after=60) as program:
        again = await program.hears("seen", id=id)
        await until(lambda: are(tables, {"completed": 1}))

    row = tables.job(id)
    assert again["attempt"] == 2
    assert (row["attempted_by"][0], row["attempt"]) == ("dead", 2)
    assert json.loads(row["metadata"]) == {"river:rescue_count": 1}
    (error,) = row["errors"]
    assert (error["error"], error["attempt"]) == ("Stuck job rescued by JobRescuer", 1)


async def test_a_worker_that_stops_gives_its_job_to_the_other_side_as_if_never_taken(
    enqueue: Enqueue, work: Work, client: str, worker: str, tables: Tables
) -> None:
    id = await enqueue("hold", {"precious": 1}, retries=0)

    async with work(worker) as program:
        await program.hears("seen", id=id)
        await program.stop()
        row = tables.job(id)
        assert (row["state"], row["attempt"], row["errors"]) == ("available", 0, None)
    async with work(client) as program:
        again = await program.hears("seen", id=id)

    assert (again["attempt"], json.loads(again["payload"])) == (1, {"precious": 1})


async def test_a_running_job_is_cancelled_by_the_other_side(
    work: Work, client: str, worker: str, tables: Tables, sides: Mapping[str, Enqueue], go: Asker, jobs: Ferryman
) -> None:
    id = (await sides[client]("hold", {}))["id"]

    async with work(worker) as program:
        await program.hears("seen", id=id)
        if client == "go":
            shown = (await go.ask("cancel", id=id))["State"]
        else:
            shown = (await jobs.admin.jobs.cancel(id)).state.value
        await program.hears("let go", id=id)
        await until(lambda: are(tables, {"cancelled": 1}))

    row = tables.job(id)
    assert shown == "running"
    assert [(error["attempt"], error["error"]) for error in row["errors"]] == [
        (1, "JobCancelError: job cancelled remotely")
    ]
    assert list(json.loads(row["metadata"])) == ["cancel_attempted_at"]


async def test_what_one_side_cancels_retries_and_deletes_the_other_side_sees(
    client: str, worker: str, tables: Tables, sides: Mapping[str, Enqueue], go: Asker, jobs: Ferryman
) -> None:
    id = (await sides[worker]("note", {}))["id"]

    async def do(name: str) -> str:
        if client == "go":
            return str((await go.ask(name, id=id))["State"])
        return (await getattr(jobs.admin.jobs, name)(id)).state.value  # type: ignore[no-any-return]

    async def seen() -> str:
        if worker == "go":
            return str((await go.ask("job", id=id))["State"])
        return (await jobs.admin.jobs.get(id)).state.value

    assert (await do("cancel"), await seen()) == ("cancelled", "cancelled")
    assert (await do("retry"), await seen()) == ("available", "available")
    await do("delete")
    assert tables.counts() == {}


async def test_a_queue_that_one_side_pauses_rests_on_the_other_until_it_goes_on(
    work: Work, client: str, worker: str, tables: Tables, sides: Mapping[str, Enqueue], go: Asker, jobs: Ferryman
) -> None:
    async def ask(name: str) -> None:
        if client == "go":
            await go.ask(name, queue="default")
        else:
            await getattr(jobs.admin.queues, name)("default")

    async with work(worker, queues=["default", "other"]) as program:
        await ask("pause")
        await program.hears("paused", queue="default")
        paused = await sides[client]("note", {"where": "default"})
        # What comes after it in another queue is worked, and it is not.
        other = await sides[client]("note", {"where": "other"}, queue="other")
        await program.hears("seen", id=other["id"])
        assert tables.job(paused["id"])["state"] == "available"
        await ask("resume")
        await program.hears("seen", id=paused["id"])


async def are(tables: Tables, counts: Mapping[str, int]) -> bool:
    return tables.counts() == counts
